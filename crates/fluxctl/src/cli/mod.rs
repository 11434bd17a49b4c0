//! The arguments. Every level explains itself with examples.

pub mod admin;
pub mod app;
pub mod billing;
pub mod block;
pub mod chain;
pub mod node;
pub mod rpc;
pub mod secret;
pub mod session;
pub mod spec;
pub mod value;
pub mod wallet;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use reqwest::Url;

use crate::{config::ProfileName, exit, render::Format};

/// Examples of the top level, and what scripts need to know.
const EXAMPLES: &str = "\
Examples:
  fluxctl wallet new --key-file wallet.wif          a key: your id, and an address for coins
  fluxctl login --key-file wallet.wif               sign in with it
  fluxctl spec init --template web --name shop --owner 1… > shop.yaml
  fluxctl quote -f shop.yaml                        what it costs
  fluxctl deploy -f shop.yaml --key-file wallet.wif --watch
  fluxctl logs shop -f                              what all its copies write
  fluxctl invoice verify ID --rpc-url http://127.0.0.1:16124

Everything takes `--output json`; results go to stdout, everything else to stderr.";

/// The command line of Fluxplane, the control plane of a decentralised cloud.
///
/// Customers deploy and watch applications, operators join machines and read what they earned, administrators look after
/// the plane, and anyone checks specifications, prices, chain data and bills offline.
#[derive(Debug, Parser)]
#[command(name = "fluxctl", version, after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every verb takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Address of the plane's API [default: that of the profile, or port 7000 of this machine].
    #[arg(long, global = true, env = "FLUXCTL_SERVER", hide_env_values = true, value_name = "URL",
        value_parser = value::server)]
    pub server: Option<Url>,
    /// Which plane and session to use [default: the one signed in to last].
    #[arg(
        long,
        global = true,
        env = "FLUXCTL_PROFILE",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub profile: Option<ProfileName>,
    /// An authority to trust besides the system's, PEM.
    #[arg(
        long,
        global = true,
        env = "FLUXCTL_CA_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub ca_file: Option<PathBuf>,
    /// How results are printed.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub output: Format,
    /// Show progress on stderr although it is no terminal.
    #[arg(long, global = true)]
    pub progress: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Login(session::Login),
    Logout(session::Logout),
    Whoami(session::Whoami),
    Wallet(wallet::Wallet),
    Quote(app::Quote),
    Rate(app::Rate),
    Deploy(Box<app::Deploy>),
    Update(Box<app::Update>),
    Scale(Box<app::Scale>),
    Cancel(app::Cancel),
    Apps(app::Apps),
    Instances(app::Instances),
    Events(app::Events),
    Logs(app::Logs),
    Explain(app::Explain),
    Secret(secret::Secret),
    Account(billing::Account),
    Invoice(billing::Invoice),
    Epoch(billing::Epoch),
    Earnings(billing::Earnings),
    Node(node::Node),
    Chain(chain::Chain),
    Spec(spec::Spec),
    Admin(admin::Admin),
    Completions(Completions),
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl completions bash > /etc/bash_completion.d/fluxctl
  fluxctl completions zsh > \"${fpath[1]}/_fluxctl\"
  fluxctl completions fish > ~/.config/fish/completions/fluxctl.fish")]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// How much of a list is wanted.
#[derive(Debug, Clone, Copy, Args)]
pub struct Limit {
    /// Most entries shown.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub limit: u32,
}
