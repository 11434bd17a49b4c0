//! Building the programs of a plane. Cargo shows its own progress.

use std::path::Path;

use anyhow::Result;
use fluxplane_testkit::plane::Programs;

use crate::process;

/// Builds them and says where they are.
pub(crate) fn programs(root: &Path, release: bool) -> Result<Programs> {
    let mut cargo = process::command("cargo");
    cargo
        .current_dir(root)
        .args(["build", "--locked", "--workspace", "--bins"]);
    if release {
        cargo.arg("--release");
    }
    process::must_run(&mut cargo)?;
    let profile = if release { "release" } else { "debug" };
    Programs::in_dir(&process::target_dir(root).join(profile))
}
