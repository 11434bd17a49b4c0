//! The program `devnet`; see [`fluxplane_devnet::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxplane_devnet::cli::main()
}
