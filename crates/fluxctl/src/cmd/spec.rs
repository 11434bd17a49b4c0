//! `spec check | hash | price`; what is native goes to [`super::native`]

use std::path::Path;

use fluxplane_app_spec::{
    batch::{check_line, hash_line},
    message::{MESSAGE_VERSION, MessageType},
    native::is_native,
};
use fluxplane_core::{Clock as _, SystemClock};
use fluxplane_flux_chain::emission::Schedule;
use fluxplane_pricing::batch::price_line;
use serde::Deserialize;

use super::{decode::refusal, init, input, lines, native, native_price};
use crate::{
    batch::Answer,
    cli::{
        chain::Batch,
        spec::{Check, Command, Hash, Price},
    },
    error::Error,
    exit::Exit,
    render::{
        Facts, Paint, Ui,
        facts::some,
        json::indent,
        paint::{Tone, plain},
    },
};

pub(super) fn run(ui: &Ui, command: Command) -> Result<Exit, Error> {
    match command {
        Command::Check(args) if args.batch.batch => batch(ui, &args.batch, check_line),
        Command::Check(args) => check(ui, &args),
        Command::Hash(args) if args.batch.batch => batch(ui, &args.batch, hash_line),
        Command::Hash(args) => hash(ui, &args),
        Command::Price(args) if args.batch.batch => batch(ui, &args.batch, price_line),
        Command::Price(args) => price(ui, &args),
        Command::Convert(args) => native::convert(ui, &args),
        Command::Init(args) => init::run(ui, &args),
    }
}

fn batch(ui: &Ui, args: &Batch, answer: fn(&[u8]) -> String) -> Result<Exit, Error> {
    lines::run(ui, args, &appending(answer))
}

fn appending(answer: fn(&[u8]) -> String) -> impl Answer {
    move |line: &[u8], out: &mut Vec<u8>| out.extend_from_slice(answer(line).as_bytes())
}

/// The file that an argument names.
fn file(batch: &Batch) -> Result<(&Path, Vec<u8>), Error> {
    match &batch.file {
        Some(path) => Ok((path, input::read(path)?)),
        None => Err(Error::input(
            "--file",
            "not given",
            "a specification is needed",
            "name its file with -f, or -f - for the input; --batch reads lines",
        )),
    }
}

/// The height that the main network should have now.
pub(super) fn height_of_today() -> u32 {
    Schedule::main().height_at(SystemClock.now().timestamp())
}

#[derive(Deserialize)]
struct CheckAnswer {
    accepted: bool,
    error: Option<String>,
    strict: Vec<Finding>,
}

#[derive(Deserialize)]
pub(super) struct Finding {
    pub(super) path: String,
    pub(super) value: String,
    pub(super) code: String,
    pub(super) rule: String,
    pub(super) remedy: String,
}

fn check(ui: &Ui, args: &Check) -> Result<Exit, Error> {
    let (path, bytes) = file(&args.batch)?;
    if is_native(&bytes) {
        return native::check(ui, args, &bytes);
    }
    let height = args.height.unwrap_or_else(height_of_today);
    let spec = input::as_json("--file", path, bytes)?;
    let line = format!("{{\"height\":{height},\"spec\":{spec}}}");
    let answer = check_line(line.as_bytes());
    let parsed: CheckAnswer = understood(&answer)?;
    if ui.is_json() {
        ui.write(&format!("{}\n", indent(&answer)))?;
    } else {
        ui.write(&check_text(&parsed, height, args.legacy, ui.paint()))?;
    }
    let good = parsed.accepted && (args.legacy || parsed.strict.is_empty());
    Ok(if good { Exit::Success } else { Exit::Failed })
}

fn check_text(answer: &CheckAnswer, height: u32, legacy: bool, paint: Paint) -> String {
    let (good, bad) = (paint.tone(Tone::Good, "✓"), paint.tone(Tone::Bad, "✗"));
    let mut text = vec![match &answer.error {
        None => format!("{good} FluxOS takes it at height {height}\n"),
        Some(error) => format!(
            "{bad} FluxOS refuses it at height {height}: {}\n",
            plain(error)
        ),
    }];
    if legacy {
        return text.concat();
    }
    // What FluxOS refuses is repeated among the findings.
    let findings = answer
        .strict
        .iter()
        .filter(|finding| finding.code != "fluxos");
    text.extend(findings.map(|finding| finding_text(finding, paint)));
    if answer.accepted && answer.strict.is_empty() {
        text.push(format!("{good} nothing stands against deploying it\n"));
    }
    text.concat()
}

