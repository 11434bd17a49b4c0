//! What is kept of a history: a digest of every line, and the last lines.

use std::{collections::VecDeque, fmt::Write as _};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::scenario::BEGINNING;

/// Lines that are shown when an invariant fails.
const TAIL: usize = 40;

/// The journal of one history.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    hash: Sha256,
    tail: VecDeque<String>,
}

impl Journal {
    /// Adds a line: number of the event, virtual seconds since the beginning, what happened.
    pub(crate) fn note(&mut self, number: u64, now: DateTime<Utc>, text: &str) {
        let past = (now - BEGINNING).num_milliseconds();
        let line = format!("#{number} {}.{:03} s  {text}", past / 1_000, past % 1_000);
        self.hash.update(line.as_bytes());
        self.hash.update(b"\n");
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }

    /// Takes something into the digest that is too long for a line.
    pub(crate) fn seal(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    /// 64 hexadecimal digits.
    pub(crate) fn digest(self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.hash.finalize() {
            // Writing to a string cannot fail.
            write!(text, "{byte:02x}").ok();
        }
        text
    }
}

/// An id as it stands in the journal: its first eight digits.
pub(crate) fn short(id: impl Into<Uuid>) -> String {
    let (first, ..) = id.into().as_fields();
    format!("{first:08x}")
}

/// Several ids, the first few by name.
pub(crate) fn some<I: Into<Uuid> + Copy>(ids: &[I]) -> String {
    let named: Vec<String> = ids.iter().take(4).map(|id| short(*id)).collect();
    let named = named.join(" ");
    match ids.len() {
        0..=4 => named,
        more => format!("{named} and {} more", more - 4),
    }
}
