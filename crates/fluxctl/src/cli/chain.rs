//! The chain, through the plane and offline.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Limit, block::VerifyBlock, value};
use crate::{
    api::{OutPoint, chain::FluxnodeStatus, nodes::Tier},
    wallet::MessageHash,
};

/// The chain: what the plane sees of it, and what its bytes say.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl chain status
  fluxctl chain block 2100000
  fluxctl chain address t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6
  fluxctl chain nodes --ip 203.0.113.9
  fluxctl chain payments 6b1f…e0
  fluxctl chain verify-block 2996914 --rpc-url http://127.0.0.1:16124
  fluxctl chain decode --tx 0400008085202f89…          offline
  fluxctl chain emission --from 2025 --to 2040         offline")]
pub struct Chain {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show how far the plane follows the chain.
    #[command(after_help = "Examples:\n  fluxctl chain status")]
    Status,
    /// Show a block.
    #[command(after_help = "Examples:\n  fluxctl chain block 2100000")]
    Block {
        /// Height, or hash of 64 hexadecimal digits.
        #[arg(value_name = "HEIGHT|HASH")]
        key: String,
    },
    /// Show a transaction, decoded here.
    #[command(
        after_help = "Examples:\n  fluxctl chain tx 4bb1480e20a910519300510d211e05923f4481618bdc2fa9509b11bfc28df6d0"
    )]
    Tx {
        /// Id, 64 hexadecimal digits.
        txid: String,
    },
    Address(Address),
    /// Show an output, and what spends it.
    #[command(after_help = "Examples:\n  fluxctl chain output TXID:0")]
    Output {
        /// Transaction and number of the output.
        #[arg(value_name = "TXID:VOUT")]
        outpoint: OutPoint,
    },
    /// List owners by balance, richest first.
    #[command(after_help = "Examples:\n  fluxctl chain rich --limit 100")]
    Rich(Limit),
    /// Show how many coins there are, counted from the blocks, beside what the rules create.
    #[command(
        after_help = "Examples:\n  fluxctl chain supply\n  fluxctl chain supply --height 2996914 -o json"
    )]
    Supply(AtHeight),
    Nodes(Nodes),
    NextPayees(NextPayees),
    /// Compare the tiers: nodes, locked coins, rewards, who came and went.
    #[command(after_help = "Examples:\n  fluxctl chain tiers")]
    Tiers(AtHeight),
    /// Show the hardware that the confirmed nodes must have at least.
    #[command(after_help = "Examples:\n  fluxctl chain capacity -o json")]
    Capacity(AtHeight),
    Payments(Payments),
    /// List FLUX's tokens on other chains.
    #[command(after_help = "Examples:\n  fluxctl chain assets")]
    Assets(Limit),
    Transfers(Transfers),
    Decode(Decode),
    VerifyBlock(Box<VerifyBlock>),
    Emission(Emission),
}

/// Which block an answer is for.
#[derive(Debug, Clone, Copy, Args)]
pub struct AtHeight {
    /// As it was after this block [default: the last one].
    #[arg(long, value_name = "HEIGHT")]
    pub height: Option<u32>,
}

/// Show what an address has, or its transactions, or its unspent outputs.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl chain address t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6
  fluxctl chain address t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6 --transactions --limit 20
  fluxctl chain address t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6 --unspent -o json")]
pub struct Address {
    /// An address, or an output script in hexadecimal for an owner that has none.
    pub address: String,
    /// List its transactions, newest first.
    #[arg(long, conflicts_with = "unspent")]
    pub transactions: bool,
    /// List its outputs that can still be spent, oldest first.
    #[arg(long)]
    pub unspent: bool,
    #[command(flatten)]
    pub limit: Limit,
}

/// Show whom the next blocks pay.
///
/// The first block is certain; the others hold as long as no node of the tier joins or leaves.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl chain next-payees
  fluxctl chain next-payees --tier stratus --blocks 100 -o json")]
pub struct NextPayees {
    /// Blocks to look ahead.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=720), value_name = "N")]
    pub blocks: u32,
    /// Only this tier.
    #[arg(long, value_enum)]
    pub tier: Option<TierArg>,
    #[command(flatten)]
    pub at: AtHeight,
}

/// Show the payments for a message, the payment a transaction makes, or the payments that name no message.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl chain payments 6b1f2c…e0
  fluxctl chain payments --tx TXID
  fluxctl chain payments --unmatched              money that waits for a person")]
pub struct Payments {
    /// Message hash, 64 hexadecimal digits.
    #[arg(required_unless_present_any = ["tx", "unmatched"], conflicts_with_all = ["tx", "unmatched"])]
    pub hash: Option<MessageHash>,
    /// The payment that this transaction makes, whatever it says and wherever it is.
    #[arg(long, value_name = "TXID", conflicts_with = "unmatched")]
    pub tx: Option<String>,
    /// Payments without a usable message, oldest first.
    #[arg(long)]
    pub unmatched: bool,
    #[command(flatten)]
    pub limit: Limit,
}

/// List transfers of FLUX's tokens on other chains, newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl chain transfers --asset ethereum --limit 20
  fluxctl chain transfers --address 0x720CD16b011b987Da3518fbf38c3071d4F0D1495")]
pub struct Transfers {
    /// Only this asset; `fluxctl chain assets` lists them.
    #[arg(long, value_name = "NAME")]
    pub asset: Option<String>,
    /// Only transfers from or to this address.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    #[command(flatten)]
    pub limit: Limit,
}

/// The class of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TierArg {
    Cumulus,
    Nimbus,
    Stratus,
}

impl From<TierArg> for Tier {
    fn from(tier: TierArg) -> Self {
        match tier {
            TierArg::Cumulus => Self::Cumulus,
            TierArg::Nimbus => Self::Nimbus,
            TierArg::Stratus => Self::Stratus,
        }
    }
}