/// A finding for people.
pub(super) fn finding_text(finding: &Finding, paint: Paint) -> String {
    let bad = paint.tone(Tone::Bad, "✗");
    let path = some(&finding.path).unwrap_or("specification");
    let facts = Facts::new()
        .maybe("    value", some(&finding.value).map(plain))
        .fact("    rule", plain(&finding.rule))
        .fact("    remedy", plain(&finding.remedy));
    format!("{bad} {}\n{}", plain(path), facts.text(paint))
}

fn hash(ui: &Ui, args: &Hash) -> Result<Exit, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct HashAnswer {
        signed_text: String,
        hash: String,
        signer: Option<String>,
        signature_error: Option<String>,
    }
    let (path, bytes) = file(&args.batch)?;
    if is_native(&bytes) {
        return native::hash(ui, args, &bytes);
    }
    let Some(timestamp) = args.timestamp else {
        let rule = "the message of a FluxOS specification carries a time";
        let remedy = "give the milliseconds since 1970 that are signed";
        return Err(Error::input("--timestamp", "not given", rule, remedy));
    };
    let spec = input::as_json("--file", path, bytes)?;
    let kind: MessageType = args.kind.unwrap_or_default().into();
    let signature = args.signature.as_ref().map(|text| {
        let text = serde_json::Value::from(text.as_str());
        format!("\"signature\":{text}")
    });
    let members = [
        format!("\"type\":\"{kind}\",\"version\":{MESSAGE_VERSION}"),
        format!("\"timestamp\":{timestamp}"),
        format!("\"spec\":{spec}"),
    ];
    let answer = hash_line(object(members.into_iter().chain(signature)).as_bytes());
    let parsed: HashAnswer = understood(&answer)?;
    if ui.is_json() {
        ui.write(&format!("{}\n", indent(&answer)))?;
    } else {
        let facts = Facts::new()
            .fact("hash", &parsed.hash)
            .maybe("signer", parsed.signer.as_ref())
            .maybe("signature", parsed.signature_error.as_ref())
            .fact("text", plain(&parsed.signed_text));
        ui.write(&facts.text(ui.paint()))?;
    }
    Ok(if parsed.signature_error.is_some() {
        Exit::Failed
    } else {
        Exit::Success
    })
}

fn price(ui: &Ui, args: &Price) -> Result<Exit, Error> {
    let (path, bytes) = file(&args.batch)?;
    if is_native(&bytes) {
        return native_price::run(ui, args, &bytes);
    }
    let spec = input::as_json("--file", path, bytes)?;
    let height = args.height.unwrap_or_else(height_of_today);
    let mut members = vec![format!("\"height\":{height}"), format!("\"spec\":{spec}")];
    members.extend(
        args.rate
            .as_ref()
            .map(|rate| format!("\"fluxUsdRate\":{rate}")),
    );
    if let (Some(path), Some(at)) = (&args.previous, args.previous_height) {
        let previous = input::read_json("--previous", path)?;
        let Some(own) = previous.strip_prefix('{') else {
            let rule = "a specification is a JSON object";
            return Err(Error::input(
                "--previous",
                path.display(),
                rule,
                "name the file of one",
            ));
        };
        let comma = if own.trim_start().starts_with('}') {
            ""
        } else {
            ","
        };
        members.push(format!("\"previous\":{{\"height\":{at}{comma}{own}"));
    }
    let answer = price_line(object(members).as_bytes());
    let parsed: serde_json::Value = understood(&answer)?;
    if ui.is_json() {
        ui.write(&format!("{}\n", indent(&answer)))?;
        return Ok(Exit::Success);
    }
    let quote = &parsed["quote"];
    let mut facts = Facts::new()
        .fact("at height", height)
        .fact(
            "per month",
            format!(
                "{} FLUX, {} USD",
                parsed["monthlyFlux"], parsed["monthlyUsd"]
            ),
        )
        .fact(
            "on the chain",
            format!("{} FLUX for the term", parsed["chainQuoteFlux"]),
        )
        .fact(
            "smallest",
            format!("{} sat are accepted", parsed["minAcceptedSat"]),
        );
    if !quote.is_null() {
        let discount = &quote["fluxDiscount"];
        facts = facts.fact(
            "for users",
            format!(
                "{} USD or {} FLUX (discount: {discount})",
                quote["usd"], quote["flux"]
            ),
        );
    }
    ui.write(&facts.text(ui.paint()))?;
    Ok(Exit::Success)
}

/// An object of members that are JSON already.
fn object(members: impl IntoIterator<Item = String>) -> String {
    format!("{{{}}}", members.into_iter().collect::<Vec<_>>().join(","))
}

/// Reads an answer that is no refusal.
fn understood<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, Error> {
    if let Some(error) = refusal(answer) {
        let remedy = "`fluxctl spec init` shows how a specification looks";
        return Err(Error::input("specification", "not usable", error, remedy));
    }
    serde_json::from_str(answer).map_err(|err| Error::failed("unreadable-answer", err.to_string()))
}
