//! Looking after the plane.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reqwest::Url;

use super::value;

/// For administrators of a plane.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl admin pki init --dir pki
  fluxctl admin status http://127.0.0.1:7001 http://127.0.0.1:7011
  fluxctl admin close-epoch")]
pub struct Admin {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Pki(Pki),
    CloseEpoch(CloseEpoch),
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

/// Close the running epoch now, instead of at its time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl admin close-epoch -o json")]
pub struct CloseEpoch {}

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
