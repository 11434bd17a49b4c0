//! The program `devnet`: serves a chain, or calls one that is served.

mod duration;
mod run;
mod verbs;

use std::{
    io::{IsTerminal as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::options::{DEFAULT_PASSWORD, DEFAULT_RPC_PORT, DEFAULT_USER, DEFAULT_ZMQ_PORT};
use duration::parse_duration;

/// A development chain: real Flux blocks, transactions and fluxnodes behind fluxd's JSON-RPC and ZMQ.
///
/// `devnet run` serves a chain; everything else calls a chain that is served. Every method of fluxd's JSON-RPC can be called with
/// `devnet call METHOD PARAM...`. A development chain has no secrets: keys and passwords are shown.
#[derive(Debug, Parser)]
#[command(name = "devnet", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// What is logged to stderr, such as `info` or `fluxplane_devnet=debug`
    #[arg(long, global = true, default_value = "info", env = "DEVNET_LOG")]
    log: String,
}

const EXAMPLES: &str = "\
Examples:
  devnet run                                      a chain in memory, a block a second
  devnet run --data ~/chain --block-interval 0    kept on disk, blocks on demand
  devnet accounts                                 keys with coins
  devnet faucet tmFNNHr1AAnTWzh9TFcPCxGVH3EFpsBZtQo 12.5
  devnet addnode --tier cumulus --ip 127.0.0.1:16127 --fast
  devnet reorg 3                                  replace the last three blocks
  devnet call getblock 100 2                      any method of fluxd
  devnet replay fluxd-regtest-nodes.json --interval 0";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve a chain that grows
    Run(RunArgs),
    /// Serve a recorded chain, block by block
    Replay(ReplayArgs),
    /// Make blocks now
    Generate {
        #[command(flatten)]
        server: ServerArgs,
        /// How many
        #[arg(default_value_t = 1)]
        blocks: u32,
    },
    /// Send coins to an address; the next block holds the payment
    Faucet {
        #[command(flatten)]
        server: ServerArgs,
        address: String,
        /// FLUX, with up to eight decimals
        amount: String,
    },
    /// Replace the last blocks by a longer branch; their transactions wait again
    Reorg {
        #[command(flatten)]
        server: ServerArgs,
        /// How many blocks, 1 to 39
        depth: u32,
        /// Length of the new branch; one more than DEPTH by default
        #[arg(long)]
        blocks: Option<u32>,
    },
    /// Write the chain to a file of the server
    Snapshot {
        #[command(flatten)]
        server: ServerArgs,
        file: Option<PathBuf>,
    },
    /// Go back to what a snapshot holds
    Restore {
        #[command(flatten)]
        server: ServerArgs,
        file: PathBuf,
    },
    /// Add a fluxnode that is started, confirmed and kept confirmed
    #[command(name = "addnode")]
    AddNode(AddNodeArgs),
    /// Spend a node's collateral, which ends it
    #[command(name = "removenode")]
    RemoveNode(NodeArgs),
    /// Stop confirming a node, so that it expires
    #[command(name = "stopnode")]
    StopNode(NodeArgs),
    /// Resume confirming a node
    #[command(name = "startnode")]
    StartNode(NodeArgs),
    /// Give a node another address
    #[command(name = "setnodeip")]
    SetNodeIp {
        #[command(flatten)]
        node: NodeArgs,
        /// host or host:port
        ip: String,
    },
    /// List the nodes of this wallet, with their keys
    Nodes(ServerArgs),
    /// List the developer's keys, addresses and balances
    Accounts(ServerArgs),
    /// Show what a follower of this chain must configure
    Params(ServerArgs),
    /// Set the time between blocks; 0 makes them on demand only
    #[command(name = "setinterval")]
    SetInterval {
        #[command(flatten)]
        server: ServerArgs,
        /// Such as 1s, 500ms or 0
        #[arg(value_parser = parse_duration)]
        interval: Duration,
    },
    /// Turn making blocks by the clock on or off
    Mine {
        #[command(flatten)]
        server: ServerArgs,
        state: Switch,
    },
    /// Show the next blocks of a recording
    Step {
        #[command(flatten)]
        server: ServerArgs,
        #[arg(default_value_t = 1)]
        blocks: u32,
    },
    /// Show how far the chain is
    Height(ServerArgs),
    /// Call any JSON-RPC method
    Call {
        #[command(flatten)]
        server: ServerArgs,
        method: String,
        /// Each is taken as JSON where it is JSON, else as text; heights of getblock are made texts
        params: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Args)]
