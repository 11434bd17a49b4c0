//! Specifications, offline.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use fluxplane_app_spec::{message::MessageType, native};

use super::{chain::Batch, value::AppName};

/// Specifications, offline: check, hash, price, convert, make one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl spec init --name shop --owner 1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd > spec.json
  fluxctl spec init --template web --name shop --owner 1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd > shop.yaml
  fluxctl spec check -f spec.json
  fluxctl spec convert spec.json --to native
  fluxctl spec price -f spec.json --rate 0.05
  fluxctl spec check --batch < specs.ndjson > verdicts.ndjson")]
pub struct Spec {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Check(Check),
    Hash(Hash),
    Price(Price),
    Convert(Convert),
    Init(Init),
}

/// Check a specification: what FluxOS says of it, and what the plane asks beyond that.
///
/// A native specification (fluxplane/v1, YAML or JSON) is checked by its own rules, and what the plane does not do yet is
/// listed. Exit code 0 when it is taken and nothing is found, 1 otherwise. With --batch, each line of the input is a case,
/// {"height", "spec"}, and each line of the output its result, {"accepted", "error", "canonical", "strict": […]}, in order.
/// A bad line gives {"error": …} and the batch goes on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl spec check -f spec.json
  fluxctl spec check -f spec.json --height 2250000
  fluxctl spec check -f shop.yaml
  fluxctl spec check --batch < specs.ndjson > verdicts.ndjson")]
pub struct Check {
    /// Block height whose rules count [default: that of today on the main network].
    #[arg(long, value_name = "HEIGHT", conflicts_with = "batch")]
    pub height: Option<u32>,
    /// Judge as FluxOS does, and nothing more.
    #[arg(long, conflicts_with = "batch")]
    pub legacy: bool,
    #[command(flatten)]
    pub batch: Batch,
}

/// What a message does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum Kind {
    #[default]
    FluxAppRegister,
    FluxAppUpdate,
    ZelAppRegister,
    ZelAppUpdate,
}

impl From<Kind> for MessageType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::FluxAppRegister => Self::FluxAppRegister,
            Kind::FluxAppUpdate => Self::FluxAppUpdate,
            Kind::ZelAppRegister => Self::ZelAppRegister,
            Kind::ZelAppUpdate => Self::ZelAppUpdate,
        }
    }
}

/// Show the text an owner signs and the hash that pays for it.
///
/// The specification is taken in the key order in which it stands. Of a native one the canonical form counts, whatever the
/// order; its message has no type and no time. With --batch, each line of the input is a case, {"type",
/// "version", "spec", "timestamp", "signature"?}, and each line of the output its result, {"signedText", "hash", "signer"?}.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl spec hash -f spec.json --timestamp 1763798400123
  fluxctl spec hash -f spec.json --timestamp 1763798400123 --signature IEdv…=
  fluxctl spec hash -f shop.yaml
  fluxctl spec hash --batch < messages.ndjson")]
pub struct Hash {
    /// What the message does [default: fluxappregister].
    #[arg(long = "type", value_enum, conflicts_with = "batch")]
    pub kind: Option<Kind>,
    /// Milliseconds since 1970, as signed.
    #[arg(long, value_name = "MS", conflicts_with = "batch")]
    pub timestamp: Option<u64>,
    /// The owner's signature, which is part of the hash.
    #[arg(long, value_name = "SIGNATURE", conflicts_with = "batch")]
    pub signature: Option<String>,
    #[command(flatten)]
    pub batch: Batch,
}

/// Show what FluxOS asks for a specification: per month, on the chain, and what it accepts at least.
///
/// A native specification is priced line by line by the first native price table, for its term or for 30 days; a plane may
/// have a later table, and its quote counts.
///
/// With --batch, each line of the input is a case, {"height", "fluxUsdRate", "spec", "previous"?, "recentUpdates"?,
/// "marketplace"?}, and each line of the output its result, {"monthlyFlux", "monthlyUsd", "chainQuoteFlux",
/// "minAcceptedSat", "quote": {"usd", "flux", "fluxDiscount"}}.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl spec price -f spec.json --rate 0.05
  fluxctl spec price -f new.json --rate 0.05 --previous old.json --previous-height 2240000
  fluxctl spec price -f shop.yaml --rate 0.05
  fluxctl spec price --batch < cases.ndjson > prices.ndjson")]
pub struct Price {
    /// Block height whose prices count [default: that of today on the main network].
    #[arg(long, value_name = "HEIGHT", conflicts_with = "batch")]
    pub height: Option<u32>,
    /// Dollars for one FLUX; without it only the FLUX prices are computed.
    #[arg(long, value_name = "USD", value_parser = decimal, conflicts_with = "batch")]
    pub rate: Option<String>,
    /// The specification that runs now, for an update.
    #[arg(
        long,
        value_name = "FILE",
        requires = "previous_height",
        conflicts_with = "batch"
    )]
    pub previous: Option<PathBuf>,
    /// Height at which that one was registered.
    #[arg(long, value_name = "HEIGHT", requires = "previous")]
    pub previous_height: Option<u32>,
    #[command(flatten)]
    pub batch: Batch,
}

