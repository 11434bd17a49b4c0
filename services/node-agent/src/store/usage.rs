//! Usage reports on their way to the plane: kept until acknowledged, sent in order.
//!
//! A report's sequence is the name of its file, and not inside it: when the plane lost reports that it had acknowledged
//! (a database restored from a copy), those that wait are numbered anew so that the sequence has no gap.

use std::{
    collections::VecDeque,
    fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{DataDir, StoreError, io_error, make_folder};
use crate::domain::usage::Report;

const FOLDER: &str = "usage";
const STATE: &str = "usage/state.json";

/// Most reports kept: more than eleven days at one every 10 s. Then the oldest are dropped.
const MAX_WAITING: usize = 100_000;

/// A report in its place in the node's sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    pub sequence: u64,
    pub report: Report,
}

/// Reports not acknowledged. Clones share one queue.
#[derive(Debug, Clone)]
pub struct UsageQueue {
    dir: DataDir,
    /// One change at a time. Held while files are written, so only taken where waiting is allowed.
    changing: Arc<Mutex<()>>,
    /// Held for moments.
    inner: Arc<Mutex<Inner>>,
    waiting: Arc<watch::Sender<usize>>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    pending: VecDeque<Numbered>,
}

/// What must survive when no report waits.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
struct State {
    /// Sequence of the newest report.
    last: u64,
    /// End of the newest report; no later one may begin before it.
    reported_to: u64,
}

impl UsageQueue {
    pub fn load(dir: &DataDir) -> Result<Self, StoreError> {
        let folder = dir.root.join(FOLDER);
        make_folder(&folder)?;
        let mut state: State = dir.read(STATE, "remove it")?.unwrap_or_default();
        let mut pending: Vec<Numbered> = Vec::new();
        for sequence in sequences(&folder)? {
            let report: Option<Report> =
                dir.read(&file(sequence), "remove it; its time is not paid")?;
            pending.extend(report.map(|report| Numbered { sequence, report }));
        }
        pending.sort_by_key(|numbered| numbered.sequence);
        if let Some(newest) = pending.last() {
            state.last = state.last.max(newest.sequence);
            state.reported_to = state.reported_to.max(newest.report.to);
        }
        let waiting = Arc::new(watch::Sender::new(pending.len()));
        let inner = Inner {
            state,
            pending: pending.into(),
        };
        Ok(Self {
            dir: dir.clone(),
            changing: Arc::default(),
            inner: Arc::new(Mutex::new(inner)),
            waiting,
        })
    }

    /// End of the newest report ever made here.
    pub fn reported_to(&self) -> u64 {
        self.lock().state.reported_to
    }

