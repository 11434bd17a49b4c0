//! `fluxctl`. Everything is in the library, so that other tools can use it.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_fluxctl::cmd::main()
}