struct ListenArgs {
    /// Address of the JSON-RPC server; port 0 takes a free one
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], DEFAULT_RPC_PORT)))]
    rpc_bind: SocketAddr,
    /// Address ZMQ subscribers connect to; port 0 takes a free one
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], DEFAULT_ZMQ_PORT)))]
    zmq_bind: SocketAddr,
    /// Publish nothing
    #[arg(long)]
    no_zmq: bool,
    #[arg(long, default_value = DEFAULT_USER, env = "DEVNET_RPC_USER")]
    rpc_user: String,
    #[arg(long, default_value = DEFAULT_PASSWORD, env = "DEVNET_RPC_PASSWORD")]
    rpc_password: String,
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    listen: ListenArgs,
    /// Keep the chain in a folder, which is made if it is not there; in memory by default
    #[arg(long, env = "DEVNET_DATA")]
    data: Option<PathBuf>,
    /// Time between blocks, such as 1s or 500ms; 0 makes them on demand only
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    block_interval: Duration,
    #[command(flatten)]
    rules: RuleArgs,
}

/// How a new chain is begun. A chain that exists keeps its own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules of a new chain")]
struct RuleArgs {
    /// Seed of the developer's keys
    #[arg(long)]
    seed: Option<String>,
    /// Blocks between cuts of the subsidy by a tenth
    #[arg(long)]
    reduction_interval: Option<u32>,
    /// How many cuts there are
    #[arg(long)]
    max_reductions: Option<u32>,
    /// Seconds between blocks the difficulty aims at
    #[arg(long)]
    spacing: Option<u32>,
    /// First height whose coinbase pays the nodes
    #[arg(long)]
    payments_from: Option<u32>,
    /// Depth collateral needs before its node can start
    #[arg(long)]
    collateral_depth: Option<u32>,
    /// Blocks after which an unconfirmed start becomes a DoS entry
    #[arg(long)]
    start_expires_after: Option<u32>,
    /// Blocks after its start at which a node leaves the DoS list
    #[arg(long)]
    dos_leaves_after: Option<u32>,
    /// Blocks a confirm lasts
    #[arg(long)]
    confirm_expires_after: Option<u32>,
    /// Blocks that must lie between two confirms
    #[arg(long)]
    update_distance: Option<u32>,
}

#[derive(Debug, Args)]
struct ReplayArgs {
    #[command(flatten)]
    listen: ListenArgs,
    /// JSON with a list `blocks` of raw blocks in hexadecimal
    file: PathBuf,
    /// Time between blocks; 0 shows them on demand only (`devnet step`)
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    interval: Duration,
    /// Show nothing beyond this height
    #[arg(long)]
    until: Option<u32>,
}

#[derive(Debug, Args)]
struct ServerArgs {
    /// Server to call
    #[arg(long = "rpc-url", default_value_t = format!("http://127.0.0.1:{DEFAULT_RPC_PORT}"), env = "DEVNET_RPC_URL")]
    url: String,
    #[arg(long = "rpc-user", default_value = DEFAULT_USER, env = "DEVNET_RPC_USER")]
    user: String,
    #[arg(long = "rpc-password", default_value = DEFAULT_PASSWORD, env = "DEVNET_RPC_PASSWORD")]
    password: String,
}

#[derive(Debug, Args)]
struct AddNodeArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// cumulus, nimbus or stratus
    #[arg(long)]
    tier: String,
    /// What the node tells the chain: host or host:port
    #[arg(long)]
    ip: String,
    /// Owner of the collateral (WIF); a key of the wallet by default
    #[arg(long)]
    collateral_key: Option<String>,
    /// Key of the machine (WIF); a key of the wallet by default
    #[arg(long)]
    node_key: Option<String>,
    /// Make the blocks this takes, and return when the node is confirmed
    #[arg(long)]
    fast: bool,
}

#[derive(Debug, Args)]
struct NodeArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Outpoint of the collateral: txid:n
    collateral: String,
}

/// Runs the program.
pub fn main() -> ExitCode {
    match work(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without stderr there is nobody left to tell.
            drop(writeln!(std::io::stderr(), "devnet: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn work(cli: Cli) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&cli.log).with_context(|| format!("--log `{}`", cli.log))?;
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match cli.verb {
            Verb::Run(args) => run::run(args).await,
            Verb::Replay(args) => run::replay(args).await,
            verb => verbs::call(verb).await,
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
