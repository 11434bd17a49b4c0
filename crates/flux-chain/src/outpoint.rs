//! An output of a transaction, named by transaction id and position. The name of a fluxnode is its collateral's outpoint.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{encode::Sink, hash::Hash256};

/// Transaction id and output index. Ordered as fluxd orders them: wire bytes of the id, then the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutPoint {
    pub txid: Hash256,
    pub n: u32,
}

impl OutPoint {
    /// What the single input of a coinbase refers to.
    pub const NULL: Self = Self {
        txid: Hash256::ZERO,
        n: u32::MAX,
    };

    /// Bytes on the wire.
    pub const SIZE: usize = 36;

    pub const fn new(txid: Hash256, n: u32) -> Self {
        Self { txid, n }
    }

    pub fn is_null(&self) -> bool {
        *self == Self::NULL
    }

    /// fluxd's shortened text, `COutPoint(0123456789, 0)`. It is part of the text a confirm transaction signs.
    pub fn short_text(&self) -> String {
        let digits: String = self.txid.to_string().chars().take(10).collect();
        format!("COutPoint({digits}, {})", self.n)
    }

    /// fluxd's full text, `COutPoint(<64 digits>, 0)`.
    pub fn full_text(&self) -> String {
        format!("COutPoint({}, {})", self.txid, self.n)
    }

    pub fn write_to(&self, sink: &mut impl Sink) {
        sink.put(self.txid.as_wire());
        sink.put_u32(self.n);
    }
}

impl fmt::Display for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.txid, self.n)
    }
}

/// A text that names no outpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an outpoint; write <transaction id>:<index>")]
pub struct ParseOutPointError(String);

impl FromStr for OutPoint {
    type Err = ParseOutPointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseOutPointError(text.to_owned());
        let (txid, n) = text.split_once(':').ok_or_else(wrong)?;
        Ok(Self {
            txid: txid.parse().map_err(|_| wrong())?,
            n: n.parse().map_err(|_| wrong())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        let text = format!("{}:3", "0123456789abcdef".repeat(4));
        let outpoint: OutPoint = text.parse().unwrap();
        assert_eq!(outpoint.to_string(), text);
        assert_eq!(outpoint.short_text(), "COutPoint(0123456789, 3)");
        assert!(
            outpoint
                .full_text()
                .starts_with("COutPoint(0123456789abcdef")
        );
        assert!("12:3".parse::<OutPoint>().is_err());
    }
}
