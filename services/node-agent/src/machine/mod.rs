//! Measures the machine.
//!
//! | figure | how |
//! |---|---|
//! | threads | hardware threads this process may use |
//! | RAM | `MemTotal` of `/proc/meminfo` |
//! | disk | free space of the file system of the data folder |
//! | hash | SHA-256 of 64 KiB blocks on one thread |
//! | write | sequential write of 1 MiB blocks, ended by fdatasync |

mod memory;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::domain::Benchmark;

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// Block that is hashed.
const HASH_BLOCK: usize = 64 * 1024;

/// Block that is written.
const WRITE_BLOCK: usize = 1024 * 1024;

/// Most that is written, so that a fast disk is not filled.
const WRITE_LIMIT: u64 = 2 * GIB;

/// What is being measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Size,
    Hash,
    Write,
}

/// Measures for up to about `limit`, half of it hashing and half of it writing in `folder`. `tell` hears of progress, with
/// the share of the stage that is done. Blocks the thread.
pub fn measure(
    folder: &Path,
    limit: Duration,
    now: DateTime<Utc>,
    tell: &mut dyn FnMut(Stage, f64),
) -> anyhow::Result<Benchmark> {
    tell(Stage::Size, 0.0);
    let threads = threads();
    let ram_mib = memory::total_mib()?;
    let disk_gib = free_gib(folder)?;
    let hash_mib_s = hash_speed(limit / 2, &mut |done| tell(Stage::Hash, done));
    let disk_write_mib_s = write_speed(folder, limit / 2, &mut |done| tell(Stage::Write, done))
        .with_context(|| format!("write in `{}`", folder.display()))?;
    Ok(Benchmark {
        threads,
        ram_mib,
        disk_gib,
        hash_mib_s,
        disk_write_mib_s,
        measured_at: now,
    })
}

/// Hardware threads this process may use.
pub fn threads() -> u32 {
    std::thread::available_parallelism().map_or(1, |threads| {
        u32::try_from(threads.get()).unwrap_or(u32::MAX)
    })
}

/// Free space of the file system of a folder.
fn free_gib(folder: &Path) -> anyhow::Result<u64> {
    let stat = rustix::fs::statvfs(folder)
        .with_context(|| format!("ask for the free space of `{}`", folder.display()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize) / GIB)
}

fn hash_speed(limit: Duration, tell: &mut dyn FnMut(f64)) -> u64 {
    let block = vec![0xa5_u8; HASH_BLOCK];
    let mut digest = Sha256::new();
    let mut blocks = 0_u64;
    let started = Instant::now();
    while started.elapsed() < limit {
        // Looking at the clock costs little beside 16 blocks.
        for _ in 0..16 {
            digest.update(&block);
            blocks += 1;
        }
        tell(share(started.elapsed(), limit));
    }
    // The digest is used, so that no compiler may leave the work out.
    std::hint::black_box(digest.finalize());
    per_second(
        blocks * u64::try_from(HASH_BLOCK).unwrap_or(0),
        started.elapsed(),
    )
}

fn write_speed(folder: &Path, limit: Duration, tell: &mut dyn FnMut(f64)) -> io::Result<u64> {
    let file = Scratch::create(folder.join("benchmark.tmp"))?;
    // Not zeroes: a file system may store those for nothing.
    let block: Vec<u8> = (0..WRITE_BLOCK)
        .map(|i| u8::try_from(i * 31 % 251).unwrap_or(0))
        .collect();
    let mut written = 0_u64;
    let started = Instant::now();
    while started.elapsed() < limit && written < WRITE_LIMIT {
        (&file.file).write_all(&block)?;
        written += u64::try_from(WRITE_BLOCK).unwrap_or(0);
        if written.is_multiple_of(64 * MIB) {
            // Synced in between, so that the cache does not swallow the whole measurement.
            file.file.sync_data()?;
        }
        tell(share(started.elapsed(), limit));
    }
    file.file.sync_data()?;
    Ok(per_second(written, started.elapsed()))
}

/// A file that is gone when the measurement ends, however it ends.
struct Scratch {
    file: File,
    path: PathBuf,
}

impl Scratch {
    fn create(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self { file, path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(err) = std::fs::remove_file(&self.path) {
            tracing::warn!(error = %err, path = %self.path.display(), "remove the benchmark's file");
        }
    }
}

fn share(done: Duration, of: Duration) -> f64 {
    (done.as_secs_f64() / of.as_secs_f64().max(f64::MIN_POSITIVE)).min(1.0)
}

/// MiB per second.
fn per_second(bytes: u64, took: Duration) -> u64 {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    let per_second = u128::from(bytes) * 1_000_000 / u128::from(micros);
    u64::try_from(per_second / u128::from(MIB)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_has_every_figure_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut stages = Vec::new();
        let limit = Duration::from_millis(100);
        let benchmark = measure(
            folder.path(),
            limit,
            DateTime::UNIX_EPOCH,
            &mut |stage, share| {
                assert!((0.0..=1.0).contains(&share));
                stages.push(stage);
            },
        )
        .unwrap();
        assert!(benchmark.threads > 0 && benchmark.ram_mib > 0 && benchmark.hash_mib_s > 0);
        assert!(benchmark.disk_write_mib_s > 0);
        stages.dedup();
        assert_eq!(stages, [Stage::Size, Stage::Hash, Stage::Write]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn speed_is_bytes_over_time() {
        assert_eq!(per_second(200 * MIB, Duration::from_secs(2)), 100);
        assert_eq!(per_second(0, Duration::ZERO), 0);
    }
}
