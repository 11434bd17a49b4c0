//! Running other programs, and saying what went wrong with which.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
};

use anyhow::{Context as _, Result};

/// A command without the variables that `cargo xtask` sets for us. A cargo that inherits them builds `ring`, whose build
/// script watches them, and all that needs it anew each time.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs `command` to its end.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.status().with_context(|| format!("run {program}"))
}

/// Runs `command` and fails when it fails.
pub(crate) fn must_run(command: &mut Command) -> Result<()> {
    let status = run(command)?;
    let program = command.get_program().to_string_lossy().into_owned();
    anyhow::ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

/// A child's end as our own.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

/// A TCP port of the loopback interface that is free now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR");
    chosen.map_or_else(|| root.join("target"), |dir| root.join(dir))
}
