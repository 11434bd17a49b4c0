//! Billing's process.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_platform::runner::main(
        fluxplane_billing::SERVICE,
        fluxplane_billing::service::start,
    )
}
