//! `spec check | hash | convert | init` for native specifications. All of it works offline; `deploy` and `update` send them.

use std::path::Path;

use fluxplane_app_spec::{
    json::{self, Limits, Value},
    legacy::LegacySpec,
    message::recover_signer,
    native::{
        Misfit, NativeSpec, Rejected, Template, examine, from_legacy, is_native, parse, to_legacy,
        to_v8, unserved,
    },
    strict,
};
use serde::Serialize;

use super::{
    input,
    spec::{Finding, finding_text, height_of_today},
};
use crate::{
    cli::spec::{Check, Convert, Hash, Target},
    error::Error,
    exit::Exit,
    render::{
        Facts, Paint, Ui,
        json::indent,
        paint::{Tone, plain},
    },
};

const CHECK: &str = "`fluxctl spec check` explains what is wrong";

/// The fields of the answer for a FluxOS specification, and the hash.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckAnswer<'a> {
    accepted: bool,
    error: Option<String>,
    canonical: Option<String>,
    hash: Option<String>,
    strict: &'a [strict::Finding],
    /// What the plane does not do yet; empty when it can be deployed.
    unserved: Vec<strict::Finding>,
}

pub(super) fn check(ui: &Ui, args: &Check, text: &[u8]) -> Result<Exit, Error> {
    if args.legacy {
        let rule = "FluxOS does not know native specifications";
        let remedy = "leave --legacy out, or convert it to v8 first";
        return Err(Error::input("--legacy", "given", rule, remedy));
    }
    let examined = examine(text);
    let findings = &examined.findings;
    let good = examined.spec.as_ref().filter(|_| findings.is_empty());
    let answer = CheckAnswer {
        accepted: good.is_some(),
        error: (!findings.is_empty()).then(|| {
            let findings = findings.clone();
            Rejected { findings }.to_string()
        }),
        canonical: good.map(NativeSpec::canonical),
        hash: good.map(NativeSpec::hash),
        strict: findings,
        unserved: good.map(unserved).unwrap_or_default(),
    };
    ui.show(&answer, |paint| check_text(good, findings, paint))?;
    Ok(if answer.accepted {
        Exit::Success
    } else {
        Exit::Failed
    })
}

fn check_text(good: Option<&NativeSpec>, findings: &[strict::Finding], paint: Paint) -> String {
    if let Some(spec) = good {
        let mark = paint.tone(Tone::Good, "✓");
        let facts = Facts::new().fact("hash", spec.hash());
        let mut text = format!(
            "{mark} the native specification keeps all rules\n{}",
            facts.text(paint)
        );
        let unserved = unserved(spec);
        if unserved.is_empty() {
            text += "It can be deployed: `fluxctl deploy -f FILE`.\n";
        } else {
            text += "It can't be deployed yet, because the plane does not do all of it:\n";
            text += &findings_text(&unserved, paint);
        }
        return text;
    }
    findings_text(findings, paint)
}

fn findings_text(findings: &[strict::Finding], paint: Paint) -> String {
    let texts = findings.iter().map(|finding| {
        let strict::Finding {
            path,
            value,
            code,
            rule,
            remedy,
        } = finding.clone();
        finding_text(
            &Finding {
                path,
                value,
                code: code.to_owned(),
                rule,
                remedy,
            },
            paint,
        )
    });
    texts.collect()
}

pub(super) fn hash(ui: &Ui, args: &Hash, text: &[u8]) -> Result<Exit, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct HashAnswer {
        signed_text: String,
        hash: String,
        canonical: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        signer: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature_error: Option<String>,
    }
    for (argument, is_given) in [
        ("--type", args.kind.is_some()),
        ("--timestamp", args.timestamp.is_some()),
    ] {
        if is_given {
            let rule = "the hash of a native specification has no type and no time";
            let remedy =
                "leave it out; `fluxctl deploy --print-message` shows the text of a message";
            return Err(Error::input(argument, "given", rule, remedy));
        }
    }
    let spec = good("--file", text)?;
    let mut answer = HashAnswer {
        signed_text: spec.signed_text(),
        hash: spec.hash(),
        canonical: spec.canonical(),
        signer: None,
        signature_error: None,
    };
    if let Some(signature) = &args.signature {
        answer.signer = recover_signer(&answer.signed_text, &spec.owner, signature).ok();
        answer.signature_error = spec.verify(signature).err().map(|err| {
            let cause = std::error::Error::source(&err).map(|cause| format!(": {cause}"));
            format!("{err}{}", cause.unwrap_or_default())
        });
    }
    ui.show(&answer, |paint| {
        Facts::new()
            .fact("hash", &answer.hash)
            .maybe("signer", answer.signer.as_ref())
            .maybe("signature", answer.signature_error.as_ref())
            .fact("text", &answer.signed_text)
            .fact("canonical", plain(&answer.canonical))
            .text(paint)
    })?;
    let is_good = answer.signature_error.is_none();
    Ok(if is_good { Exit::Success } else { Exit::Failed })
}

