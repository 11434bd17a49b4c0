//! The gateway's OpenAPI document, as committed and as its code gives it.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};

/// Where the document is committed.
const DOCUMENT: &str = "services/gateway/openapi.json";

pub(crate) fn run(root: &Path, check: bool) -> Result<ExitCode> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args([
        "run",
        "--quiet",
        "--locked",
        "--package",
        "fluxplane-gateway",
    ]);
    let output = cargo
        .args(["--example", "openapi"])
        .output()
        .context("run cargo")?;
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
