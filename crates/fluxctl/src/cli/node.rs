//! Machines of operators.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::Limit;
use crate::api::{OutPoint, nodes::NodeState};

/// Machines of operators: list them, join one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl node list --mine
  fluxctl node token --collateral TXID:0
  fluxctl node join --collateral TXID:0 --node-key-file node.wif --ip 203.0.113.9 --place EU_DE_Bavaria")]
pub struct Node {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    List(List),
    /// Show a node.
    #[command(after_help = "Examples:\n  fluxctl node show 0198c0de-7e57-7000-8000-000000000001")]
    Show {
        /// Id of the node.
        id: Uuid,
    },
    Token(Token),
    Join(Box<Join>),
}

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    Joined,
    Ready,
    Suspect,
    Lost,
    Ineligible,
    Retired,
}

impl From<State> for NodeState {
    fn from(state: State) -> Self {
        match state {
            State::Joined => Self::Joined,
            State::Ready => Self::Ready,
            State::Suspect => Self::Suspect,
            State::Lost => Self::Lost,
            State::Ineligible => Self::Ineligible,
            State::Retired => Self::Retired,
        }
    }
}

/// List nodes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl node list
  fluxctl node list --mine --state lost
  fluxctl node list --operator 1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd")]
pub struct List {
    /// Only nodes of this wallet address.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "mine")]
    pub operator: Option<String>,
    /// Only your nodes.
    #[arg(long)]
    pub mine: bool,
    /// Only nodes in this state.
    #[arg(long, value_enum)]
    pub state: Option<State>,
    #[command(flatten)]
    pub limit: Limit,
}

/// Get permission to join one machine.
///
/// The token is bound to you as operator and to the collateral, works once, and lives at most an hour.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl node token --collateral TXID:0
  fluxctl node token --collateral TXID:0 --ttl 600 --token-file token --authority-file ca.pem")]
pub struct Token {
    /// Collateral of the node's start transaction.
    #[arg(long, value_name = "TXID:VOUT")]
    pub collateral: OutPoint,
    /// Life of the token in seconds [default: 3600].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(60..=3_600))]
    pub ttl: Option<u32>,
    /// Also write the token to this file, readable by you alone.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Also write the certificate of the plane's authority to this file, which the agent needs.
    #[arg(long, value_name = "FILE")]
    pub authority_file: Option<PathBuf>,
}

/// Join this machine: get a token and run the agent's `join`, or print the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl node join --collateral TXID:0 --node-key-file node.wif --ip 203.0.113.9 --static-ip --place EU_DE_Bavaria
  fluxctl node join --collateral TXID:0 --node-key-file node.wif --ip 203.0.113.9 --place NA_US --print")]
pub struct Join {
    /// Collateral of the node's start transaction.
    #[arg(long, value_name = "TXID:VOUT")]
    pub collateral: OutPoint,
    /// File with the node key of the start transaction, fluxd's `zelnodeprivkey`.
    #[arg(long, value_name = "FILE")]
    pub node_key_file: PathBuf,
    /// Address at which instances are reached; the one of the confirm transaction.
    #[arg(long)]
    pub ip: IpAddr,
    /// The address does not change.
    #[arg(long)]
    pub static_ip: bool,
    /// Where the machine stands, as FluxOS writes it.
    #[arg(long, value_name = "EU_DE_Bavaria")]
    pub place: String,
    /// Folder in which the agent keeps its identity [default: the agent's].
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The agent's program.
    #[arg(long, default_value = "node-agent", value_name = "PROGRAM")]
    pub agent: PathBuf,
    /// Folder for token and authority [default: the current folder].
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub files: PathBuf,
    /// Print the command instead of running it.
    #[arg(long)]
    pub print: bool,
    /// Further arguments for the agent's `join`, after `--`.
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub more: Vec<String>,
}
