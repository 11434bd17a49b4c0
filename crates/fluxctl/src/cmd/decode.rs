//! `chain decode`

use fluxplane_flux_chain::batch::decode_line_text;

use super::lines;
use crate::{
    batch::error_line,
    cli::chain::{Decode, Network},
    error::Error,
    exit::Exit,
    render::{Ui, json::indent},
};

pub(super) fn run(ui: &Ui, args: &Decode) -> Result<Exit, Error> {
    if args.batch.batch {
        return lines::run(ui, &args.batch, &answer);
    }
    let given = [
        ("tx", &args.tx),
        ("block", &args.block),
        ("header", &args.header),
    ];
    let given = given
        .into_iter()
        .find_map(|(kind, hex)| Some((kind, hex.as_deref()?)));
    let Some((kind, hex)) = given else {
        let rule = "something must be decoded";
        return Err(Error::input(
            "--tx",
            "not given",
            rule,
            "give --tx, --block, --header or --batch",
        ));
    };
    let decoded = decode(kind, hex, args.network);
    if let Some(error) = refusal(&decoded) {
        let remedy = "give the whole serialisation, two hexadecimal digits for each byte";
        return Err(Error::input(format!("--{kind}"), hex, error, remedy));
    }
    ui.write(&format!("{}\n", indent(&decoded)))?;
    Ok(Exit::Success)
}

fn answer(line: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(line) {
        Ok(line) => out.extend_from_slice(decode_line_text(line).as_bytes()),
        Err(err) => {
            let at = err.valid_up_to();
            error_line(
                &format!("byte {at}: the line is not UTF-8; encode it as UTF-8"),
                out,
            );
        }
    }
}

/// Decodes one thing. The answer is JSON, `{"error": …}` if it is none.
pub(super) fn decode(kind: &str, hex: &str, network: Network) -> String {
    let line = serde_json::json!({ kind: hex.trim(), "network": network.name() });
    decode_line_text(&line.to_string())
}

/// The error of an answer that is one.
pub(super) fn refusal(answer: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Refusal {
        error: String,
    }
    // Only a refusal begins like this; an answer may be large.
    if !answer.starts_with("{\"error\":") {
        return None;
    }
    serde_json::from_str::<Refusal>(answer)
        .ok()
        .map(|refusal| refusal.error)
}
