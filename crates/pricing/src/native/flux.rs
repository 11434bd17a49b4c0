//! The exchange rate as a ratio of integers, and what a price is in FLUX.

use std::{cmp::Ordering, fmt, str::FromStr};

use fluxplane_core::{Sat, money::SAT_PER_FLUX};
use serde::{Deserialize, Serialize};

use super::{
    amount::MicroUsd, apportion::round_down, discount::WHOLE_PPM, price::Price, table::Table,
};
use crate::legacy::FluxUsdRate;

/// So many micro-dollars for so many sat, in lowest terms. Between one micro-dollar and a million dollars per FLUX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawRatio", into = "RawRatio")]
pub struct FluxUsd {
    micro_usd: u64,
    sat: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRatio {
    micro_usd: u64,
    sat: u64,
}

/// What is no exchange rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FluxUsdError {
    #[error(
        "{micro_usd} micro-dollars for {sat} sat is no rate; a FLUX of 100000000 sat costs 1 to 1000000000000 micro-dollars"
    )]
    Range { micro_usd: u64, sat: u64 },
    #[error("`{0}` is no rate; write dollars per FLUX with at most 12 decimals, such as 0.0512")]
    Malformed(String),
}

/// Decimals of a rate that is read from a text.
const DECIMALS: usize = 12;
/// Decimals of a micro-dollar.
const MICRO_DECIMALS: u32 = 6;
/// Largest terms of a ratio; products of two and of a million fit into 128 bits.
const MAX_MICRO_USD: u64 = 1_000_000_000_000_000_000;
const MAX_SAT: u64 = 100_000_000_000_000;

impl FluxUsd {
    /// # Errors
    /// When a FLUX would cost less than a micro-dollar or more than a million dollars.
    pub fn new(micro_usd: u64, sat: u64) -> Result<Self, FluxUsdError> {
        /// Micro-dollars in the most that a FLUX may cost.
        const DEAREST: u128 = 1_000_000_000_000;
        let range = FluxUsdError::Range { micro_usd, sat };
        if micro_usd == 0 || sat == 0 {
            return Err(range);
        }
        let divisor = greatest_common_divisor(micro_usd, sat);
        let (micro_usd, sat) = (micro_usd / divisor, sat / divisor);
        let flux = u128::from(SAT_PER_FLUX.unsigned_abs());
        let per_flux = u128::from(micro_usd) * flux;
        let is_rate = micro_usd <= MAX_MICRO_USD
            && sat <= MAX_SAT
            && (u128::from(sat)..=DEAREST * u128::from(sat)).contains(&per_flux);
        if is_rate {
            Ok(Self { micro_usd, sat })
        } else {
            Err(range)
        }
    }

    pub const fn micro_usd(self) -> u64 {
        self.micro_usd
    }

    pub const fn sat(self) -> u64 {
        self.sat
    }

    /// Whether `self` differs from `other` by at most so many parts per million of `other`.
    pub fn is_within(self, other: Self, ppm: u32) -> bool {
        let (own, theirs) = self.cross(other);
        own.abs_diff(theirs) * u128::from(WHOLE_PPM) <= theirs * u128::from(ppm)
    }

    /// Both rates over the same denominator. Below 10³², by the limits on the terms.
    fn cross(self, other: Self) -> (u128, u128) {
        (
            u128::from(self.micro_usd) * u128::from(other.sat),
            u128::from(other.micro_usd) * u128::from(self.sat),
        )
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl PartialOrd for FluxUsd {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FluxUsd {
    /// By what a FLUX costs.
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, theirs) = self.cross(*other);
        own.cmp(&theirs)
    }
}

impl fmt::Display for FluxUsd {
    /// Dollars per FLUX with twelve decimals, rounded down: `0.051200000000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Sat in a FLUX, times the decimals beyond a micro-dollar.
        const SCALE: u128 = 100_000_000 * 1_000_000;
        const WHOLE: u128 = 1_000_000_000_000;
        let pico = u128::from(self.micro_usd) * SCALE / u128::from(self.sat);
        f.pad(&format!("{}.{:012}", pico / WHOLE, pico % WHOLE))
    }
}

impl FromStr for FluxUsd {
    type Err = FluxUsdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        /// Sat that cost the digits of the text in micro-dollars, when it has all decimals.
        const SAT: u64 = 100_000_000 * 10_u64.pow(MICRO_DECIMALS);
        let malformed = || FluxUsdError::Malformed(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS {
            return Err(malformed());
        }
        let number: u64 = format!("{whole}{fraction:0<DECIMALS$}")
            .parse()
            .map_err(|_| malformed())?;
        Self::new(number, SAT)
    }
}

impl TryFrom<RawRatio> for FluxUsd {
    type Error = FluxUsdError;

    fn try_from(raw: RawRatio) -> Result<Self, Self::Error> {
        Self::new(raw.micro_usd, raw.sat)
    }
}

impl From<FluxUsd> for RawRatio {
    fn from(rate: FluxUsd) -> Self {
        let FluxUsd { micro_usd, sat } = rate;
        Self { micro_usd, sat }
    }
}

impl TryFrom<FluxUsdRate> for FluxUsd {
    type Error = FluxUsdError;

    fn try_from(rate: FluxUsdRate) -> Result<Self, Self::Error> {
        Self::new(rate.micros().into(), SAT_PER_FLUX.unsigned_abs())
    }
}

/// A price in FLUX, beside the one in dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FluxPrice {
    pub rate: FluxUsd,
    /// What paying in FLUX takes off, in parts per million.
    pub discount_ppm: u32,
    /// What is paid: the sum of the lines.
    pub total: Sat,
    /// In the order of the price's lines, in proportion to their dollars.
    pub lines: Vec<Sat>,
}

impl Price {
    /// The same price in FLUX: dollars less the discount for FLUX, at the rate, rounded down. `table` is the one that
    /// the price was made by. `None` when there is not so much FLUX.
    pub fn in_flux(&self, table: &Table, rate: FluxUsd) -> Option<FluxPrice> {
        let discount_ppm = table.flux_discount_ppm;
        let part = u128::from(WHOLE_PPM.checked_sub(discount_ppm)?);
        let exact = |usd: MicroUsd| {
            u128::from(usd.get())
                .checked_mul(part)?
                .checked_mul(u128::from(rate.sat))
        };
        let lines = self.lines.iter().map(|line| exact(line.amount));
        let lines = lines.collect::<Option<Vec<_>>>()?;
        let denominator = u128::from(rate.micro_usd) * u128::from(WHOLE_PPM);
        let (total, lines) = round_down(&lines, denominator)?;
        let sat = |amount: u64| i64::try_from(amount).ok().map(Sat::new);
        Some(FluxPrice {
            rate,
            discount_ppm,
            total: sat(total)?,
            lines: lines.into_iter().map(sat).collect::<Option<_>>()?,
        })
    }
}
