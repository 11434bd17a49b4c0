//! The validator's process.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_platform::runner::main(
        fluxplane_validator::SERVICE,
        fluxplane_validator::service::start,
    )
}
