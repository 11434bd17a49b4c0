//! The node registry's process.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_platform::runner::main(
        fluxplane_node_registry::SERVICE,
        fluxplane_node_registry::service::start,
    )
}
