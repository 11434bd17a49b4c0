//! Calendar years. Which block is the first of a year follows from an anchor, a block whose time is known, and a spacing.

use std::time::Duration;

use fluxplane_core::Sat;

use crate::{
    emission::{Inflation, emission, supply},
    params::ChainParams,
};

/// Nanoseconds of a second.
const NANOS: i128 = 1_000_000_000;

/// Time of the first proof-of-node block of the main network.
const MAIN_PON_TIME: i64 = 1_761_415_235;

/// How heights map to time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    pub anchor_height: u32,
    /// Unix seconds.
    pub anchor_time: i64,
    /// Between blocks before the anchor, and after it.
    pub spacing_before: Duration,
    pub spacing_after: Duration,
}

/// What a calendar year brings. The year has the blocks `first_height..=last_height`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarYear {
    pub year: i32,
    pub first_height: u32,
    pub last_height: u32,
    pub emission: Sat,
    pub supply_at_start: Sat,
}

impl CalendarYear {
    pub const fn inflation(&self) -> Inflation {
        Inflation {
            emission: self.emission,
            supply: self.supply_at_start,
        }
    }
}

impl Schedule {
    /// The first proof-of-node block of the main network, 120 s before it and 30 s after it.
    pub const fn main() -> Self {
        Self {
            anchor_height: 2_020_000,
            anchor_time: MAIN_PON_TIME,
            spacing_before: Duration::from_mins(2),
            spacing_after: Duration::from_secs(30),
        }
    }

    /// The same anchor with another spacing after it, such as one that was measured.
    #[must_use]
    pub const fn with_spacing(mut self, spacing: Duration) -> Self {
        self.spacing_after = spacing;
        self
    }

    /// The block a moment falls to, counted from the anchor and rounded toward it.
    pub fn height_at(&self, time: i64) -> u32 {
        let distance = i128::from(time) - i128::from(self.anchor_time);
        let spacing = if distance < 0 {
            self.spacing_before
        } else {
            self.spacing_after
        };
        let spacing = i128::try_from(spacing.as_nanos())
            .unwrap_or(i128::MAX)
            .max(1);
        let height = i128::from(self.anchor_height) + distance * NANOS / spacing;
        u32::try_from(height.max(0)).unwrap_or(u32::MAX)
    }

    /// When a block is due, in Unix seconds.
    pub fn time_of(&self, height: u32) -> i64 {
        let blocks = i128::from(height) - i128::from(self.anchor_height);
        let spacing = if blocks < 0 {
            self.spacing_before
        } else {
            self.spacing_after
        };
        let nanos = blocks * i128::try_from(spacing.as_nanos()).unwrap_or(i128::MAX);
        self.anchor_time + i64::try_from(nanos.div_euclid(NANOS)).unwrap_or(i64::MAX)
    }

    /// Emission and supply of a calendar year (UTC).
    pub fn year(&self, params: &ChainParams, year: i32) -> CalendarYear {
        let first_height = self.height_at(year_start(year));
        let last_height = self.height_at(year_start(year + 1)).saturating_sub(1);
        CalendarYear {
            year,
            first_height,
            last_height,
            emission: emission(params, first_height, last_height),
            supply_at_start: supply(params, first_height.saturating_sub(1)),
        }
    }

    /// The first year in `years` whose inflation is below a bound.
    pub fn first_year_below(
        &self,
        params: &ChainParams,
        parts_per_million: u64,
        years: std::ops::RangeInclusive<i32>,
    ) -> Option<CalendarYear> {
        years
            .map(|year| self.year(params, year))
            .find(|year| year.inflation().below(parts_per_million))
    }
}

/// Unix time of the first second of a year of the Gregorian calendar.
fn year_start(year: i32) -> i64 {
    /// Days from the first day of year 1 to 1 January 1970.
    const EPOCH: i64 = 719_162;
    let before = i64::from(year) - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    (before * 365 + leap_days - EPOCH) * 86_400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_start_when_they_should() {
        for (year, unix) in [
            (1970, 0),
            (1972, 63_072_000),
            (2000, 946_684_800),
            (2001, 978_307_200),
            (2025, 1_735_689_600),
            (2100, 4_102_444_800),
            (2101, 4_133_980_800),
        ] {
            assert_eq!(year_start(year), unix, "{year}");
        }
    }

    #[test]
    fn heights_and_times_lead_back() {
        let schedule = Schedule::main();
        for height in [2_020_000, 2_020_001, 3_071_200, 2_019_999] {
            assert_eq!(schedule.height_at(schedule.time_of(height)), height);
        }
    }
}