/// A specification without findings.
fn good(argument: &str, text: &[u8]) -> Result<NativeSpec, Error> {
    parse(text).map_err(|rejected| {
        Error::input(
            argument,
            "no good specification",
            rejected.to_string(),
            CHECK,
        )
    })
}

/// What a conversion came to.
#[derive(Serialize)]
struct Conversion {
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<serde_json::Value>,
    /// What must be changed before the result can be deployed.
    findings: Vec<strict::Finding>,
    /// What has no place in the result, which is why there is none.
    misfits: Vec<Misfit>,
}

pub(super) fn convert(ui: &Ui, args: &Convert) -> Result<Exit, Error> {
    let text = input::read(&args.file)?;
    let (written, findings) = match convert_text(args, &text)? {
        Ok(done) => done,
        Err(misfits) => {
            let conversion = Conversion {
                spec: None,
                findings: Vec::new(),
                misfits,
            };
            ui.show(&conversion, |paint| {
                misfits_text(&conversion.misfits, paint)
            })?;
            return Ok(Exit::Failed);
        }
    };
    if !ui.is_json() {
        ui.write(&written)?;
        if !findings.is_empty() {
            let paint = ui.error_paint();
            ui.note("converted without loss, but it can't be deployed as it is:");
            ui.note(findings_text(&findings, paint).trim_end());
        }
        return Ok(Exit::Success);
    }
    let spec = serde_json::from_str(&written)
        .map_err(|err| Error::failed("unreadable-answer", err.to_string()))?;
    let misfits = Vec::new();
    ui.show(
        &Conversion {
            spec: Some(spec),
            findings,
            misfits,
        },
        |_| String::new(),
    )?;
    Ok(Exit::Success)
}

/// The result as text and what is wrong with it, or what does not fit.
type Outcome = Result<(String, Vec<strict::Finding>), Vec<Misfit>>;

fn convert_text(args: &Convert, text: &[u8]) -> Result<Outcome, Error> {
    let indented = |legacy: &LegacySpec| (format!("{}\n", indent(&legacy.canonical())), Vec::new());
    if !is_native(text) {
        let legacy = read_legacy(&args.file, text)?;
        let converted = match from_legacy(&legacy) {
            Ok(converted) => converted,
            Err(misfit) => return Ok(Err(vec![misfit])),
        };
        return Ok(match args.to {
            Target::Native => Ok((json::pretty(&converted.to_value()), converted.findings())),
            Target::V8 => to_v8(&converted, height(args)).map(|v8| indented(&v8)),
            Target::Legacy => Ok(indented(&legacy)),
        });
    }
    Ok(match args.to {
        Target::Native => Ok((json::pretty(&good("FILE", text)?.to_value()), Vec::new())),
        Target::V8 => to_v8(&good("FILE", text)?, height(args)).map(|v8| indented(&v8)),
        // What FluxOS takes and no machine can have is found wrong here and must still find its way back.
        Target::Legacy => {
            let examined = examine(text);
            let spec = match examined.spec {
                Some(spec) => spec,
                None => good("FILE", text)?,
            };
            to_legacy(&spec).map(|legacy| indented(&legacy))
        }
    })
}

fn height(args: &Convert) -> u64 {
    u64::from(args.height.unwrap_or_else(height_of_today))
}

fn read_legacy(path: &Path, text: &[u8]) -> Result<LegacySpec, Error> {
    let text = input::as_json("FILE", path, text.to_vec())?;
    let value: Value = json::parse(text.as_bytes(), Limits::default())
        .map_err(|err| Error::input("FILE", path.display(), err.to_string(), CHECK))?
        .value;
    LegacySpec::from_value(value).map_err(|err| {
        let rule = format!("FluxOS refuses it: {err}");
        Error::input("FILE", path.display(), rule, CHECK)
    })
}

fn misfits_text(misfits: &[Misfit], paint: Paint) -> String {
    let bad = paint.tone(Tone::Bad, "✗");
    let lines = misfits.iter().map(|Misfit { path, reason }| {
        let path = if path.is_empty() {
            "specification"
        } else {
            path
        };
        format!("{bad} {}: {}\n", plain(path), plain(reason))
    });
    lines.collect()
}

/// Prints a template with this name and owner.
pub(super) fn init(ui: &Ui, template: Template, name: &str, owner: &str) -> Result<Exit, Error> {
    let document = template.document(name, owner);
    // What we hand out must be taken: wrong arguments are refused here, not after signing.
    if let Some(finding) = examine(document.as_bytes()).findings.into_iter().next() {
        let strict::Finding {
            path,
            value,
            rule,
            remedy,
            ..
        } = finding;
        return Err(Error::input(path, value, rule, remedy));
    }
    let spec = good("--template", document.as_bytes())?;
    if !unserved(&spec).is_empty() {
        ui.note("the plane does not do all of this yet; `fluxctl spec check` lists what");
    }
    if ui.is_json() {
        ui.write(&json::pretty(&spec.to_value()))?;
    } else {
        ui.write(&document)?;
    }
    Ok(Exit::Success)
}
