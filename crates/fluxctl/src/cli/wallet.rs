//! A key in a file.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use fluxplane_core::Sat;
use fluxplane_flux_chain::{Address, address::AddressSpace};

use super::{rpc::Rpc, value};
use crate::wallet::MessageHash;

/// Keys in files: ids, addresses, signatures, payments.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl wallet new --key-file wallet.wif
  fluxctl wallet address --key-file wallet.wif
  fluxctl wallet balance --key-file wallet.wif --rpc-url http://127.0.0.1:16124")]
pub struct Wallet {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    New(New),
    Address(Show),
    Sign(Sign),
    Balance(Balance),
    Pay(Box<Pay>),
}

/// The networks a key's text and address are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Network {
    /// The main network.
    Main,
    /// Test, regtest and development chains.
    Test,
}

impl Network {
    pub const fn space(self) -> AddressSpace {
        match self {
            Self::Main => AddressSpace::Main,
            Self::Test => AddressSpace::Test,
        }
    }
}

/// Make a new key.
///
/// The file is readable by you alone and holds the key as text. Whoever reads it owns the coins; without it they are lost.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl wallet new --key-file wallet.wif
  fluxctl wallet new --key-file dev.wif --network test")]
pub struct New {
    /// File to make; an existing one is never overwritten.
    #[arg(long, value_name = "WIF_FILE")]
    pub key_file: PathBuf,
    /// Networks the key is for.
    #[arg(long, value_enum, default_value = "main")]
    pub network: Network,
}

/// Show the id and the address of a key.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl wallet address --key-file wallet.wif")]
pub struct Show {
    /// File with the private key in wallet import format.
    #[arg(long, value_name = "WIF_FILE")]
    pub key_file: PathBuf,
}

/// What precedes a signed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Magic {
    /// As wallets of Flux users sign: for signing in and for applications.
    Bitcoin,
    /// As fluxd's `signmessage`.
    Flux,
}

/// Sign a text.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl wallet sign --key-file wallet.wif 17637984001235vr1jq0m2l7c4pdn8hsk3t9fgb6ue0aoi
  fluxctl deploy -f spec.json --print-message | fluxctl wallet sign --key-file wallet.wif -")]
pub struct Sign {
    /// File with the private key in wallet import format.
    #[arg(long, value_name = "WIF_FILE")]
    pub key_file: PathBuf,
    /// What precedes the text.
    #[arg(long, value_enum, default_value = "bitcoin")]
    pub magic: Magic,
    /// The text; `-` reads it from the input, without the line break at its end.
    pub text: String,
}

/// Show what a key's address holds.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl wallet balance --key-file wallet.wif --rpc-url http://user:password@127.0.0.1:16124")]
pub struct Balance {
    /// File with the private key in wallet import format.
    #[arg(long, value_name = "WIF_FILE")]
    pub key_file: PathBuf,
    #[command(flatten)]
    pub rpc: Rpc,
}

/// Pay from a key.
///
/// Coins of the key's address are taken from the chain node, the transaction is built and signed here, and the node
/// broadcasts it. Coins whose amount is that of a node's collateral are left alone.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "the text is shown in a terminal")]
#[command(after_help = "\
Examples:
  fluxctl wallet pay --key-file wallet.wif --to t3NryfAQLGeFs9jEoeqsxmBN2QLRaRKFLUX --amount 2.5 \\
      --message-hash 6b1f…e0 --rpc-url http://127.0.0.1:16124 --rpc-user u --rpc-password-file p")]
pub struct Pay {
    /// File with the private key in wallet import format.
    #[arg(long, value_name = "WIF_FILE")]
    pub key_file: PathBuf,
    /// Address to pay.
    #[arg(long, value_name = "ADDRESS")]
    pub to: Address,
    /// Amount in FLUX.
    #[arg(long, value_name = "FLUX", value_parser = value::amount)]
    pub amount: Sat,
    /// Message hash from the payment instructions; goes into an OP_RETURN output.
    #[arg(long, value_name = "64_HEX")]
    pub message_hash: Option<MessageHash>,
    /// Fee in sat per 1,000 bytes [default: the least that is relayed, 100].
    #[arg(long, value_name = "SAT")]
    pub fee_rate: Option<u32>,
    /// Also spend coins that look like the collateral of a node. Spending a collateral ends the node.
    #[arg(long)]
    pub spend_collateral: bool,
    #[command(flatten)]
    pub rpc: Rpc,
}
