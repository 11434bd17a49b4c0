//! The coins of calendar years: what the rules create, counted from a block whose time is known.

use std::{ops::RangeInclusive, time::Duration};

use chrono::{DateTime, Datelike as _, Utc};
use fluxplane_flux_chain::{
    ChainParams, Network,
    emission::{CalendarYear, Schedule},
};

use crate::domain::nodes::statistics::spacing;

/// Years that can be asked for. Rules are known for far fewer.
pub const YEARS: RangeInclusive<i32> = 1970..=2999;

/// Most years of one answer.
pub const MOST_YEARS: i32 = 200;

/// Years that are shown to a caller who names none, the present one included.
pub const USUAL_YEARS: i32 = 16;

/// How heights map to time. On mainnet the first proof-of-node block is the anchor, elsewhere `latest`, a block and its time.
pub fn schedule(
    params: &ChainParams,
    latest: (u32, DateTime<Utc>),
    assumed: Option<Duration>,
) -> Schedule {
    let schedule = if params.network == Network::Main {
        Schedule::main()
    } else {
        let (height, time) = latest;
        let usual = spacing(params, height.saturating_add(1));
        Schedule {
            anchor_height: height,
            anchor_time: time.timestamp(),
            spacing_before: usual,
            spacing_after: usual,
        }
    };
    match assumed {
        Some(spacing) => schedule.with_spacing(spacing),
        None => schedule,
    }
}

/// The first calendar year of the chain's life whose inflation is below a bound. Years in which heights end say nothing.
pub fn first_year_below(
    schedule: &Schedule,
    params: &ChainParams,
    parts_per_million: u64,
) -> Option<CalendarYear> {
    let genesis = DateTime::from_timestamp(i64::from(params.genesis.time), 0)?;
    (genesis.year()..=*YEARS.end())
        .map(|year| schedule.year(params, year))
        .take_while(|year| year.last_height < u32::MAX - 1)
        .find(|year| year.inflation().below(parts_per_million))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(parts_per_million: u64) -> Option<i32> {
        let params = ChainParams::main();
        let schedule = schedule(&params, (0, DateTime::UNIX_EPOCH), None);
        first_year_below(&schedule, &params, parts_per_million).map(|year| year.year)
    }

    #[test]
    fn inflation_first_falls_below_one_per_cent_in_2036() {
        assert_eq!(first(10_000), Some(2036));
        assert_eq!(first(20_000), Some(2031));
        assert_eq!(first(9_822), Some(2037));
        assert_eq!(first(9_823), Some(2036));
        assert_eq!(first(0), None);
    }

    #[test]
    fn a_chain_without_a_known_past_is_counted_from_its_last_block() {
        let params = ChainParams::of(Network::Regtest);
        let time = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let slow = Duration::from_mins(2);
        let schedule = schedule(&params, (500, time), Some(slow));
        assert_eq!(
            (schedule.anchor_height, schedule.spacing_after),
            (500, slow)
        );
        assert_eq!(schedule.height_at(1_790_000_000), 500);
    }
}
