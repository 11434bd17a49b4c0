//! The root keys, from a file that is not in the database.
//!
//! One line per key: its version and 64 hexadecimal digits. The key of the first line wraps; the others only open what they
//! wrapped before. So a new key is added last everywhere first, then moved to the front, and the old one is removed once
//! nothing is wrapped with it any more.

use std::fmt::Write as _;

use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    aead::{KEY, Key},
    entropy::{Entropy, NoEntropy},
};

/// Why a text is no ring. Never repeats what a key might be part of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    #[error("line {line} is not a version from 1 and 64 hexadecimal digits")]
    Line { line: usize },
    #[error("line {line} repeats version {version}; every key has a version of its own")]
    Repeated { line: usize, version: u32 },
    #[error("line {line} repeats the key of another line; a new version is a new random key")]
    SameKey { line: usize },
    #[error("it has no key; `fluxctl admin root-keys add` makes one")]
    Empty,
    #[error("{versions} versions are used up")]
    Full { versions: u32 },
}

/// The root keys by version.
#[derive(Debug, Clone)]
pub struct RootRing {
    /// The first one wraps.
    keys: Vec<(u32, Key)>,
}

impl RootRing {
    /// Reads a ring. Empty lines and lines that begin with `#` mean nothing.
    pub fn parse(text: &str) -> Result<Self, RingError> {
        let mut keys: Vec<(u32, Key)> = Vec::new();
        for (place, line) in text.lines().enumerate() {
            let line_number = place + 1;
            let entry = line.trim();
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            let (version, key) = read_line(entry).ok_or(RingError::Line { line: line_number })?;
            if keys.iter().any(|(known, _)| *known == version) {
                return Err(RingError::Repeated {
                    line: line_number,
                    version,
                });
            }
            if keys.iter().any(|(_, known)| known.0 == key.0) {
                return Err(RingError::SameKey { line: line_number });
            }
            keys.push((version, key));
        }
        if keys.is_empty() {
            return Err(RingError::Empty);
        }
        Ok(Self { keys })
    }

    /// A ring of one new key.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self {
            keys: vec![(1, Key::random(entropy)?)],
        })
    }

    /// Adds a new key behind the others: it opens, and wraps nothing yet. Returns its version.
    pub fn add(&mut self, entropy: &dyn Entropy) -> Result<u32, AddError> {
        let highest = self.versions().max().unwrap_or(0);
        let version = highest
            .checked_add(1)
            .ok_or(RingError::Full { versions: highest })?;
        self.keys.push((version, Key::random(entropy)?));
        Ok(version)
    }

    /// Makes a key the one that wraps. Returns whether there is one of that version.
    pub fn promote(&mut self, version: u32) -> bool {
        let place = self.keys.iter().position(|(known, _)| *known == version);
        if let Some(place) = place {
            let key = self.keys.remove(place);
            self.keys.insert(0, key);
        }
        place.is_some()
    }

    /// Forgets a key. Returns whether it did: the one that wraps stays.
    pub fn remove(&mut self, version: u32) -> bool {
        let before = self.keys.len();
        let active = self.active();
        self.keys
            .retain(|(known, _)| *known != version || *known == active);
        self.keys.len() < before
    }

    /// Version of the key that wraps.
    pub fn active(&self) -> u32 {
        self.wrapping().0
    }

    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.keys.iter().map(|(version, _)| *version)
    }

    /// As a file.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from(
            "# Root keys of a Fluxplane. The first wraps, all open. Keep a copy apart from the database.\n",
        ));
        for (version, key) in &self.keys {
            let mut digits = hex::encode(key.0.as_slice());
            writeln!(text, "{version} {digits}").expect("a string takes everything");
            digits.zeroize();
        }
        text
    }

    pub(crate) fn wrapping(&self) -> &(u32, Key) {
        self.keys.first().expect("a ring has a key")
    }

    pub(crate) fn key(&self, version: u32) -> Option<&Key> {
        self.keys
            .iter()
            .find(|(known, _)| *known == version)
            .map(|(_, key)| key)
    }
}

/// Why no key was added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    #[error(transparent)]
    Ring(#[from] RingError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

fn read_line(entry: &str) -> Option<(u32, Key)> {
    let (version, digits) = entry.split_once(char::is_whitespace)?;
    let version = version.parse().ok().filter(|version| *version > 0)?;
    let mut bytes = Zeroizing::new([0; KEY]);
    hex::decode_to_slice(digits.trim(), bytes.as_mut_slice()).ok()?;
    Some((version, Key(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn a_ring_reads_what_it_writes() {
        let mut ring = RootRing::generate(&SystemEntropy).unwrap();
        assert_eq!(ring.add(&SystemEntropy).unwrap(), 2);
        assert_eq!(ring.active(), 1);
        assert!(ring.promote(2) && !ring.promote(3));
        let again = RootRing::parse(&ring.to_text()).unwrap();
        assert_eq!(again.versions().collect::<Vec<_>>(), [2, 1]);
        assert_eq!(again.to_text(), ring.to_text());
        assert!(
            ring.remove(1) && !ring.remove(2),
            "the one that wraps stays"
        );
    }

    #[test]
    fn a_bad_line_is_named_and_not_repeated() {
        let key = "ab".repeat(32);
        let cases = [
            (format!("1 {key}\nx {key}"), RingError::Line { line: 2 }),
            (format!("0 {key}"), RingError::Line { line: 1 }),
            (format!("1 {key}cd"), RingError::Line { line: 1 }),
            ("1 abcd".to_owned(), RingError::Line { line: 1 }),
            (
                format!("1 {key}\n1 {}", "cd".repeat(32)),
                RingError::Repeated {
                    line: 2,
                    version: 1,
                },
            ),
            (
                format!("# x\n1 {key}\n2 {key}"),
                RingError::SameKey { line: 3 },
            ),
            ("# nothing\n\n".to_owned(), RingError::Empty),
        ];
        for (text, wanted) in cases {
            let err = RootRing::parse(&text).unwrap_err();
            assert_eq!(err, wanted);
            assert!(!err.to_string().contains("abab"));
        }
        let ring = RootRing::parse(&format!("1 {key}")).unwrap();
        assert!(!format!("{ring:?}").contains("abab"));
    }
}
