//! Pages of a list, by key and not by offset: a list that changes neither skips nor repeats entries.

use fluxplane_core::error::Violation;
use serde::{Serialize, de::DeserializeOwned};

/// Page size when the caller names none.
const DEFAULT_SIZE: u32 = 50;

/// Largest page (security rule S5).
pub const MAX_SIZE: u32 = 200;

/// A wish for part of a list whose key is `K`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<K> {
    /// Entries wanted, 1 to [`MAX_SIZE`].
    pub size: u32,
    /// Key of the last entry the caller has.
    pub after: Option<K>,
}

impl<K: DeserializeOwned> Page<K> {
    /// Reads what a caller sent. Size 0 means the default.
    pub fn parse(size: u32, cursor: &str) -> Result<Self, Violation> {
        if size > MAX_SIZE {
            let rule = format!("a page has at most {MAX_SIZE} entries");
            return Err(Violation::new(
                "page.size",
                size,
                rule,
                "ask for less and follow the cursor",
            ));
        }
        let after = if cursor.is_empty() {
            None
        } else {
            Some(decode(cursor)?)
        };
        Ok(Self {
            size: if size == 0 { DEFAULT_SIZE } else { size },
            after,
        })
    }
}

impl<K: Serialize> Page<K> {
    /// How many rows to read: one more than wanted tells whether another page follows.
    pub fn fetch_limit(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// Cuts `rows` to the page and returns the cursor of the next one, empty at the end of the list.
    pub fn cut<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> K) -> String {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        if rows.len() <= size {
            return String::new();
        }
        rows.truncate(size);
        rows.last().map(|row| encode(&key(row))).unwrap_or_default()
    }
}

fn encode<K: Serialize>(key: &K) -> String {
    // Keys are ids, numbers and short texts, which always have a JSON form.
    serde_json::to_vec(key).map(hex::encode).unwrap_or_default()
}

fn decode<K: DeserializeOwned>(cursor: &str) -> Result<K, Violation> {
    hex::decode(cursor)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(|| {
            let rule = "a cursor comes from the previous page";
            Violation::new("page.cursor", cursor, rule, "start without a cursor")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let all: Vec<u64> = (1..=5).collect();
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = Page::<u64>::parse(2, &cursor).unwrap();
            let limit = usize::try_from(page.fetch_limit()).unwrap();
            let after = page.after.unwrap_or(0);
            let mut rows: Vec<u64> = all
                .iter()
                .copied()
                .filter(|n| *n > after)
                .take(limit)
                .collect();
            cursor = page.cut(&mut rows, |n| *n);
            seen.extend(rows);
            if cursor.is_empty() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_foreign_cursor_is_refused_by_name() {
        assert_eq!(
            Page::<u64>::parse(0, "zz").unwrap_err().field,
            "page.cursor"
        );
        assert_eq!(Page::<u64>::parse(201, "").unwrap_err().field, "page.size");
    }
}
