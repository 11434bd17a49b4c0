//! The agent's process.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_node_agent::cli::main()
}
