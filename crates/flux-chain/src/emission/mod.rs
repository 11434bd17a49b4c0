//! The supply over time. It is a fixed schedule: no rule of the chain looks at burning, usage or revenue.
//!
//! Amounts are exact. They count what the rules allow to be created; miners left a little unclaimed, so the coins that exist are a
//! little fewer (2,078.55 FLUX at height 2,996,923).

mod calendar;
mod years;

use fluxplane_core::Sat;

pub use calendar::{CalendarYear, Schedule};
pub use years::{PonYear, pon_year};

use crate::{
    params::ChainParams,
    subsidy::{block_subsidy, pon_subsidy},
};

/// Coins created by the blocks from 1 to `height`, one-time payments included.
pub fn supply(params: &ChainParams, height: u32) -> Sat {
    Sat::new(mined(params, height) + pon_issued(params, height) + one_time(params, height))
}

/// Coins created by the blocks `from..=to`.
pub fn emission(params: &ChainParams, from: u32, to: u32) -> Sat {
    let before = from
        .checked_sub(1)
        .map_or(Sat::ZERO, |height| supply(params, height));
    Sat::new((supply(params, to).get() - before.get()).max(0))
}

/// First height of Proof of Node that creates coins; the genesis block never does.
fn first_pon(params: &ChainParams) -> u32 {
    u32::try_from(params.pon.activation).unwrap_or(0).max(1)
}

/// Subsidies of mined blocks up to `height`.
fn mined(params: &ChainParams, height: u32) -> i64 {
    let last = height.min(first_pon(params).saturating_sub(1));
    // The ramp is short; behind it the subsidy is constant between halvings.
    let ramp_end = params.pow.slow_start_interval.max(2);
    let ramp: i64 = (1..=last.min(ramp_end.saturating_sub(1)))
        .map(|height| block_subsidy(params, height).get())
        .sum();
    let shift = params.pow.slow_start_interval / 2;
    let mut total = ramp;
    let mut from = ramp_end;
    while from <= last {
        let era = from.saturating_sub(shift) / params.pow.halving_interval;
        let era_end = (era + 1)
            .saturating_mul(params.pow.halving_interval)
            .saturating_add(shift);
        let to = last.min(era_end.saturating_sub(1));
        total += block_subsidy(params, from).get() * i64::from(to - from + 1);
        let Some(next) = to.checked_add(1) else { break };
        from = next;
    }
    total
}

/// Subsidies of proof-of-node blocks up to `height`.
fn pon_issued(params: &ChainParams, height: u32) -> i64 {
    let interval = i64::from(params.pon.reduction_interval);
    let mut total = 0;
    let mut from = i64::from(first_pon(params));
    let last = i64::from(height);
    while from <= last {
        let year = (from - params.pon.activation) / interval;
        let cuts = u32::try_from(year)
            .unwrap_or(u32::MAX)
            .min(params.pon.max_reductions);
        let end = if cuts == params.pon.max_reductions {
            last
        } else {
            last.min(params.pon.activation + (year + 1) * interval - 1)
        };
        total += pon_subsidy(params, cuts).get() * (end - from + 1);
        from = end + 1;
    }
    total
}

/// One-time payments up to `height`.
fn one_time(params: &ChainParams, height: u32) -> i64 {
    let funds = &params.funds;
    let once = [&funds.exchange, &funds.foundation]
        .into_iter()
        .filter(|fund| (1..=height).contains(&fund.height))
        .map(|fund| fund.amount.get())
        .sum::<i64>();
    let pool = &funds.swap_pool;
    let times = height
        .checked_sub(pool.start_height)
        .map_or(0, |since| (since / pool.interval + 1).min(pool.times));
    once + pool.amount.get() * i64::from(times)
}

/// New coins in relation to the coins there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inflation {
    pub emission: Sat,
    pub supply: Sat,
}

impl Inflation {
    /// Parts per million, rounded to the nearest. Zero when there was no supply.
    pub fn parts_per_million(&self) -> u64 {
        let supply = i128::from(self.supply.get()).max(1);
        let scaled = i128::from(self.emission.get()) * 1_000_000;
        u64::try_from((scaled + supply / 2) / supply).unwrap_or(0)
    }

    /// Whether inflation is below a bound, decided without rounding.
    pub fn below(&self, parts_per_million: u64) -> bool {
        i128::from(self.emission.get()) * 1_000_000
            < i128::from(self.supply.get()) * i128::from(parts_per_million)
    }
}
