//! The data folder: everything the agent remembers over restarts.
//!
//! ## What is kept
//!
//! | file | what | lost, it means |
//! |---|---|---|
//! | `identity.json` | key, certificate, node id, endpoint; secret | the machine joins again |
//! | `desired.json` | the last desired state | nothing is touched until the plane sends one |
//! | `private.key`, `private/` | private parts of instances, sealed | containers are made again only while the plane is there |
//! | `heartbeat.json` | sequences used up | the plane's own high-water mark is taken |
//! | `usage/` | usage reports not acknowledged, by sequence | their time is not paid |
//! | `status.json` | what `status` shows | nothing |
//! | `volumes/` | data of the instances | the applications' data |
//!
//! Files are replaced whole (written aside, synced, renamed), so that a crash leaves the old or the new one. The folder and
//! the files are the agent's alone (0700, 0600). One process at a time holds the folder's lock.

mod desired;
mod heartbeat;
mod identity;
mod private;
mod snapshot;
mod usage;

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

pub use heartbeat::HeartbeatSequence;
pub use identity::Identity;
pub use private::KeptFor;
pub use snapshot::Snapshot;
pub use usage::{Numbered, UsageQueue};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{action} `{}`", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{}` is damaged; {remedy}", path.display())]
    Damaged {
        path: PathBuf,
        remedy: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("another agent runs with the data folder `{}`; stop it or give this one a folder of its own", .0.display())]
    Locked(PathBuf),
    #[error("key of what is private of instances: {0:#}")]
    Key(anyhow::Error),
    #[error("a task that wrote to the data folder was stopped")]
    Stopped,
}

/// The folder. Clones are the same folder.
#[derive(Debug, Clone)]
pub struct DataDir {
    root: PathBuf,
    /// Held while the key of the private parts is looked for and made: instances begin side by side.
    key: Arc<Mutex<()>>,
}

/// Held while an agent runs; freed by the system when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

const LOCK_ATTEMPTS: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

const OWNER_ONLY: u32 = 0o600;
const OWNER_ONLY_FOLDER: u32 = 0o700;

impl DataDir {
    /// Opens the folder, making it when it does not exist.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        make_folder(root)?;
        // Engines take absolute paths for volumes only.
        let root = fs::canonicalize(root).map_err(|err| io_error("find", root, err))?;
        Ok(Self {
            root,
            key: Arc::default(),
        })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the data of instances is.
    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// Claims the folder for this process. Waits a moment for a command that only looks whether it is claimed.
    pub fn lock(&self) -> Result<Lock, StoreError> {
        for _ in 1..LOCK_ATTEMPTS {
            if let Ok(lock) = self.try_lock() {
                return Ok(lock);
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        self.try_lock()
    }

    /// Claims the folder for this process if nobody has.
    pub fn try_lock(&self) -> Result<Lock, StoreError> {
        let path = self.root.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(OWNER_ONLY)
            .open(&path)
            .map_err(|err| io_error("open", &path, err))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::Locked(self.root.clone())),
            Err(fs::TryLockError::Error(err)) => Err(io_error("lock", &path, err)),
        }
    }

    /// Reads a file; `None` when there is none.
    fn read<T: DeserializeOwned>(
        &self,
        name: &str,
        remedy: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let path = self.root.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(io_error("read", &path, err)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| StoreError::Damaged {
                path,
                remedy,
                source,
            })
    }

    /// Replaces a file. It is on disk when this returns.
    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let path = self.root.join(name);
        let aside = self.root.join(format!("{name}.new"));
        let bytes = serde_json::to_vec_pretty(value).expect("plain structs serialise");
        let written = || -> io::Result<()> {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(OWNER_ONLY)
                .open(&aside)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&aside, &path)?;
            // The name is durable once the folder is.
            File::open(path.parent().unwrap_or(&self.root))?.sync_all()
        };
        written().map_err(|err| io_error("write", &path, err))
    }

    /// Removes a file if it is there.
    fn remove(&self, name: &str) -> Result<(), StoreError> {
        let path = self.root.join(name);
        match fs::remove_file(&path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => {
                Err(io_error("remove", &path, err))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY_FOLDER)
        .create(path)
        .map_err(|err| io_error("make folder", path, err))
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Runs file work where it may wait for the disk.
pub async fn blocking<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, StoreError> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| StoreError::Stopped)?
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_the_owners_alone_and_replaced_whole() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&temp.path().join("agent")).unwrap();
        assert_eq!(dir.read::<u32>("x.json", "").unwrap(), None);
        dir.write("x.json", &1).unwrap();
        dir.write("x.json", &2).unwrap();
        assert_eq!(dir.read("x.json", "").unwrap(), Some(2));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.root().join("x.json")), OWNER_ONLY);
        assert_eq!(mode(dir.root()), OWNER_ONLY_FOLDER);
        let names: Vec<_> = fs::read_dir(dir.root())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, ["x.json"]);
    }

    #[test]
    fn a_damaged_file_is_named_with_its_remedy() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(temp.path()).unwrap();
        fs::write(temp.path().join("x.json"), "{").unwrap();
        let err = dir.read::<u32>("x.json", "remove it").unwrap_err();
        assert!(
            err.to_string().contains("x.json` is damaged; remove it"),
            "{err}"
        );
    }

    #[test]
    fn one_agent_at_a_time_holds_the_folder() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(temp.path()).unwrap();
        let held = dir.lock().unwrap();
        assert!(matches!(dir.lock(), Err(StoreError::Locked(_))));
        drop(held);
        assert!(dir.lock().is_ok());
    }
}
