//! What a development chain keeps on disk: a log of everything that changed the tree of blocks, and the wallet.
//!
//! ```text
//! DIR/chain.log     magic, then records: length (u32), checksum (4 bytes), kind (1 byte), body
//! DIR/wallet.json   the developer's nodes; rewritten whole, by renaming
//! DIR/lock          held while a server uses the folder
//! ```
//!
//! The log is written record by record without waiting for the disk: killing the process loses nothing, a power cut may lose the
//! last blocks. A last record that is cut short is dropped at the next start.

mod log;
mod record;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

pub(crate) use log::{Log, read_log, write_log};
pub(crate) use record::Record;

use crate::{options::ChainRules, wallet::WalletState};

const LOG: &str = "chain.log";
const WALLET: &str = "wallet.json";
const LOCK: &str = "lock";

/// Why a folder or file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot {verb} {}", path.display())]
    File {
        verb: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("another devnet uses {}; stop it, or choose another folder with --data", .0.display())]
    InUse(PathBuf),
    #[error("{} is no chain of a devnet", .0.display())]
    NotOurs(PathBuf),
    #[error(
        "{}: the record at byte {offset} is damaged and more follow it; restore a snapshot, or start anew in another folder",
        path.display()
    )]
    Damaged { path: PathBuf, offset: u64 },
    #[error("{}: {problem}", path.display())]
    Content { path: PathBuf, problem: String },
    #[error(
        "{} holds a chain with other rules ({found}; asked for: {asked}); leave the options out, or choose another folder with --data",
        path.display()
    )]
    OtherRules {
        path: PathBuf,
        found: String,
        asked: String,
    },
}

impl StoreError {
    fn file(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { verb, path, source }
    }

    fn content(path: &Path, problem: &impl ToString) -> Self {
        Self::Content {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// A folder in use.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    log: Log,
    _lock: File,
}

/// What a folder held.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) records: Vec<Record>,
    pub(crate) wallet: WalletState,
}

impl Store {
    /// Opens a folder, which is made when it is not there. The rules must be those its chain was begun with.
    pub(crate) fn open(folder: &Path, rules: &ChainRules) -> Result<(Self, Stored), StoreError> {
        fs::create_dir_all(folder).map_err(StoreError::file("make", folder))?;
        let lock = lock(folder)?;
        let (log, records) = Log::open(&folder.join(LOG), rules)?;
        let wallet = read_wallet(&folder.join(WALLET))?;
        let store = Self {
            folder: folder.to_owned(),
            log,
            _lock: lock,
        };
        Ok((store, Stored { records, wallet }))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        self.log.append(record)
    }

    /// Replaces the whole log.
    pub(crate) fn rewrite(
        &mut self,
        rules: &ChainRules,
        records: &[Record],
    ) -> Result<(), StoreError> {
        let path = self.folder.join(LOG);
        write_log(&path, rules, records)?;
        let (log, _) = Log::open(&path, rules)?;
        self.log = log;
        Ok(())
    }

    pub(crate) fn save_wallet(&self, wallet: &WalletState) -> Result<(), StoreError> {
        let path = self.folder.join(WALLET);
        let text = serde_json::to_vec_pretty(wallet)
            .map_err(|error| StoreError::content(&path, &error))?;
        replace_file(&path, &text)
    }

    /// Waits until everything is on the disk.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.log.sync()
    }
}

/// The rules of the chain in a folder, if it holds one.
pub(crate) fn rules_in(folder: &Path) -> Result<Option<ChainRules>, StoreError> {
    let path = folder.join(LOG);
    if !path.exists() {
        return Ok(None);
    }
    let (rules, _) = read_log(&path)?;
    Ok(Some(rules))
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let file = File::create(&path).map_err(StoreError::file("make", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(StoreError::file("lock", &path)(source)),
    }
}

fn read_wallet(path: &Path) -> Result<WalletState, StoreError> {
    match fs::read(path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| StoreError::content(path, &error))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(WalletState::default()),
        Err(source) => Err(StoreError::file("read", path)(source)),
    }
}

/// Writes a file beside its place and moves it there, so that a reader sees the old or the new one.
fn replace_file(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let draft = path.with_extension("new");
    fs::write(&draft, content).map_err(StoreError::file("write", &draft))?;
    fs::rename(&draft, path).map_err(StoreError::file("replace", path))
}
