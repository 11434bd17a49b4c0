//! Runs the test suite beside a private Postgres.

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, Result};
use fluxplane_testkit::{Postgres, postgres::TEST_DATABASE_URL};

use crate::process;

pub(crate) fn run(root: &Path, command: &[String]) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    let postgres = runtime.block_on(Postgres::start(process::free_port()?))?;
    let (program, args) = command.split_first().context("no command")?;
    let mut child = process::command(program);
    child
        .current_dir(root)
        .args(args)
        .env(TEST_DATABASE_URL, postgres.url());
    let status = process::run(&mut child)?;
    Ok(process::exit_code(status))
}
