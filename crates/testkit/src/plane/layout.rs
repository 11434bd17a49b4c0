//! Where a plane on one machine keeps its things: one folder, which is all there is to forget.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// Bytes of a made-up password.
const SECRET_BYTES: usize = 24;

/// The folder of a plane.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Makes the folder where it is missing. Others than its owner may pass through it, because Postgres runs as a user of
    /// its own, and see nothing.
    pub fn new(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("make {}", root.display()))?;
        fs::set_permissions(root, fs::Permissions::from_mode(0o711))?;
        let root = root.canonicalize()?;
        Ok(Self { root })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder, made where it is missing.
    pub fn dir(&self, name: &str) -> Result<PathBuf> {
        let dir = self.root.join(name);
        fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        Ok(dir)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file that its owner alone reads.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.root.join(name);
        let write = || -> Result<()> {
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&path)?.write_all(text.as_bytes())?;
            Ok(())
        };
        write().with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }

    /// A password that nobody chose, the same at every run. Returns the file that holds it and the text.
    pub fn secret(&self, name: &str) -> Result<(PathBuf, String)> {
        let relative = format!("secrets/{name}");
        let path = self.root.join(&relative);
        if path.exists() {
            let text = fs::read_to_string(&path)?;
            return Ok((path, text));
        }
        let mut bytes = [0; SECRET_BYTES];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let text = hex::encode(bytes);
        Ok((self.write(&relative, &text)?, text))
    }

    /// Makes this process the only one that runs a plane here, for as long as the answer lives.
    pub fn lock(&self) -> Result<File> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.root.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "a plane runs in {} already; stop it with Ctrl-C where it was started",
                self.root.display()
            ),
            Err(TryLockError::Error(err)) => Err(err.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_read_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path()).unwrap();
        let (path, first) = layout.secret("db-billing").unwrap();
        assert_eq!(first.len(), 2 * SECRET_BYTES);
        assert_eq!(
            layout.secret("db-billing").unwrap(),
            (path.clone(), first.clone())
        );
        assert_ne!(layout.secret("db-gateway").unwrap().1, first);
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_folder_has_one_plane() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path()).unwrap();
        let held = layout.lock().unwrap();
        let refused = layout.lock().unwrap_err().to_string();
        assert!(
            refused.contains("runs in") && refused.contains("Ctrl-C"),
            "{refused}"
        );
        drop(held);
        layout.lock().unwrap();
    }
}
