//! Checks and chores of the workspace. `cargo xtask --help` lists them; the Makefile calls them.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

mod bench;
mod database;
mod layers;
mod openapi;
mod output;
mod process;
mod proto_check;
mod run;
mod sizes;
mod sqlx_prepare;
mod with_deps;

#[derive(Parser)]
#[command(about = "Checks and chores of the Fluxplane workspace.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the direction of dependencies between layers and crates.
    Layers,
    /// Check that no source file is longer than 800 lines.
    Sizes,
    /// Check that the .proto files stay readable for the last release.
    ProtoCheck {
        /// Take the present state as the new baseline, at a release.
        #[arg(long)]
        accept: bool,
    },
    /// Refresh the gateway's OpenAPI document, or check that it is fresh.
    Openapi {
        /// Compare instead of writing.
        #[arg(long)]
        check: bool,
    },
    /// Refresh .sqlx from the migrations, or check that it is fresh.
    SqlxPrepare {
        /// Compare instead of writing.
        #[arg(long)]
        check: bool,
    },
    /// Run the whole plane on this machine, with a demonstration.
    ///
    /// State is kept in `.plane`: a second run goes on where the first ended. Ctrl-C stops everything that was started.
    Run(run::Run),
    /// Print the numbers of docs/BENCHMARKS.md, measured here, from an optimised build.
    Bench(bench::Bench),
    /// Forget everything `run` kept.
    CleanState,
    /// Run a command with a private Postgres for tests; it ends with the command.
    WithDeps {
        #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
}

fn main() -> ExitCode {
    let root = workspace_root();
    let result = match Cli::parse().command {
        Command::Layers => layers::check(&root),
        Command::Sizes => sizes::check(&root),
        Command::ProtoCheck { accept } => proto_check::run(&root, accept),
        Command::Openapi { check } => openapi::run(&root, check),
        Command::SqlxPrepare { check } => sqlx_prepare::run(&root, check),
        Command::Run(arguments) => run::run(&root, &arguments),
        Command::Bench(arguments) => bench::run(&root, &arguments),
        Command::CleanState => run::clean_state(&root),
        Command::WithDeps { command } => with_deps::run(&root, &command),
    };
    match result {
        Ok(code) => code,
        Err(err) => {
            output::say_aside(&format!("xtask: {err:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace's manifest.
fn workspace_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}
