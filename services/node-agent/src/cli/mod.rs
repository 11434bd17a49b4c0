//! The command line.

mod benchmark;
mod console;
mod join;
mod status;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use fluxplane_platform::{runner, tls};

use crate::{config::Config, service};

/// Runs applications of Fluxplane on an operator's machine.
#[derive(Debug, Parser)]
#[command(name = "node-agent", version)]
struct Cli {
    /// Configuration file; keys not in it keep their defaults, and the environment overrides both.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder, instead of the configured one.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure this machine and make it a node of an operator.
    Join(Box<join::Arguments>),
    /// Serve until SIGTERM or SIGINT. What runs goes on running when the agent stops.
    Run,
    /// Measure this machine and change nothing.
    Benchmark(benchmark::Arguments),
    /// Show who this node is and what it runs.
    Status(status::Arguments),
    /// Print the configuration in effect, then exit. Fails when it is not valid.
    CheckConfig,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

/// Runs the agent. Everything the process does begins here.
pub fn main() -> ExitCode {
    tls::install_crypto_provider();
    dispatch(Cli::parse()).unwrap_or_else(|err| {
        console::complain(&err);
        ExitCode::FAILURE
    })
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut config: Config = runner::load(service::SERVICE, cli.config)?;
    if let Some(data_dir) = cli.data_dir {
        config.data_dir = data_dir;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Join(arguments) => Box::pin(join::run(config, *arguments)).await,
            Command::Run => Box::pin(runner::run(service::SERVICE, config, service::start)).await,
            Command::Benchmark(arguments) => benchmark::run(config, arguments).await,
            Command::Status(arguments) => status::run(&config, &arguments),
            Command::CheckConfig => runner::print_config(&config),
        }
    })
}
