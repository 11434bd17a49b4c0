//! Strings as JavaScript has them: sequences of UTF-16 units that need not be well-formed.
//!
//! Nearly every string is well-formed and kept as UTF-8; only one with a lone surrogate (written as
//! `\ud800` in JSON) falls back to its units.

use std::{borrow::Cow, fmt};

/// A JavaScript string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsString(Repr);

/// Well-formed strings are always `Text`, so that equality is equality of the variants.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Text(String),
    Units(Vec<u16>),
}

impl JsString {
    pub fn from_units(units: Vec<u16>) -> Self {
        match String::from_utf16(&units) {
            Ok(text) => Self(Repr::Text(text)),
            Err(_) => Self(Repr::Units(units)),
        }
    }

    /// The string as UTF-8; `None` when it has a lone surrogate.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text(text) => Some(text),
            Repr::Units(_) => None,
        }
    }

    /// The string with every lone surrogate replaced by U+FFFD, for people to read.
    pub fn to_text(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Text(text) => Cow::Borrowed(text),
            Repr::Units(units) => Cow::Owned(String::from_utf16_lossy(units)),
        }
    }

    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Repr::Text(text) => text.is_empty(),
            Repr::Units(units) => units.is_empty(),
        }
    }

    /// `.length` of JavaScript: the number of UTF-16 units.
    pub fn utf16_len(&self) -> usize {
        match &self.0 {
            Repr::Text(text) if text.is_ascii() => text.len(),
            Repr::Text(text) => text.encode_utf16().count(),
            Repr::Units(units) => units.len(),
        }
    }

    /// `.length > limit`, without counting when the byte length already settles it.
    pub fn longer_than(&self, limit: usize) -> bool {
        match &self.0 {
            Repr::Text(text) => text.len() > limit && self.utf16_len() > limit,
            Repr::Units(units) => units.len() > limit,
        }
    }

    pub fn starts_with(&self, prefix: &str) -> bool {
        match &self.0 {
            Repr::Text(text) => text.starts_with(prefix),
            Repr::Units(units) => {
                let mut own = units.iter().copied();
                prefix.encode_utf16().all(|unit| own.next() == Some(unit))
            }
        }
    }

    /// `.includes(part)`.
    pub fn contains(&self, part: &str) -> bool {
        match &self.0 {
            Repr::Text(text) => text.contains(part),
            Repr::Units(units) => {
                let part: Vec<u16> = part.encode_utf16().collect();
                part.is_empty() || units.windows(part.len()).any(|window| window == part)
            }
        }
    }

    /// The UTF-16 units in order.
    pub fn units(&self) -> Vec<u16> {
        match &self.0 {
            Repr::Text(text) => text.encode_utf16().collect(),
            Repr::Units(units) => units.clone(),
        }
    }
}

impl From<String> for JsString {
    fn from(text: String) -> Self {
        Self(Repr::Text(text))
    }
}

impl From<&str> for JsString {
    fn from(text: &str) -> Self {
        Self(Repr::Text(text.to_owned()))
    }
}

impl PartialEq<str> for JsString {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for JsString {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl fmt::Display for JsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Debug for JsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Text(text) => fmt::Debug::fmt(text, f),
            Repr::Units(units) => write!(f, "ill-formed {:?}", String::from_utf16_lossy(units)),
        }
    }
}
