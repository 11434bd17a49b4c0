//! Money: balance, invoices, epochs, earnings.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fluxplane_flux_chain::Address;
use uuid::Uuid;

use super::{Limit, rpc::Rpc, value::InvoiceTarget};

/// Show your balance with the plane.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl account")]
pub struct Account {}

/// Invoices, and the proof of each line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl invoice list
  fluxctl invoice show 0198c0de-7e57-7000-8000-000000000001
  fluxctl invoice verify 0198c0de-7e57-7000-8000-000000000001 --rpc-url http://127.0.0.1:16124")]
pub struct Invoice {
    #[command(subcommand)]
    pub command: InvoiceCommand,
}

#[derive(Debug, Subcommand)]
pub enum InvoiceCommand {
    /// List your invoices.
    #[command(after_help = "Examples:\n  fluxctl invoice list")]
    List(Limit),
    /// Show an invoice with its lines.
    #[command(
        after_help = "Examples:\n  fluxctl invoice show 0198c0de-7e57-7000-8000-000000000001"
    )]
    Show {
        /// Id of the invoice.
        id: Uuid,
    },
    Verify(Box<InvoiceVerify>),
}

/// Which node is asked for an anchor, and who must have sent it.
#[derive(Debug, Clone, Args)]
pub struct AnchorCheck {
    #[command(flatten)]
    pub rpc: Rpc,
    /// Address of the plane's validator, known from elsewhere: the anchor must come from it, and it must have anchored
    /// nothing else for the epoch.
    #[arg(long, value_name = "ADDRESS", requires = "rpc_url")]
    pub anchor_address: Option<Address>,
    /// Do not look at the chain; what is not checked then does not count as a failure.
    #[arg(long, conflicts_with = "rpc_url")]
    pub offline: bool,
}

/// Check lines of an invoice against the chain.
///
/// Each line is a leaf of a tree whose root the plane's validator put on the chain. The leaf is decoded and compared with
/// the invoice, the commitment opened, the path hashed up to the root, and the root looked for in a transaction that your own
/// chain node hands out, with at least 40 confirmations. Every step is shown; a step that was not checked fails the
/// verification unless --offline is given.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl invoice verify 0198c0de-7e57-7000-8000-000000000001 --rpc-url http://127.0.0.1:16124
  fluxctl invoice verify 0198c0de-7e57-7000-8000-000000000001/2 --save proof.json
  fluxctl invoice verify --file proof.json --owner 1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd --rpc-url http://127.0.0.1:16124")]
pub struct InvoiceVerify {
    /// An invoice, or one line of it.
    #[arg(
        value_name = "ID[/LINE]",
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    pub target: Option<InvoiceTarget>,
    /// A proof that was saved before; the plane is not asked.
    #[arg(long, value_name = "PROOF_JSON")]
    pub file: Option<PathBuf>,
    /// Whose line it must be [default: whoever the invoice names].
    #[arg(long, value_name = "ADDRESS")]
    pub owner: Option<String>,
    /// Keep the proof of the line in a file.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub anchor: AnchorCheck,
}

/// Settlement epochs: what everybody can check.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl epoch list
  fluxctl epoch show 12
  fluxctl epoch verify 12 --rpc-url http://127.0.0.1:16124")]
pub struct Epoch {
    #[command(subcommand)]
    pub command: EpochCommand,
}

#[derive(Debug, Subcommand)]
pub enum EpochCommand {
    /// List epochs, newest first.
    #[command(after_help = "Examples:\n  fluxctl epoch list --limit 10")]
    List(Limit),
    /// Show an epoch and its anchor.
    #[command(after_help = "Examples:\n  fluxctl epoch show 12")]
    Show {
        /// Number of the epoch.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        number: u64,
    },
    Verify(Box<EpochVerify>),
}

/// Check a whole epoch: its leaves give its root, and the root is on the chain.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl epoch verify 12 --rpc-url http://127.0.0.1:16124
  fluxctl epoch verify 12 --leaves leaves.ndjson --anchor-txid TXID --rpc-url http://127.0.0.1:16124")]
pub struct EpochVerify {
    /// Number of the epoch.
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub number: u64,
    /// Leaves that were downloaded before, one JSON document a line; `-` reads the input.
    #[arg(long, value_name = "FILE")]
    pub leaves: Option<PathBuf>,
    /// The transaction that should carry the root; with --leaves the plane is then not asked at all.
    #[arg(long, value_name = "TXID")]
    pub anchor_txid: Option<String>,
    #[command(flatten)]
    pub anchor: AnchorCheck,
}

/// Show what your nodes earned, newest epoch first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl earnings
  fluxctl earnings --limit 20 -o json")]
pub struct Earnings {
    #[command(flatten)]
    pub limit: Limit,
}
