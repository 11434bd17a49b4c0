//! Years of Proof of Node: stretches of one subsidy. They have 1,051,200 blocks on the main network, 365 days at exact spacing.

use fluxplane_core::Sat;

use crate::{
    emission::{Inflation, supply},
    params::ChainParams,
    subsidy::block_subsidy,
};

/// A stretch of blocks with one subsidy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PonYear {
    /// Counted from 0.
    pub number: u32,
    pub first_height: u32,
    pub last_height: u32,
    pub subsidy: Sat,
    pub emission: Sat,
    pub supply_at_start: Sat,
}

impl PonYear {
    pub const fn inflation(&self) -> Inflation {
        Inflation {
            emission: self.emission,
            supply: self.supply_at_start,
        }
    }
}

/// The year with this number; `None` where heights end. After the last cut the subsidy stays, and years go on counting.
pub fn pon_year(params: &ChainParams, number: u32) -> Option<PonYear> {
    let interval = i64::from(params.pon.reduction_interval);
    let start = params.pon.activation + i64::from(number) * interval;
    let first_height = u32::try_from(start.max(1)).ok()?;
    let last_height = u32::try_from(start + interval - 1).ok()?;
    let subsidy = block_subsidy(params, first_height);
    let supply_at_start = supply(params, first_height - 1);
    let emission = supply(params, last_height).get() - supply_at_start.get();
    Some(PonYear {
        number,
        first_height,
        last_height,
        subsidy,
        emission: Sat::new(emission),
        supply_at_start,
    })
}
