//! The scheduler's process.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_platform::runner::main(
        fluxplane_scheduler::SERVICE,
        fluxplane_scheduler::service::start,
    )
}
