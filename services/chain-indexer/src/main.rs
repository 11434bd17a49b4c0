//! The chain indexer's process.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_platform::runner::main(
        fluxplane_chain_indexer::SERVICE,
        fluxplane_chain_indexer::service::start,
    )
}
