//! Sequences of heartbeats. They rise over restarts, because blocks of them are reserved on disk before they are used.

use serde::{Deserialize, Serialize};

use super::{DataDir, StoreError, blocking};

/// Sequences reserved at a time: at a beat every 5 s the file is written about every 80 minutes.
const BLOCK: u64 = 1_000;

const FILE: &str = "heartbeat.json";

#[derive(Default, Serialize, Deserialize)]
struct Reserved {
    /// All sequences up to this one may have been used.
    up_to: u64,
}

/// Gives out sequences.
#[derive(Debug)]
pub struct HeartbeatSequence {
    dir: DataDir,
    last: u64,
    reserved: u64,
}

impl HeartbeatSequence {
    pub fn load(dir: &DataDir) -> Result<Self, StoreError> {
        let remedy = "remove it; the plane knows the last sequence";
        let reserved: Reserved = dir.read(FILE, remedy)?.unwrap_or_default();
        Ok(Self {
            dir: dir.clone(),
            last: reserved.up_to,
            reserved: reserved.up_to,
        })
    }

    /// The plane has seen sequences up to `seen`: go on above them.
    pub fn seen(&mut self, seen: u64) {
        self.last = self.last.max(seen);
    }

    /// The next sequence, higher than any before. Writes to disk once per block.
    pub async fn next(&mut self) -> Result<u64, StoreError> {
        let next = self.last + 1;
        if next > self.reserved {
            let (dir, up_to) = (self.dir.clone(), next + BLOCK);
            blocking(move || dir.write(FILE, &Reserved { up_to })).await?;
            self.reserved = up_to;
        }
        self.last = next;
        Ok(next)
    }
}

impl DataDir {
    pub(super) fn forget_heartbeats(&self) -> Result<(), StoreError> {
        self.remove(FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sequences_rise_over_restarts_and_above_what_the_plane_saw() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(temp.path()).unwrap();
        let mut sequence = HeartbeatSequence::load(&dir).unwrap();
        let (first, second) = (
            sequence.next().await.unwrap(),
            sequence.next().await.unwrap(),
        );
        assert!(second > first);
        let mut restarted = HeartbeatSequence::load(&dir).unwrap();
        let third = restarted.next().await.unwrap();
        assert!(third > second);
        restarted.seen(third + 10_000);
        assert_eq!(restarted.next().await.unwrap(), third + 10_001);
        restarted.seen(5);
        assert_eq!(restarted.next().await.unwrap(), third + 10_002);
    }
}
