//! Signing in and out.

use std::path::PathBuf;

use clap::Args;

/// Sign in with a wallet.
///
/// The plane gives a phrase, the wallet signs it, the plane gives tokens; they are kept in a file that only you can read and
/// renewed by themselves. With a key file all of it happens at once. With an address the phrase is shown, you sign it with
/// your wallet (as a Bitcoin message, or by personal_sign for a 0x address) and paste the signature.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "the text is shown in a terminal")]
#[command(after_help = "\
Examples:
  fluxctl login --key-file wallet.wif
  fluxctl login --address 1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd
  fluxctl --server https://plane.example --profile work login --key-file wallet.wif")]
pub struct Login {
    /// File with the private key in wallet import format.
    #[arg(
        long,
        value_name = "WIF_FILE",
        required_unless_present = "address",
        conflicts_with = "address"
    )]
    pub key_file: Option<PathBuf>,
    /// Address that signs in: a FluxID or a 0x address.
    #[arg(long)]
    pub address: Option<String>,
}

/// Sign out: the tokens are worthless from then on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl logout
  fluxctl --profile work logout")]
pub struct Logout {}

/// Show who is signed in, and where.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl whoami
  fluxctl whoami -o json")]
pub struct Whoami {}
