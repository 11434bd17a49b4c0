//! Looking after the plane.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use reqwest::Url;

use super::value;
use crate::render::time::parse_span;

/// For administrators of a plane.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl admin pki init --dir pki
  fluxctl admin root-keys add --file root-keys
  fluxctl admin status http://127.0.0.1:7001 http://127.0.0.1:7011
  fluxctl admin close-epoch
  fluxctl admin override-rate --usd 0.08 --for 1h --reason outage --key-file treasurer.wif")]
pub struct Admin {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Pki(Pki),
    RootKeys(RootKeys),
    CloseEpoch(CloseEpoch),
    OverrideRate(OverrideRate),
    Status(Status),
}

/// Identities of services.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl admin pki init --dir pki")]
pub struct Pki {
    #[command(subcommand)]
    pub command: PkiCommand,
}

#[derive(Debug, Subcommand)]
pub enum PkiCommand {
    Init(PkiInit),
}

/// Make the authorities and certificates of a development plane, as far as they are missing.
///
/// Production brings its own certificates.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl admin pki init --dir pki
  fluxctl admin pki init --dir pki --service billing --service gateway")]
pub struct PkiInit {
    /// Folder; made if it is missing, readable by you alone.
    #[arg(long)]
    pub dir: PathBuf,
    /// A service that needs a certificate; may be given several times [default: all services of the plane].
    #[arg(long, value_name = "NAME", value_parser = service)]
    pub service: Vec<String>,
}

/// A name that can stand in a certificate and a file name.
fn service(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=63).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("a service's name has lower-case letters, digits and `-`".to_owned())
    }
}

/// The keys under which the scheduler seals what is private.
///
/// A new key is added on every machine first, then made to wrap, and an old one is removed once nothing is wrapped with it
/// any more; the scheduler is restarted after each step. docs/SECRETS.md says how.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl admin root-keys add --file root-keys
  fluxctl admin root-keys use 2 --file root-keys
  fluxctl admin root-keys remove 1 --file root-keys
  fluxctl admin root-keys list --file root-keys")]
pub struct RootKeys {
    #[command(subcommand)]
    pub command: RootKeysCommand,
}

#[derive(Debug, Subcommand)]
pub enum RootKeysCommand {
    /// Add a new key, which opens and wraps nothing yet; the first one of a new file wraps at once.
    #[command(after_help = "Examples:\n  fluxctl admin root-keys add --file root-keys")]
    Add(RootKeysFile),
    /// Let a key wrap from now on.
    #[command(after_help = "Examples:\n  fluxctl admin root-keys use 2 --file root-keys")]
    Use {
        /// Version of the key.
        version: u32,
        #[command(flatten)]
        at: RootKeysFile,
    },
    /// Remove a key. What it still wraps is lost for good.
    #[command(after_help = "Examples:\n  fluxctl admin root-keys remove 1 --file root-keys")]
    Remove {
        /// Version of the key.
        version: u32,
        #[command(flatten)]
        at: RootKeysFile,
    },
    /// Show the versions, never the keys.
    #[command(after_help = "Examples:\n  fluxctl admin root-keys list --file root-keys")]
    List(RootKeysFile),
}

#[derive(Debug, Args)]
pub struct RootKeysFile {
    /// The file; readable by you alone.
    #[arg(long)]
    pub file: PathBuf,
}

/// Close the running epoch now, instead of at its time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl admin close-epoch -o json")]
pub struct CloseEpoch {}

/// Set the exchange rate by hand, with a signed statement.
///
/// It goes before all sources while it holds, and replaces the statement before it. Quotes that were made stay as they are.
/// The plane must have been configured to trust the signer (`rate.override_signers` of billing).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl admin override-rate --usd 0.08 --for 1h --reason outage --key-file treasurer.wif
  fluxctl admin override-rate --usd 0.08 --for 10s --reason over --key-file treasurer.wif")]
pub struct OverrideRate {
    /// Dollars per FLUX, at most six decimals.
    #[arg(long, value_name = "DOLLARS", value_parser = micro_usd)]
    pub usd: u32,
    /// How long it holds, from now on.
    #[arg(long = "for", value_name = "90s|10m|2h", value_parser = parse_span)]
    pub span: Duration,
    /// Why, in 1 to 200 printable ASCII characters; everybody sees it.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Key file of the signer.
    #[arg(long, value_name = "WIF_FILE")]
    pub key_file: PathBuf,
}

/// Dollars as whole micro-dollars.
fn micro_usd(text: &str) -> Result<u32, String> {
    let wrong = || "give dollars per FLUX with at most six decimals, such as 0.0512".to_owned();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return Err(wrong());
    }
    let micros = format!("{whole}{fraction:0<6}").parse::<u32>();
    micros.ok().filter(|micros| *micros > 0).ok_or_else(wrong)
}

/// Show how the services are, from their admin listeners.
///
/// Exit code 6 when one of them is not ready or does not answer.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl admin status http://127.0.0.1:7001 http://127.0.0.1:7011
  FLUXCTL_ADMIN_URLS=http://127.0.0.1:7001,http://127.0.0.1:7011 fluxctl admin status")]
pub struct Status {
    /// Addresses of admin listeners.
    #[arg(required = true, env = "FLUXCTL_ADMIN_URLS", hide_env_values = true, value_delimiter = ',',
        value_name = "URL", value_parser = value::server)]
    pub urls: Vec<Url>,
}
