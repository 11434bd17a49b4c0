//! The gateway's OpenAPI document, as committed and as its code gives it.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};

use crate::process;

/// Where the document is committed.
const DOCUMENT: &str = "services/gateway/openapi.json";

pub(crate) fn run(root: &Path, check: bool) -> Result<ExitCode> {
    // Of the whole workspace, so that what the tests need too is built once and not again with other features.
    let mut cargo = process::command("cargo");
    cargo.current_dir(root).args([
        "build",
        "--quiet",
        "--locked",
        "--workspace",
        "--bins",
        "--tests",
        "--examples",
    ]);
    process::must_run(&mut cargo)?;
    let example = process::target_dir(root).join("debug/examples/openapi");
    let output = Command::new(example).output().context("run the example")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "the gateway's openapi example failed:\n{stderr}"
    );

    let file = root.join(DOCUMENT);
    if check {
        let committed = fs::read(&file).unwrap_or_default();
        anyhow::ensure!(
            committed == output.stdout,
            "{DOCUMENT} is not what the gateway's code gives; run `cargo xtask openapi`"
        );
    } else {
        fs::write(&file, &output.stdout)?;
    }
    Ok(ExitCode::SUCCESS)
}
