//! `.sqlx`: what Postgres said about every checked query, so that a clone builds without a database.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use fluxplane_testkit::Postgres;

use crate::{
    database::{self, SCHEMAS},
    process,
};

pub(crate) fn run(root: &Path, check: bool) -> Result<ExitCode> {
    let committed = root.join(".sqlx");
    let fresh = root.join("target/sqlx-fresh");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    prepare(root, &fresh)?;

    if check {
        let stale = differences(&committed, &fresh)?;
        anyhow::ensure!(
            stale.is_empty(),
            ".sqlx is not what the queries and migrations give; run `cargo xtask sqlx-prepare`:\n{}",
            stale.join("\n")
        );
    } else {
        if committed.exists() {
            fs::remove_dir_all(&committed)?;
        }
        fs::rename(&fresh, &committed)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks every query of the workspace against a fresh database, writing the answers to `out`.
fn prepare(root: &Path, out: &Path) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let postgres = runtime.block_on(async {
        let postgres = Postgres::start(process::free_port()?).await?;
        database::migrate(root, &postgres.url()).await?;
        anyhow::Ok(postgres)
    })?;
    let mut cargo = process::command("cargo");
    cargo.current_dir(root).args([
        "check",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
    ]);
    cargo
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", out);
    for schema in SCHEMAS {
        cargo.env(
            schema.url_var,
            database::schema_url(&postgres.url(), schema),
        );
        // The macros ran before; only a newer file makes them run again.
        touch(&root.join(schema.crate_dir).join("src/lib.rs"))?;
    }
    process::must_run(&mut cargo)
}

fn touch(file: &Path) -> Result<()> {
    let content = fs::read(file).with_context(|| format!("read {}", file.display()))?;
    fs::write(file, content)?;
    Ok(())
}

fn differences(committed: &Path, fresh: &Path) -> Result<Vec<String>> {
    let (old, new) = (files(committed)?, files(fresh)?);
    let missing = new
        .iter()
        .filter(|(name, text)| old.get(*name) != Some(*text));
    let stale = old.keys().filter(|name| !new.contains_key(*name));
    Ok(missing
        .map(|(name, _)| format!("  missing or changed: {name}"))
        .chain(stale.map(|name| format!("  no query any more: {name}")))
        .collect())
}

fn files(dir: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))? {
        let path: PathBuf = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        files.insert(name, fs::read_to_string(&path)?);
    }
    Ok(files)
}
