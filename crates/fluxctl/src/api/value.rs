//! Values that many documents share.

use std::{fmt, str::FromStr};

use fluxplane_core::Sat;
use serde::{Deserialize, Serialize};

/// An amount of money: a decimal text for people, the smallest units for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Decimal text with all places: 8 for FLUX, 6 for USD.
    pub amount: String,
    pub currency: String,
    /// In the smallest unit: sat, micro-dollar.
    pub units: i64,
}

impl Amount {
    pub fn flux(sat: Sat) -> Self {
        Self {
            amount: sat.to_string(),
            currency: "FLUX".to_owned(),
            units: sat.get(),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.amount, self.currency))
    }
}

/// An output of a transaction, `txid:vout`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OutPoint {
    pub txid: String,
    pub vout: u32,
}

impl fmt::Display for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.txid, self.vout))
    }
}

/// A text that names no output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not TXID:VOUT, 64 hexadecimal digits, a colon and a number")]
pub struct ParseOutPointError(String);

impl FromStr for OutPoint {
    type Err = ParseOutPointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseOutPointError(text.to_owned());
        let (txid, vout) = text.split_once(':').ok_or_else(wrong)?;
        if txid.len() != 64 || !txid.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let vout = vout.parse().map_err(|_| wrong())?;
        Ok(Self {
            txid: txid.to_ascii_lowercase(),
            vout,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outpoint_reads_back() {
        let text = format!("{}:7", "ab".repeat(32));
        assert_eq!(text.parse::<OutPoint>().unwrap().to_string(), text);
        for wrong in [
            "",
            ":",
            "ab:0",
            &"ab".repeat(32),
            &format!("{}:-1", "ab".repeat(32)),
        ] {
            assert!(wrong.parse::<OutPoint>().is_err(), "{wrong}");
        }
    }
}
