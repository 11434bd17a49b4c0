//! Running `fluxctl` where people watch: the command line first, then what it prints as it prints it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use super::super::{ctl::Ctl, report::Report};

/// Exit code of `fluxctl` that means: try again.
const UNAVAILABLE: i32 = 6;

/// How long a plane may be unavailable; a killed service is back in seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// Somebody's terminal.
#[derive(Clone, Copy)]
pub(super) struct Shell<'a> {
    pub(super) ctl: &'a Ctl,
    pub(super) report: &'a dyn Report,
}

impl Shell<'_> {
    /// Runs a command to its success.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<()> {
        self.read(arguments).map(drop)
    }

    /// The same. Returns what it printed.
    pub(super) fn read(&self, arguments: &[&str]) -> Result<String> {
        self.report.command(&typed(arguments));
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.ctl.go_on()?;
            let (code, printed, complaint) = self.once(arguments)?;
            match code {
                Some(0) => return Ok(printed),
                Some(UNAVAILABLE) if Instant::now() < deadline => {
                    self.report.text(&format!("{complaint}\n(again)"));
                    std::thread::sleep(Duration::from_millis(500));
                }
                _ => anyhow::bail!("{} failed: {complaint}", typed(arguments)),
            }
        }
    }

    fn once(&self, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
        let mut child = self
            .ctl
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("start fluxctl")?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let complaints = std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut stderr) = stderr {
                // What cannot be read is no complaint.
                stderr.read_to_string(&mut text).ok();
            }
            text
        });
        let mut printed = String::new();
        for line in BufReader::new(stdout.context("no output")?).lines() {
            let line = line?;
            self.report.text(&line);
            printed.push_str(&line);
            printed.push('\n');
        }
        let status = child.wait()?;
        let complaint = complaints.join().unwrap_or_default();
        Ok((status.code(), printed, complaint.trim().to_owned()))
    }
}

/// A command line with the folder of the plane left out of file names.
fn typed(arguments: &[&str]) -> String {
    let short = arguments.iter().map(|word| {
        let name = word
            .strip_prefix('/')
            .and_then(|path| path.rsplit('/').next());
        name.unwrap_or(word)
    });
    let words: Vec<&str> = std::iter::once("fluxctl").chain(short).collect();
    words.join(" ")
}
