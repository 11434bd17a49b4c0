//! The file of records.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use fluxplane_flux_chain::Hash256;

use crate::{
    options::ChainRules,
    store::{Record, StoreError, replace_file},
};

/// First bytes of every log.
const MAGIC: [u8; 8] = *b"FXDEVNT1";

/// Length and checksum before each payload.
const FRAME: usize = 8;

/// A log that can be written to.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    path: PathBuf,
}

/// What a scan of the bytes found.
struct Scan {
    records: Vec<Record>,
    /// Bytes up to the end of the last whole record.
    good: usize,
}

impl Log {
    /// Opens a log, or begins one. A last record that is cut short is cut off.
    pub(crate) fn open(path: &Path, rules: &ChainRules) -> Result<(Self, Vec<Record>), StoreError> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(StoreError::file("open", path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(StoreError::file("read", path))?;
        let mut log = Self {
            file,
            path: path.to_owned(),
        };
        // A log that was cut short before its rules were complete never held a block.
        let scan = scan(path, &bytes)?;
        let Some((found, records)) = split_rules(path, scan.records)? else {
            log.cut(0)?;
            log.write(&MAGIC)?;
            log.append(&Record::Rules(rules.clone()))?;
            return Ok((log, Vec::new()));
        };
        if found != *rules {
            return Err(StoreError::OtherRules {
                path: path.to_owned(),
                found: found.to_string(),
                asked: rules.to_string(),
            });
        }
        if scan.good < bytes.len() {
            let lost = bytes.len() - scan.good;
            tracing::warn!(bytes = lost, "the last record is cut short and dropped");
        }
        log.cut(u64::try_from(scan.good).unwrap_or(u64::MAX))?;
        Ok((log, records))
    }

    pub(crate) fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        self.write(&framed(record))
    }

    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.file
            .sync_data()
            .map_err(StoreError::file("flush", &self.path))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all(bytes)
            .map_err(StoreError::file("write to", &self.path))
    }

    /// Shortens the file and goes to its end.
    fn cut(&mut self, length: u64) -> Result<(), StoreError> {
        self.file
            .set_len(length)
            .and_then(|()| self.file.seek(SeekFrom::End(0)))
            .map(drop)
            .map_err(StoreError::file("shorten", &self.path))
    }
}

/// Reads a log that nobody writes to.
pub(crate) fn read_log(path: &Path) -> Result<(ChainRules, Vec<Record>), StoreError> {
    let bytes = std::fs::read(path).map_err(StoreError::file("read", path))?;
    let scan = scan(path, &bytes)?;
    split_rules(path, scan.records)?.ok_or_else(|| StoreError::NotOurs(path.to_owned()))
}

/// Writes a whole log.
pub(crate) fn write_log(
    path: &Path,
    rules: &ChainRules,
    records: &[Record],
) -> Result<(), StoreError> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&framed(&Record::Rules(rules.clone())));
    for record in records {
        bytes.extend_from_slice(&framed(record));
    }
    replace_file(path, &bytes)
}

fn framed(record: &Record) -> Vec<u8> {
    let payload = record.payload();
    let length = u32::try_from(payload.len()).expect("blocks are bounded by consensus");
    let mut bytes = Vec::with_capacity(FRAME + payload.len());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum(&payload));
    bytes.extend_from_slice(&payload);
    bytes
}

fn checksum(payload: &[u8]) -> [u8; 4] {
    let digest = Hash256::sha256d(payload);
    let [a, b, c, d, ..] = *digest.as_wire();
    [a, b, c, d]
}

fn scan(path: &Path, bytes: &[u8]) -> Result<Scan, StoreError> {
    let mut records = Vec::new();
    let Some(mut rest) = bytes.strip_prefix(&MAGIC) else {
        // Nothing but the beginning of the magic: the very first write was cut short.
        let begun = MAGIC.starts_with(bytes);
        return begun
            .then_some(Scan { records, good: 0 })
            .ok_or_else(|| StoreError::NotOurs(path.to_owned()));
    };
    let mut good = MAGIC.len();
    while let Some((frame, after)) = rest.split_first_chunk::<FRAME>() {
        let [a, b, c, d, sum @ ..] = *frame;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let Some((payload, next)) = after.split_at_checked(length) else {
            break;
        };
        if checksum(payload) != sum {
            // At the very end this is a record whose bytes did not all arrive; before it, something else broke the file.
            if next.is_empty() {
                break;
            }
            let offset = u64::try_from(good).unwrap_or(u64::MAX);
            let path = path.to_owned();
            return Err(StoreError::Damaged { path, offset });
        }
        let record =
            Record::parse(payload).map_err(|problem| StoreError::content(path, &problem))?;
        records.push(record);
        good += FRAME + length;
        rest = next;
    }
    Ok(Scan { records, good })
}

/// The rules at the front, and what follows. `None` for a log that is empty.
fn split_rules(
    path: &Path,
    records: Vec<Record>,
) -> Result<Option<(ChainRules, Vec<Record>)>, StoreError> {
    let mut records = records.into_iter();
    match records.next() {
        None => Ok(None),
        Some(Record::Rules(rules)) => Ok(Some((rules, records.collect()))),
        Some(
            Record::Block(_) | Record::Invalidated(_) | Record::Reconsidered(_) | Record::Wallet(_),
        ) => Err(StoreError::content(
            path,
            &"the first record is not the rules",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_file(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("chain.log")
    }

    fn filled(path: &Path) -> Vec<u8> {
        let rules = ChainRules::default();
        let (mut log, records) = Log::open(path, &rules).unwrap();
        assert!(records.is_empty());
        log.append(&Record::Block(vec![1; 100])).unwrap();
        log.append(&Record::Invalidated(Hash256::from_wire([2; 32])))
            .unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn records_come_back_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = log_file(&folder);
        filled(&path);
        let (_, records) = Log::open(&path, &ChainRules::default()).unwrap();
        assert_eq!(
            records,
            [
                Record::Block(vec![1; 100]),
                Record::Invalidated(Hash256::from_wire([2; 32]))
            ]
        );
    }

    #[test]
    fn a_record_cut_short_anywhere_is_dropped_and_writing_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = log_file(&folder);
        let whole = filled(&path);
        let last = FRAME + 1 + 32;
        for cut in 1..=last {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let (mut log, records) = Log::open(&path, &ChainRules::default()).unwrap();
            assert_eq!(records, [Record::Block(vec![1; 100])], "{cut} bytes");
            log.append(&Record::Block(vec![3])).unwrap();
            let (_, records) = Log::open(&path, &ChainRules::default()).unwrap();
            assert_eq!(records.len(), 2, "{cut} bytes");
        }
    }

    #[test]
    fn damage_in_the_middle_is_not_taken_for_a_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = log_file(&folder);
        let mut bytes = filled(&path);
        let middle = bytes.len() - 80;
        bytes[middle] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let error = Log::open(&path, &ChainRules::default()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }

    #[test]
    fn other_rules_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = log_file(&folder);
        filled(&path);
        let other = ChainRules {
            seed: "other".to_owned(),
            ..ChainRules::default()
        };
        let error = Log::open(&path, &other).unwrap_err();
        assert!(error.to_string().contains("seed"), "{error}");
        std::fs::write(&path, b"something else").unwrap();
        let error = Log::open(&path, &other).unwrap_err();
        assert!(matches!(error, StoreError::NotOurs(_)), "{error}");
    }
}
