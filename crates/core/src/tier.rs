//! Node tiers. What each must lock and what it earns is in `flux-chain`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The class of a fluxnode, by locked collateral and measured hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Tier {
    Cumulus,
    Nimbus,
    Stratus,
}

impl Tier {
    pub const ALL: [Self; 3] = [Self::Cumulus, Self::Nimbus, Self::Stratus];

    /// The number the chain uses (fluxd `src/fluxnode/fluxnode.h`, `Tier`).
    pub const fn number(self) -> u8 {
        match self {
            Self::Cumulus => 1,
            Self::Nimbus => 2,
            Self::Stratus => 3,
        }
    }

    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Cumulus),
            2 => Some(Self::Nimbus),
            3 => Some(Self::Stratus),
            _ => None,
        }
    }

    /// The name as fluxd prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cumulus => "CUMULUS",
            Self::Nimbus => "NIMBUS",
            Self::Stratus => "STRATUS",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tier; use cumulus, nimbus or stratus")]
pub struct ParseTierError(String);

impl FromStr for Tier {
    type Err = ParseTierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|tier| tier.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| ParseTierError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for tier in Tier::ALL {
            assert_eq!(Tier::from_number(tier.number()), Some(tier));
            assert_eq!(tier.name().parse(), Ok(tier));
        }
        assert_eq!(Tier::from_number(0), None);
        assert!("basic".parse::<Tier>().is_err());
    }
}