/// One of the lists a fluxnode is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    Started,
    Dos,
    Confirmed,
}

impl From<StatusArg> for FluxnodeStatus {
    fn from(status: StatusArg) -> Self {
        match status {
            StatusArg::Started => Self::Started,
            StatusArg::Dos => Self::Dos,
            StatusArg::Confirmed => Self::Confirmed,
        }
    }
}

/// List the fluxnodes in payment order, now or after an earlier block, or find some.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl chain nodes --tier stratus --limit 10
  fluxctl chain nodes --height 2996914 --status started
  fluxctl chain nodes --collateral TXID:0
  fluxctl chain nodes --ip 203.0.113.9:16127
  fluxctl chain nodes --payment-address t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6 -o json")]
pub struct Nodes {
    /// Only this tier.
    #[arg(long, value_enum, conflicts_with = "known")]
    pub tier: Option<TierArg>,
    /// Only this list; without it the confirmed nodes, with a height all of them.
    #[arg(long, value_enum, conflicts_with = "known")]
    pub status: Option<StatusArg>,
    /// The lists after this block instead of the last one.
    #[arg(long, value_name = "HEIGHT", conflicts_with = "known")]
    pub height: Option<u32>,
    /// The node with this collateral.
    #[arg(long, value_name = "TXID:VOUT", group = "known")]
    pub collateral: Option<OutPoint>,
    /// Nodes at this address: a host finds all of the host, host and port one.
    #[arg(long, value_name = "HOST[:PORT]", group = "known")]
    pub ip: Option<String>,
    /// Nodes with this key, hexadecimal.
    #[arg(long, value_name = "KEY", group = "known")]
    pub key: Option<String>,
    /// Nodes whose rewards go to this address.
    #[arg(long, value_name = "ADDRESS", group = "known")]
    pub payment_address: Option<String>,
    #[command(flatten)]
    pub limit: Limit,
}

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Network {
    Main,
    Test,
    Regtest,
}

impl Network {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Test => "test",
            Self::Regtest => "regtest",
        }
    }
}

/// Decode transactions, blocks and headers, offline, in fluxd's naming.
///
/// With --batch, each line of the input is a case, {"tx": HEX}, {"block": HEX} or {"header": HEX}, with "network" if it is
/// not main; each line of the output is its result, in order. A bad line gives {"error": …} and the batch goes on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl chain decode --tx 0400008085202f89…
  fluxctl chain decode --block 64000000… -o json
  fluxctl chain decode --batch < lines.ndjson > decoded.ndjson
  fluxctl chain decode --batch -f lines.ndjson")]
pub struct Decode {
    /// A transaction, hexadecimal.
    #[arg(long, value_name = "HEX", required_unless_present_any = ["block", "header", "batch"],
        conflicts_with_all = ["block", "header", "batch"])]
    pub tx: Option<String>,
    /// A block, hexadecimal.
    #[arg(long, value_name = "HEX", conflicts_with_all = ["header", "batch"])]
    pub block: Option<String>,
    /// A block header, hexadecimal.
    #[arg(long, value_name = "HEX", conflicts_with = "batch")]
    pub header: Option<String>,
    /// The network, which decides how addresses look.
    #[arg(long, value_enum, default_value = "main", conflicts_with = "batch")]
    pub network: Network,
    #[command(flatten)]
    pub batch: Batch,
}

/// One JSON case per line in, one JSON result per line out.
#[derive(Debug, Clone, Args)]
pub struct Batch {
    /// Read one JSON case per line, write one JSON result per line, in order.
    #[arg(long)]
    pub batch: bool,
    /// File with the input; `-` or nothing for stdin.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Threads of a batch [default: one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), requires = "batch")]
    pub threads: Option<u16>,
}

/// Show supply and emission by calendar year, computed from the rules of the chain, offline.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl chain emission --from 2025 --to 2040
  fluxctl chain emission --from 2025 --to 2040 --below 1.0        the first year with less than 1 % inflation
  fluxctl chain emission --spacing 30.0763 -o json                 with the block time that is observed")]
pub struct Emission {
    /// First year.
    #[arg(long, default_value_t = 2025, value_parser = clap::value_parser!(i32).range(2018..=2400), value_name = "YEAR")]
    pub from: i32,
    /// Last year.
    #[arg(long, default_value_t = 2040, value_parser = clap::value_parser!(i32).range(2018..=2400), value_name = "YEAR")]
    pub to: i32,
    /// Also name the first year whose inflation is below this many percent.
    #[arg(long, value_name = "PERCENT", value_parser = value::percent)]
    pub below: Option<u64>,
    /// Seconds between blocks from now on.
    #[arg(long, default_value = "30", value_parser = spacing, value_name = "SECONDS")]
    pub spacing: std::time::Duration,
}

/// Seconds with up to six decimals.
fn spacing(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("`{text}` is no block time; write seconds such as 30 or 30.0763");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return Err(wrong());
    }
    let micros: u64 = format!("{whole}{fraction:0<6}")
        .parse()
        .map_err(|_| wrong())?;
    if micros == 0 {
        return Err(wrong());
    }
    Ok(std::time::Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_time_has_up_to_six_decimals() {
        let micros = |text: &str| spacing(text).map(|spacing| spacing.as_micros());
        assert_eq!(micros("30"), Ok(30_000_000));
        assert_eq!(micros("30.0763"), Ok(30_076_300));
        for wrong in [
            "",
            ".",
            "0",
            "-1",
            "30.0000001",
            "1e3",
            "99999999999999999999",
        ] {
            assert!(spacing(wrong).is_err(), "{wrong}");
        }
    }
}