    /// Follows the number of reports that wait.
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.waiting.subscribe()
    }

    /// Appends a report. It is on disk when this returns. Waits for the disk.
    pub fn push(&self, report: Report) -> Result<(), StoreError> {
        let _alone = lock(&self.changing);
        let sequence = self.lock().state.last + 1;
        let state = State {
            last: sequence,
            reported_to: report.to,
        };
        self.dir.write(&file(sequence), &report)?;
        self.dir.write(STATE, &state)?;
        let dropped = {
            let mut inner = self.lock();
            inner.state = state;
            inner.pending.push_back(Numbered { sequence, report });
            let excess = inner.pending.len().saturating_sub(MAX_WAITING);
            inner.pending.drain(..excess).collect::<Vec<_>>()
        };
        for oldest in dropped {
            let sequence = oldest.sequence;
            tracing::error!(
                usage.sequence = sequence,
                "dropped a usage report, too many wait"
            );
            self.dir.remove(&file(sequence))?;
        }
        self.changed();
        Ok(())
    }

    /// The plane has stored the reports up to `sequence`. Waits for the disk.
    pub fn acknowledge(&self, sequence: u64) -> Result<(), StoreError> {
        let _alone = lock(&self.changing);
        self.forget_up_to(sequence)
    }

    /// A session begins and the plane has stored up to `last`: what waits follows that without a gap. Waits for the disk.
    pub fn resume_after(&self, last: u64) -> Result<(), StoreError> {
        let _alone = lock(&self.changing);
        self.forget_up_to(last)?;
        let (state, waiting): (State, Vec<u64>) = {
            let inner = self.lock();
            (
                inner.state,
                inner
                    .pending
                    .iter()
                    .map(|numbered| numbered.sequence)
                    .collect(),
            )
        };
        let first = waiting.first().copied().unwrap_or(state.last + 1);
        if first == last + 1 {
            return Ok(());
        }
        tracing::warn!(
            usage.expected = last + 1,
            usage.first = first,
            usage.waiting = waiting.len(),
            "the plane's usage sequence differs, numbering anew"
        );
        let mut newest = last;
        for sequence in waiting {
            newest += 1;
            self.rename(sequence, newest)?;
        }
        let state = State {
            last: newest,
            ..state
        };
        self.dir.write(STATE, &state)?;
        let mut inner = self.lock();
        inner.state = state;
        for (numbered, sequence) in inner.pending.iter_mut().zip(last + 1..) {
            numbered.sequence = sequence;
        }
        Ok(())
    }

    /// Up to `limit` reports that follow `sequence`.
    pub fn after(&self, sequence: u64, limit: usize) -> Vec<Numbered> {
        let inner = self.lock();
        let newer = inner
            .pending
            .iter()
            .filter(|numbered| numbered.sequence > sequence);
        newer.take(limit).cloned().collect()
    }

    pub fn waiting(&self) -> usize {
        self.lock().pending.len()
    }

    fn forget_up_to(&self, sequence: u64) -> Result<(), StoreError> {
        let stored: Vec<Numbered> = {
            let mut inner = self.lock();
            let count = inner
                .pending
                .partition_point(|numbered| numbered.sequence <= sequence);
            inner.pending.drain(..count).collect()
        };
        stored
            .iter()
            .try_for_each(|numbered| self.dir.remove(&file(numbered.sequence)))?;
        self.changed();
        Ok(())
    }

    /// Names are only ever lowered, in ascending order, so that no file is in the way.
    fn rename(&self, from: u64, to: u64) -> Result<(), StoreError> {
        let (from, to) = (self.dir.root.join(file(from)), self.dir.root.join(file(to)));
        fs::rename(&from, &to).map_err(|err| io_error("rename", &from, err))
    }

    fn changed(&self) {
        self.waiting.send_replace(self.waiting());
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

/// A panicking holder leaves at most a report on disk that is not in memory; the next start reads it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DataDir {
    pub(super) fn forget_usage(&self) -> Result<(), StoreError> {
        let folder = self.root.join(FOLDER);
        match fs::remove_dir_all(&folder) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => {
                Err(io_error("remove", &folder, err))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn file(sequence: u64) -> String {
    format!("{FOLDER}/{sequence:020}.json")
}

fn sequences(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let failed = |err| io_error("list", folder, err);
    let mut sequences = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        sequences.extend(
            name.strip_suffix(".json")
                .and_then(|stem| stem.parse::<u64>().ok()),
        );
    }
    Ok(sequences)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(from: u64) -> Report {
        Report {
            from,
            to: from + 10,
            instances: Vec::new(),
        }
    }

    fn numbers(queue: &UsageQueue) -> Vec<(u64, u64)> {
        queue
            .after(0, 100)
            .into_iter()
            .map(|n| (n.sequence, n.report.from))
            .collect()
    }

    #[test]
    fn reports_wait_over_restarts_until_they_are_acknowledged() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(temp.path()).unwrap();
        let queue = UsageQueue::load(&dir).unwrap();
        for from in [0, 10, 20] {
            queue.push(report(from)).unwrap();
        }
        queue.acknowledge(1).unwrap();
        let restarted = UsageQueue::load(&dir).unwrap();
        assert_eq!(numbers(&restarted), [(2, 10), (3, 20)]);
        assert_eq!(restarted.reported_to(), 30);
        restarted.acknowledge(3).unwrap();
        let again = UsageQueue::load(&dir).unwrap();
        assert_eq!((again.waiting(), again.reported_to()), (0, 30));
        again.push(report(30)).unwrap();
        assert_eq!(numbers(&again), [(4, 30)]);
    }

    #[test]
    fn a_report_the_plane_has_already_is_not_sent_again() {
        let temp = tempfile::tempdir().unwrap();
        let queue = UsageQueue::load(&DataDir::open(temp.path()).unwrap()).unwrap();
        queue.push(report(0)).unwrap();
        queue.push(report(10)).unwrap();
        queue.resume_after(1).unwrap();
        assert_eq!(numbers(&queue), [(2, 10)]);
    }

    #[test]
    fn a_plane_that_forgot_gets_a_sequence_without_a_gap() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(temp.path()).unwrap();
        let queue = UsageQueue::load(&dir).unwrap();
        for from in [0, 10, 20, 30] {
            queue.push(report(from)).unwrap();
        }
        queue.acknowledge(2).unwrap();
        queue.resume_after(1).unwrap();
        assert_eq!(numbers(&queue), [(2, 20), (3, 30)]);
        assert_eq!(
            numbers(&UsageQueue::load(&dir).unwrap()),
            [(2, 20), (3, 30)]
        );
        queue.push(report(40)).unwrap();
        assert_eq!(queue.after(3, 1)[0].sequence, 4);
    }

    #[test]
    fn a_plane_that_knows_more_is_followed() {
        let temp = tempfile::tempdir().unwrap();
        let queue = UsageQueue::load(&DataDir::open(temp.path()).unwrap()).unwrap();
        queue.resume_after(41).unwrap();
        queue.push(report(0)).unwrap();
        assert_eq!(numbers(&queue), [(42, 0)]);
    }
}
