//! The program `simulation`; see [`fluxplane_simulation::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_simulation::cli::main()
}
