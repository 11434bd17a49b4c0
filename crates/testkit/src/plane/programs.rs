//! The programs of the workspace, and how they are called.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// A folder with the programs a plane consists of.
#[derive(Debug, Clone)]
pub struct Programs {
    dir: PathBuf,
}

impl Programs {
    /// Those that a plane needs.
    pub const NAMES: [&str; 9] = [
        "billing",
        "chain-indexer",
        "devnet",
        "fluxctl",
        "gateway",
        "node-agent",
        "node-registry",
        "scheduler",
        "validator",
    ];

    /// Says which program is missing, if one is.
    pub fn in_dir(dir: &Path) -> Result<Self> {
        for name in Self::NAMES {
            let program = dir.join(name);
            anyhow::ensure!(
                program.exists(),
                "{} is missing; build it with `cargo build --workspace --bins`",
                program.display()
            );
        }
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// Those that were built together with the running test.
    pub fn beside_tests() -> Result<Self> {
        let test = std::env::current_exe()?;
        let profile = test.parent().and_then(Path::parent);
        Self::in_dir(profile.context("a test lies in `deps`")?)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn command(&self, name: &str) -> Command {
        Command::new(self.path(name))
    }
}

/// Runs a command that prints JSON.
pub(crate) fn json(command: &mut Command) -> Result<Value> {
    let text = process::read(command)?;
    serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))
}

/// A member of a JSON object that must be there as text.
pub(crate) fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("no text at {pointer} of {value}"))?
        .to_owned())
}
