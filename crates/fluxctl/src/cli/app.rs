//! Applications.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use uuid::Uuid;

use super::{
    Limit,
    rpc::Rpc,
    value::{AppName, Target},
};
use crate::{api::Funding, render::time::parse_span};

/// Ask what an application costs.
///
/// The price is firm until the quote expires.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl quote -f shop.yaml
  fluxctl quote -f shop.yaml --update-of shop
  fluxctl quote -f shop.yaml -o json | jq -r .quote_id")]
pub struct Quote {
    /// Native specification, YAML or JSON, or one of FluxOS, JSON; `-` reads it from the input.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: PathBuf,
    /// The running application that it shall replace; the unused part of its term is credited.
    #[arg(long, value_name = "NAME")]
    pub update_of: Option<AppName>,
}

/// Show what a FLUX is worth now, and who says so.
///
/// Quotes are pinned to this rate. Without one, no quotes are made.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl rate
  fluxctl rate -o json | jq -r .rate.price.amount")]
pub struct Rate {}

/// Where the money comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FundingArg {
    /// A payment on the chain.
    Chain,
    /// Your balance with the plane.
    Balance,
}

impl From<FundingArg> for Funding {
    fn from(funding: FundingArg) -> Self {
        match funding {
            FundingArg::Chain => Self::ChainPayment,
            FundingArg::Balance => Self::Balance,
        }
    }
}

/// How a submission is signed, paid and watched.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub struct Submit {
    /// Use this quote instead of asking for one.
    #[arg(long, value_name = "ID")]
    pub quote: Option<Uuid>,
    /// Key file of the owner; without it the text to sign is shown and the signature asked for.
    #[arg(long, value_name = "WIF_FILE", conflicts_with = "signature")]
    pub key_file: Option<PathBuf>,
    /// Signature of the text that --print-message showed.
    #[arg(long, requires = "timestamp", value_name = "SIGNATURE")]
    pub signature: Option<String>,
    /// The moment in that text, milliseconds since 1970. It counts for an hour.
    #[arg(long, value_name = "MS")]
    pub timestamp: Option<u64>,
    /// Print the text to sign and do nothing else.
    #[arg(long, conflicts_with_all = ["signature", "watch", "pay_with"])]
    pub print_message: bool,
    /// Where the money comes from.
    #[arg(long, value_enum, default_value = "chain")]
    pub funding: FundingArg,
    /// Pay at once from this key file, through the chain node of --rpc-url.
    #[arg(long, value_name = "WIF_FILE", requires = "rpc_url")]
    pub pay_with: Option<PathBuf>,
    /// Also spend coins of --pay-with that look like the collateral of a node.
    #[arg(long, requires = "pay_with")]
    pub spend_collateral: bool,
    /// Show each stage as it is reached, until the application runs or failed.
    #[arg(long)]
    pub watch: bool,
    /// Stop watching after this time; the rollout goes on.
    #[arg(long, value_name = "90s|10m|2h", value_parser = parse_span, requires = "watch")]
    pub timeout: Option<Duration>,
    /// Take the price without asking.
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub rpc: Rpc,
}

/// Register an application.
///
/// Asks for a price, shows it, signs the register message with the owner's key, submits it, and shows how to pay or pays.
/// With --watch, shows each stage with the time it took, and ends when all copies run, or with the true cause when they do
/// not.
///
/// A native specification (fluxplane/v1) is YAML or JSON: `fluxctl spec init --template web` prints one, with comments. It is
/// paid for its term, or pays as it goes: 30 days are held, and what is not used returns when you cancel.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl spec init --template web --name shop --key-file wallet.wif > shop.yaml
  fluxctl deploy -f shop.yaml --key-file wallet.wif --watch
  fluxctl deploy -f shop.yaml --key-file wallet.wif --funding balance --yes
  fluxctl deploy -f shop.yaml --key-file wallet.wif --yes --watch \\
      --pay-with wallet.wif --rpc-url http://127.0.0.1:16124
  fluxctl deploy -f shop.yaml --print-message -o json       sign elsewhere, then
  fluxctl deploy -f shop.yaml --timestamp MS --signature SIGNATURE")]
pub struct Deploy {
    /// Native specification, YAML or JSON, or one of FluxOS, JSON; `-` reads it from the input.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub submit: Submit,
}

/// Submit a new revision of an application.
///
/// It takes effect once its price, if any, is paid; until then the current revision runs on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl update -f shop.yaml --key-file wallet.wif --watch
  fluxctl update -f shop.yaml --key-file wallet.wif --funding balance --yes")]
pub struct Update {
    /// Native specification, YAML or JSON, or one of FluxOS, JSON; `-` reads it from the input. Its name says which application.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub submit: Submit,
}

/// Change the number of copies: an update with the current specification and another number.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl scale shop 5 --key-file wallet.wif --watch")]
pub struct Scale {
    /// Name of the application.
    pub name: AppName,
    /// Copies wanted.
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100))]
    pub instances: u32,
    #[command(flatten)]
    pub submit: Submit,
}

/// Stop an application for good. What was paid and not used returns to your balance.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl cancel shop
  fluxctl cancel shop --yes")]
pub struct Cancel {
    /// Name of the application.
    pub name: AppName,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
}

/// List your applications, or show one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl apps
  fluxctl apps shop
  fluxctl apps shop -o json | jq .current.spec")]
pub struct Apps {
    /// Name of the application.
    pub name: Option<AppName>,
    #[command(flatten)]
    pub limit: Limit,
}

/// List the copies of an application: where they are and how they are.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl instances shop
  fluxctl instances shop --all")]
pub struct Instances {
    /// Name of the application.
    pub name: AppName,
    /// Also those that stopped or were lost.
    #[arg(long)]
    pub all: bool,
}

/// Show what happened to an application.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl events shop
  fluxctl events shop -f")]
pub struct Events {
    /// Name of the application.
    pub name: AppName,
    /// Go on as things happen, until interrupted.
    #[arg(short, long)]
    pub follow: bool,
    /// Only what came after this entry.
    #[arg(long, default_value_t = 0, value_name = "SEQUENCE")]
    pub after: u64,
    #[command(flatten)]
    pub limit: Limit,
}

/// Show what an application writes, all its copies interleaved.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl logs shop
  fluxctl logs shop -f --tail 10
  fluxctl logs shop --component web --instance 0198c0de-7e57-7000-8000-000000000001")]
pub struct Logs {
    /// Name of the application.
    pub name: AppName,
    /// Go on as they write, also copies that are added, until interrupted.
    #[arg(short, long)]
    pub follow: bool,
    /// Only this copy; may be given several times.
    #[arg(long, value_name = "ID")]
    pub instance: Vec<Uuid>,
    /// Only this component.
    #[arg(long, value_name = "NAME")]
    pub component: Option<String>,
    /// Lines of the past, from each component of each copy.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=10_000), value_name = "N")]
    pub tail: u32,
}

/// Explain why copies are where they are, or why they wait.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fluxctl explain shop
  fluxctl explain 0198c0de-7e57-7000-8000-000000000001
  fluxctl explain shop -o json | jq '.items[].record'")]
pub struct Explain {
    /// An application, or one of its copies.
    #[arg(value_name = "NAME|INSTANCE")]
    pub target: Target,
}
