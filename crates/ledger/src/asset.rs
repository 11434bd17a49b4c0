//! What a ledger counts. Different assets are different ledgers: amounts of two assets are never added, and a
//! transfer moves one asset only.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The code of an asset: two to eight capital letters and digits, such as `FLUX`. Amounts are in its smallest unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Asset([u8; Asset::BYTES]);

impl Asset {
    /// FLUX on its main chain, in sat.
    pub const FLUX: Self = Self(*b"FLUX\0\0\0\0");

    /// Length of the binary form.
    pub const BYTES: usize = 8;

    /// The code, filled up with zero bytes.
    pub const fn bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    /// Reads the binary form; `None` when it is no code.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let length = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(Self::BYTES);
        let (code, filling) = bytes.split_at(length);
        let capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let valid = length >= 2 && code.iter().all(capital) && filling.iter().all(|b| *b == 0);
        valid.then_some(Self(bytes))
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.0.iter().take_while(|byte| **byte != 0);
        let code: String = code.map(|byte| char::from(*byte)).collect();
        f.pad(&code)
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asset({self})")
    }
}

/// A text that is no asset code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("asset `{0}` is not a code of two to eight capital letters and digits, such as FLUX")]
pub struct ParseAssetError(String);

impl FromStr for Asset {
    type Err = ParseAssetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseAssetError(text.to_owned());
        let mut bytes = [0; Self::BYTES];
        let target = bytes.get_mut(..text.len()).ok_or_else(error)?;
        target.copy_from_slice(text.as_bytes());
        Self::from_bytes(bytes).ok_or_else(error)
    }
}

impl TryFrom<String> for Asset {
    type Error = ParseAssetError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Asset> for String {
    fn from(asset: Asset) -> Self {
        asset.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_two_to_eight_capitals() {
        assert_eq!("FLUX".parse(), Ok(Asset::FLUX));
        assert_eq!("FLUXETH1".parse::<Asset>().unwrap().to_string(), "FLUXETH1");
        for bad in ["", "F", "flux", "FLUX-ETH", "FLUXETHER", "FL\0UX", "FLÜX"] {
            assert!(bad.parse::<Asset>().is_err(), "{bad}");
        }
        assert_eq!(Asset::from_bytes(*b"FLUX\0\0\0A"), None);
    }
}
