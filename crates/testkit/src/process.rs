//! Child processes that do not outlive us.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// A program that gets `signal` when we end, however that happens, and that Ctrl-C in our terminal does not reach.
///
/// The kernel watches the thread that spawns it: spawn from a thread that lives as long as the child shall.
pub(crate) fn tied(program: impl AsRef<OsStr>, signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", signal, "--"])
        .arg(program)
        .process_group(0);
    command
}

/// Sends a signal, without the program `kill`, which small systems lack.
pub fn signal(pid: u32, signal: Signal) -> Result<()> {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let process = process.with_context(|| format!("{pid} is no process"))?;
    kill_process(process, signal).with_context(|| format!("send {signal:?} to process {pid}"))
}

/// Whether this process may do everything.
pub(crate) fn as_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether this process may have a mount namespace of its own.
pub(crate) fn may_unshare() -> bool {
    Command::new("unshare")
        .args(["--mount", "--propagation", "private", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether a program can be started at all.
pub(crate) fn exists(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// Runs to the end. Returns what it printed; an error holds what it complained about.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {}", Path::new(&name).display()))?;
    succeeded(command, &output)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn succeeded(command: &Command, output: &Output) -> Result<()> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    anyhow::ensure!(
        output.status.success(),
        "{} {} failed with {}: {}",
        command.get_program().display(),
        words.join(" "),
        output.status,
        stderr.trim()
    );
    Ok(())
}
