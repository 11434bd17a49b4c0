//! The file with the root keys: read by who needs it and by nobody else.
//!
//! It is refused when others than its owner may read it, as a private key is by `ssh`.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::{Context as _, ensure};
use fluxplane_envelope::{RootRing, Zeroizing};

/// Rights of group and others.
const OTHERS: u32 = 0o077;

/// Reads the ring.
pub fn load(path: &Path) -> anyhow::Result<RootRing> {
    let named = || format!("root keys `{}`", path.display());
    let rights = fs::metadata(path).with_context(named)?.permissions().mode() & 0o777;
    ensure!(
        rights & OTHERS == 0,
        "root keys `{}` have the rights {rights:o}, but only their owner may have any; `chmod 600` them",
        path.display()
    );
    let text = Zeroizing::new(fs::read_to_string(path).with_context(named)?);
    RootRing::parse(&text).with_context(named)
}

/// Replaces the file whole: whoever reads it meanwhile sees the old ring or the new one.
pub fn save(path: &Path, ring: &RootRing) -> anyhow::Result<()> {
    let aside = path.with_extension("new");
    let written = || {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&aside)?;
        file.write_all(ring.to_text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    written().with_context(|| format!("write root keys `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use fluxplane_envelope::SystemEntropy;

    use super::*;

    #[test]
    fn only_the_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root-keys");
        let ring = RootRing::generate(&SystemEntropy).unwrap();
        save(&path, &ring).unwrap();
        assert_eq!(load(&path).unwrap().to_text(), ring.to_text());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let err = load(&path).unwrap_err().to_string();
        assert!(err.contains("640") && err.contains("chmod 600"), "{err}");
    }

    #[test]
    fn a_missing_or_broken_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root-keys");
        let err = format!("{:#}", load(&path).unwrap_err());
        assert!(err.contains("root-keys"), "{err}");
        fs::write(&path, "1 abc").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let err = format!("{:#}", load(&path).unwrap_err());
        assert!(err.contains("line 1") && !err.contains("abc"), "{err}");
    }
}
