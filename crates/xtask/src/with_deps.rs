//! Runs the test suite beside a private Postgres.

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, Result};
use fluxplane_testkit::{
    Postgres,
    postgres::TEST_DATABASE_URL,
    skip::{self, SKIPPED_FILE},
};

use crate::{output::say_aside, process};

pub(crate) fn run(root: &Path, command: &[String]) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    let postgres = runtime.block_on(Postgres::start(process::free_port()?))?;
    let (program, args) = command.split_first().context("no command")?;
    let mut child = process::command(program);
    let skipped = tempfile::NamedTempFile::new()?;
    child
        .current_dir(root)
        .env(SKIPPED_FILE, skipped.path())
        .args(args)
        .env(TEST_DATABASE_URL, postgres.url());
    let status = process::run(&mut child)?;
    for (why, times) in skip::count(skipped.path()) {
        say_aside(&format!("SKIPPED {times} times: {why}"));
    }
    Ok(process::exit_code(status))
}
