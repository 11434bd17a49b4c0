//! The gateway's process.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_platform::runner::main(
        fluxplane_gateway::SERVICE,
        fluxplane_gateway::service::start,
    )
}
