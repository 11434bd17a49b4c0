//! The leaves, byte by byte. Numbers are big-endian; amounts are two's complement; ids are the 16 bytes of the UUID;
//! times are seconds since 1970-01-01 UTC; an asset is its code filled up with zero bytes to eight. A leaf has exactly
//! the length of its kind, and every value has exactly one form: what decodes, encodes to the same bytes.
//!
//! All kinds begin with
//!
//! ```text
//!  0   4  "FXPL"
//!  4   1  version, 1
//!  5   1  kind: 0 epoch header, 1 invoice line, 2 payout
//!  6   8  epoch, from 1
//! ```
//!
//! Epoch header, 94 bytes:
//!
//! ```text
//! 14  32  root of the epoch before; zero bytes in epoch 1
//! 46   8  opened at
//! 54   8  closed at, later than opened
//! 62   4  number of lines
//! 66   4  number of payouts
//! 70   8  sum of the amounts of the lines
//! 78   8  sum of the amounts of the payouts
//! 86   8  asset
//! ```
//!
//! Invoice line, 207 bytes:
//!
//! ```text
//!  14  16  invoice
//!  30   4  number of the line in the invoice
//!  34  32  commitment to the customer
//!  66  16  application
//!  82  16  instance
//!  98  16  node
//! 114  16  quote the price comes from
//! 130   4  version of the price table
//! 134   8  from
//! 142   8  to, later than from
//! 150   8  evidenced seconds in [from, to), of one copy: at most to - from
//! 158   1  kind of line: 1 usage, 2 refund
//! 159   8  amount: not negative for usage, negative for a refund
//! 167   8  asset
//! 175  32  SHA-256 of the evidence
//! ```
//!
//! Payout, 114 bytes:
//!
//! ```text
//!  14  16  id
//!  30  32  commitment to the operator
//!  62  16  node
//!  78   4  version of the table of shares
//!  82   8  amount for being online, not negative
//!  90   8  amount for hosting, not negative
//!  98   8  asset
//! 106   8  seconds online
//! ```

mod codec;
mod header;
mod line;
mod payout;

use std::fmt;

use fluxplane_core::id::EpochNumber;
use serde::{Deserialize, Serialize};

use self::{
    codec::{MAGIC, Reader, VERSION},
    header::HEADER_BYTES,
    line::LINE_BYTES,
    payout::PAYOUT_BYTES,
};
pub use self::{
    header::EpochHeader,
    line::{InvoiceLine, LineKind},
    payout::Payout,
};

/// One leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaf {
    Header(EpochHeader),
    Line(InvoiceLine),
    Payout(Payout),
}

/// Why bytes are no leaf, or values make none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    #[error("the leaf has {found} bytes, its kind has {expected}")]
    Length { found: usize, expected: usize },
    #[error("the leaf does not begin with FXPL; it is no settlement leaf")]
    Magic,
    #[error("the leaf has version {0}, known is version 1; use a newer verifier")]
    Version(u8),
    #[error("the leaf is of kind {0}, known are 0 (header), 1 (line) and 2 (payout)")]
    Kind(u8),
    #[error("{field} is {value}: {rule}")]
    Value {
        field: &'static str,
        value: String,
        rule: &'static str,
    },
}

fn wrong(field: &'static str, value: &dyn fmt::Display, rule: &'static str) -> LeafError {
    LeafError::Value {
        field,
        value: value.to_string(),
        rule,
    }
}

impl Leaf {
    pub const fn epoch(&self) -> EpochNumber {
        match self {
            Self::Header(header) => header.epoch,
            Self::Line(line) => line.epoch,
            Self::Payout(payout) => payout.epoch,
        }
    }

    /// Checks the rules that the byte form alone does not enforce.
    pub fn validate(&self) -> Result<(), LeafError> {
        if self.epoch().0 == 0 {
            return Err(wrong("epoch", &0, "epochs count from 1"));
        }
        match self {
            Self::Header(header) => header.validate(),
            Self::Line(line) => line.validate(),
            Self::Payout(payout) => payout.validate(),
        }
    }

    /// The byte form. The leaf should be valid, or what it encodes to will not decode.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Header(header) => header.encode(),
            Self::Line(line) => line.encode(),
            Self::Payout(payout) => payout.encode(),
        }
    }

    /// Reads the byte form and checks it.
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        let mut reader = Reader::new(bytes);
        let expected = HEADER_BYTES.min(LINE_BYTES).min(PAYOUT_BYTES);
        if bytes.len() < expected {
            return Err(LeafError::Length {
                found: bytes.len(),
                expected,
            });
        }
        if reader.array() != MAGIC {
            return Err(LeafError::Magic);
        }
        let [version] = reader.array();
        if version != VERSION {
            return Err(LeafError::Version(version));
        }
        let [kind] = reader.array();
        let expected = match kind {
            0 => HEADER_BYTES,
            1 => LINE_BYTES,
            2 => PAYOUT_BYTES,
            other => return Err(LeafError::Kind(other)),
        };
        if bytes.len() != expected {
            return Err(LeafError::Length {
                found: bytes.len(),
                expected,
            });
        }
        let epoch = EpochNumber(reader.u64());
        let leaf = match kind {
            0 => Self::Header(EpochHeader::read(epoch, &mut reader)?),
            1 => Self::Line(InvoiceLine::read(epoch, &mut reader)?),
            _ => Self::Payout(Payout::read(epoch, &mut reader)?),
        };
        leaf.validate()?;
        Ok(leaf)
    }
}
