//! The wall: no source file is longer than 800 lines.

use std::{fs, path::Path, process::ExitCode};

use anyhow::Result;

/// At 400 lines look for the seam; 800 is the wall.
const WALL: usize = 800;

pub(crate) fn check(root: &Path) -> Result<ExitCode> {
    let mut tall = Vec::new();
    for top in ["crates", "services", "proto"] {
        walk(&root.join(top), &mut |path| {
            let lines = fs::read_to_string(path)?.lines().count();
            if lines > WALL {
                let shown = path.strip_prefix(root).unwrap_or(path).display();
                tall.push(format!("  {shown}: {lines} lines"));
            }
            Ok(())
        })?;
    }
    anyhow::ensure!(
        tall.is_empty(),
        "files over {WALL} lines:\n{}",
        tall.join("\n")
    );
    Ok(ExitCode::SUCCESS)
}

/// Calls `visit` for every Rust and proto file under `dir`.
pub(crate) fn walk(dir: &Path, visit: &mut impl FnMut(&Path) -> Result<()>) -> Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    let mut entries: Vec<_> = fs::read_dir(dir)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, visit)?;
        } else if path
            .extension()
            .is_some_and(|ext| ext == "rs" || ext == "proto")
        {
            visit(&path)?;
        }
    }
    Ok(())
}
