//! Checking a block.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fluxplane_flux_chain::PublicKey;

use super::rpc::Rpc;

/// A network, development chains included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChainName {
    Main,
    Test,
    Regtest,
    Devnet,
}

/// Check a block from its bytes, believing nobody.
///
/// Hash, merkle root, lot and difficulty of Proof of Node, signatures of the producer, of inputs and of fluxnodes, and the
/// split of the coinbase are computed here. The bytes come from a chain node or a file. What else must be known, such as
/// outputs that are spent, is asked of the chain node, and with --plane of the plane; what nobody knows is reported as not
/// checked. The exit code is 1 when a check fails.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl chain verify-block 2996914 --rpc-url http://127.0.0.1:16124
  fluxctl chain verify-block 2996914 --rpc-url http://127.0.0.1:16124 --plane -o json
  fluxctl chain verify-block --file block.hex                          offline
  curl -s https://example.org/block | fluxctl chain verify-block --file - --complete")]
pub struct VerifyBlock {
    /// Which block it must be: a height, or a hash of 64 hexadecimal digits.
    #[arg(value_name = "HEIGHT|HASH", required_unless_present = "file")]
    pub key: Option<String>,
    /// File with the block, hexadecimal or as bytes; `-` reads the input.
    #[arg(short = 'f', long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Ask the plane for keys, outputs and whose turn it was.
    #[arg(long)]
    pub plane: bool,
    /// Key of the node that produced the block, hexadecimal.
    #[arg(long, value_name = "KEY")]
    pub node_key: Option<PublicKey>,
    /// The network [default: that of the chain node or the plane, else main].
    #[arg(long, value_enum)]
    pub network: Option<ChainName>,
    /// Fail also when something could not be checked.
    #[arg(long)]
    pub complete: bool,
    #[command(flatten)]
    pub rpc: Rpc,
}
