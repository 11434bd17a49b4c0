//! What owners entrust to the plane.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Limit;

/// Secrets: values and credentials that containers get and nobody can read again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl secret set database-password --stdin < password.txt
  fluxctl secret set tls/key --from-file key.pem
  fluxctl secret set registry --username robot --registry ghcr.io --stdin < token.txt
  fluxctl secret list
  fluxctl secret remove database-password")]
pub struct Secret {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Set(Set),
    List(List),
    /// Show a secret, without what it holds.
    #[command(after_help = "Examples:\n  fluxctl secret show database-password -o json")]
    Show {
        /// Name of the secret.
        name: String,
    },
    Remove(Remove),
}

/// Store a secret, or a new value of one.
///
/// The value comes from a file or the input, never from an argument: other users of this machine see arguments. One line end
/// at the end of the input is not part of it. Containers that have the secret in their environment are made anew, one copy
/// after the other.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl secret set database-password --stdin < password.txt
  fluxctl secret set tls/key --from-file key.pem
  fluxctl secret set registry --username robot --registry ghcr.io --stdin < token.txt")]
pub struct Set {
    /// Name as specifications refer to it: `name`, or `name/key`.
    pub name: String,
    /// File that holds the value, taken as it is.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "stdin",
        required_unless_present = "stdin"
    )]
    pub from_file: Option<PathBuf>,
    /// Read the value from the input.
    #[arg(long)]
    pub stdin: bool,
    /// Makes it credentials for a registry of images; the value is the password.
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Host of the registry [default: that of the image].
    #[arg(long, value_name = "HOST", requires = "username")]
    pub registry: Option<String>,
}

/// List your secrets, without what they hold.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl secret list
  fluxctl secret list -o json")]
pub struct List {
    #[command(flatten)]
    pub limit: Limit,
}

/// Destroy a secret for good.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl secret remove database-password
  fluxctl secret remove database-password --force --yes")]
pub struct Remove {
    /// Name of the secret.
    pub name: String,
    /// Also when living applications name it; containers that are made from then on cannot start.
    #[arg(long)]
    pub force: bool,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
}
