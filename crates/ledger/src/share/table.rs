//! The parameters of sharing.

use chrono::{DateTime, Utc};
use fluxplane_core::Tier;
use serde::{Deserialize, Serialize};

/// Parts of ten thousand in a whole.
pub(super) const WHOLE: u32 = 10_000;

/// The parameters of sharing, versioned. A distribution names the version it was made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareTable {
    pub version: u32,
    /// The operators' part grows on every anniversary of this day.
    pub starts_at: DateTime<Utc>,
    /// The operators' part in the first year, in parts of ten thousand.
    pub first_part: u32,
    /// Growth per year, in parts of ten thousand.
    pub yearly_growth: u32,
    /// The most it grows to, in parts of ten thousand.
    pub last_part: u32,
    /// What of the operators' part goes to all online nodes, in parts of ten thousand; the rest goes to hosts.
    pub online_part: u32,
    pub tier_weights: TierWeights,
}

/// What a second online counts for, by tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierWeights {
    pub cumulus: u32,
    pub nimbus: u32,
    pub stratus: u32,
}

impl TierWeights {
    /// In proportion to what a node of the tier locks: 1,000, 12,500 and 40,000 FLUX.
    pub const BY_COLLATERAL: Self = Self {
        cumulus: 2,
        nimbus: 25,
        stratus: 80,
    };

    pub const fn of(self, tier: Tier) -> u32 {
        match tier {
            Tier::Cumulus => self.cumulus,
            Tier::Nimbus => self.nimbus,
            Tier::Stratus => self.stratus,
        }
    }
}

/// Parameters that make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareTableError {
    #[error("{field} is {value}, but parts of ten thousand are at most 10000")]
    MoreThanAll { field: &'static str, value: u32 },
    #[error("first_part is {first}, which is more than last_part {last}; the part grows")]
    Shrinks { first: u32, last: u32 },
}

impl ShareTable {
    /// The first table: 25 % growing by two points a year to 50 %, 80 % of it to all online nodes.
    pub const fn first(starts_at: DateTime<Utc>) -> Self {
        Self {
            version: 1,
            starts_at,
            first_part: 2_500,
            yearly_growth: 200,
            last_part: 5_000,
            online_part: 8_000,
            tier_weights: TierWeights::BY_COLLATERAL,
        }
    }

    pub fn validate(&self) -> Result<(), ShareTableError> {
        let parts = [
            ("first_part", self.first_part),
            ("last_part", self.last_part),
            ("online_part", self.online_part),
        ];
        for (field, value) in parts {
            if value > WHOLE {
                return Err(ShareTableError::MoreThanAll { field, value });
            }
        }
        if self.first_part > self.last_part {
            return Err(ShareTableError::Shrinks {
                first: self.first_part,
                last: self.last_part,
            });
        }
        Ok(())
    }

    /// The operators' part of revenue earned at `at`, in parts of ten thousand. Before the start it is the first one.
    pub fn operators_part(&self, at: DateTime<Utc>) -> u32 {
        let years = at.years_since(self.starts_at).unwrap_or(0);
        let grown = self.yearly_growth.saturating_mul(years);
        self.first_part.saturating_add(grown).min(self.last_part)
    }
}