/// A decimal number as JSON writes it.
fn decimal(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no rate; write dollars such as 0.05");
    let number: f64 = text.parse().map_err(|_| wrong())?;
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !plain
        || number <= 0.0
        || !number.is_finite()
        || text.starts_with('.')
        || text.ends_with('.')
    {
        return Err(wrong());
    }
    // JSON has no leading zeros.
    let trimmed = text.trim_start_matches('0');
    Ok(if trimmed.starts_with('.') || trimmed.is_empty() {
        format!("0{trimmed}")
    } else {
        trimmed.to_owned()
    })
}

/// Convert a specification between FluxOS' form and the native one.
///
/// To native, nothing is lost: what has no native field is kept in `legacy`. To v8 or back to the version it came from,
/// whatever does not fit is listed with its reason, and the exit code is 1. The result is printed as JSON.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl spec convert spec.json --to native > shop.json
  fluxctl spec convert shop.yaml --to v8
  fluxctl spec convert shop.json --to legacy
  fluxctl spec convert shop.yaml --to v8 -o json")]
pub struct Convert {
    /// File with the specification; `-` for stdin.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Form of the result.
    #[arg(long, value_enum)]
    pub to: Target,
    /// Block height whose rules count for v8 [default: that of today on the main network].
    #[arg(long, value_name = "HEIGHT")]
    pub height: Option<u32>,
}

/// A form of specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// `fluxplane/v1`.
    Native,
    /// Version 8, the last of FluxOS.
    V8,
    /// The version of FluxOS that the document was converted from, to the byte.
    Legacy,
}

/// A kind of application to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// A web page with a cache behind it.
    Web,
    /// A training job over several machines with graphics cards; the plane does not run it yet.
    Gpu,
    /// An application that keeps its data on its node, paid for a term.
    Stateful,
}

impl From<Template> for native::Template {
    fn from(template: Template) -> Self {
        match template {
            Template::Web => Self::Web,
            Template::Gpu => Self::Gpu,
            Template::Stateful => Self::Stateful,
        }
    }
}

/// Print a specification to begin with: version 8 of FluxOS with one component, or a native one from a template.
///
/// A template is a starting point: edit it, then `fluxctl deploy -f shop.yaml`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl spec init --template gpu --name training --owner 1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd > training.yaml
  fluxctl spec init --name shop --owner 1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd --image nginx:1.27 --port 31000:80 > spec.json
  fluxctl spec init --name api --key-file wallet.wif --image ghcr.io/org/api:2 --cpu 2 --ram 4000 --hdd 20")]
pub struct Init {
    /// Name of the application: letters and digits.
    #[arg(long)]
    pub name: AppName,
    /// Wallet address that owns it.
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "key_file",
        conflicts_with = "key_file"
    )]
    pub owner: Option<String>,
    /// Key file of the owner.
    #[arg(long, value_name = "WIF_FILE")]
    pub key_file: Option<PathBuf>,
    /// Image with a tag.
    #[arg(long, default_value = "nginx:1.27")]
    pub image: String,
    /// Print a native specification of this kind, in YAML with comments; image, ports and amounts are then edited there.
    #[arg(
        long,
        value_enum,
        conflicts_with_all = ["image", "port", "cpu", "ram", "hdd", "instances", "data", "expire"]
    )]
    pub template: Option<Template>,
    /// Outer and inner port; may be given several times.
    #[arg(long, value_name = "OUTER:INNER", value_parser = ports)]
    pub port: Vec<(u16, u16)>,
    /// Cpu threads, in tenths.
    #[arg(long, default_value = "0.5", value_parser = decimal)]
    pub cpu: String,
    /// Memory in MB, in hundreds.
    #[arg(long, default_value_t = 500)]
    pub ram: u32,
    /// Disk in GB.
    #[arg(long, default_value_t = 5)]
    pub hdd: u32,
    /// Copies.
    #[arg(long, default_value_t = 3)]
    pub instances: u32,
    /// Where its files are kept inside the container.
    #[arg(long, default_value = "/data", value_name = "PATH")]
    pub data: String,
    /// Paid term in blocks; a block takes 30 seconds.
    #[arg(long, default_value_t = 88_000, value_name = "BLOCKS")]
    pub expire: u32,
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("`{text}` is no pair of ports; write OUTER:INNER such as 31000:80");
    let (outer, inner) = text.split_once(':').ok_or_else(wrong)?;
    Ok((
        outer.parse().map_err(|_| wrong())?,
        inner.parse().map_err(|_| wrong())?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_becomes_a_json_number() {
        assert_eq!(decimal("0.05"), Ok("0.05".to_owned()));
        assert_eq!(decimal("00.05"), Ok("0.05".to_owned()));
        assert_eq!(decimal("12"), Ok("12".to_owned()));
        for wrong in ["", "0", "-1", "1e3", ".5", "5.", "NaN", "inf", "1.2.3"] {
            assert!(decimal(wrong).is_err(), "{wrong}");
        }
    }
}
