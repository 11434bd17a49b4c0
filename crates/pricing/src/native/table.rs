//! One version of the price list: rates, tier factors, discounts.
//!
//! A table is never changed; a new one with the next version begins at a later epoch, see [`super::tables`].

use std::collections::BTreeMap;

use fluxplane_core::Tier;
use serde::{Deserialize, Serialize};

use super::{
    amount::{MicroUsd, Rate},
    discount::{Brackets, WHOLE_PPM},
    order::Plan,
};

/// One version of the price list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// 1 for the first table, then one more each.
    pub version: u32,
    /// The first settlement epoch in which it holds.
    pub from_epoch: u64,
    pub rates: Rates,
    pub tiers: TierFactors,
    /// Discounts of a term that may be ended early.
    pub term: Brackets,
    /// Discounts of a term that is owed to its end: at every second at least those of `term`.
    pub commitment: Brackets,
    /// What is taken off a price that is paid in FLUX, in parts per million.
    pub flux_discount_ppm: u32,
}

/// Prices per second and unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// A thousandth of a cpu thread.
    pub cpu_milli: Rate,
    /// A MiB of memory.
    pub memory_mib: Rate,
    /// A GiB of disk.
    pub disk_gib: Rate,
    /// A whole graphics processor, by class: model and GiB of memory, `h100-80`, in at most 32 of `a-z`, `0-9` and `-`.
    pub gpus: BTreeMap<String, Rate>,
    /// An address that stays.
    pub static_ip: Rate,
    /// A port that costs extra.
    pub priced_port: Rate,
    /// A GiB of traffic out; without it traffic is not sold, and an order that asks for some is refused.
    #[serde(default)]
    pub egress_gib: Option<MicroUsd>,
}

/// What cpu, memory and disk cost on nodes of a tier, in parts per million of the rate. Higher tiers cost at least as
/// much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierFactors {
    pub cumulus: u32,
    pub nimbus: u32,
    pub stratus: u32,
}

impl TierFactors {
    /// The factor of a tier; of the lowest when any will do.
    pub const fn of(self, tier: Option<Tier>) -> u32 {
        match tier {
            None | Some(Tier::Cumulus) => self.cumulus,
            Some(Tier::Nimbus) => self.nimbus,
            Some(Tier::Stratus) => self.stratus,
        }
    }
}

/// A table that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    #[error("rates.{field} is {rate} micro-dollars per second, but at most {max} is allowed", max = Rate::MAX)]
    Rate { field: String, rate: Rate },
    #[error(
        "`{0}` is no class of graphics processors; write model and GiB such as h100-80, in at most 32 of a-z, 0-9 and -"
    )]
    GpuClass(String),
    #[error("tiers.{tier} is {factor}, but must be between 1 and 10000000 parts per million")]
    Factor { tier: &'static str, factor: u32 },
    #[error("tiers.{higher} is below tiers.{lower}, but a higher tier must not cost less")]
    Tiers {
        lower: &'static str,
        higher: &'static str,
    },
    #[error(
        "after {second} seconds the discount of a commitment is {commitment} parts per million and that of a term {term}; whoever commits must not pay more"
    )]
    Commitment {
        second: u64,
        commitment: u32,
        term: u32,
    },
    #[error("flux_discount_ppm is {0}, but must be below 1000000; something must be left to pay")]
    FluxDiscount(u32),
}

impl Table {
    /// Checks what the types leave open.
    ///
    /// # Errors
    /// With the first field that makes no sense.
    pub fn validate(&self) -> Result<(), TableError> {
        self.rates.validate()?;
        self.tiers.validate()?;
        let starts = self
            .term
            .as_slice()
            .iter()
            .chain(self.commitment.as_slice());
        for second in starts.map(|bracket| bracket.from_seconds) {
            let (commitment, term) = (self.commitment.at(second), self.term.at(second));
            if commitment < term {
                return Err(TableError::Commitment {
                    second,
                    commitment,
                    term,
                });
            }
        }
        if self.flux_discount_ppm >= WHOLE_PPM {
            return Err(TableError::FluxDiscount(self.flux_discount_ppm));
        }
        Ok(())
    }

    /// The brackets of a plan.
    pub const fn brackets(&self, plan: Plan) -> &Brackets {
        const NONE: &Brackets = &Brackets::NONE;
        match plan {
            Plan::PayAsYouGo => NONE,
            Plan::Term => &self.term,
            Plan::Committed => &self.commitment,
        }
    }
}

impl Rates {
    /// The dearest class of one of these models, in any case, with at least this much memory per card; no models mean
    /// all. Whoever takes any of several cards pays at most this.
    pub fn dearest_gpu(&self, models: &[String], memory_mib: u64) -> Option<&str> {
        const MIB_PER_GIB: u64 = 1_024;
        let fits = |class: &str| {
            model_and_gib(class).is_some_and(|(own, gib)| {
                let is_asked = models.iter().any(|model| model.eq_ignore_ascii_case(own));
                (models.is_empty() || is_asked) && gib.saturating_mul(MIB_PER_GIB) >= memory_mib
            })
        };
        let fitting = self.gpus.iter().filter(|(class, _)| fits(class));
        fitting
            .max_by_key(|(_, rate)| **rate)
            .map(|(class, _)| class.as_str())
    }

    fn validate(&self) -> Result<(), TableError> {
        let named = [
            ("cpu_milli", self.cpu_milli),
            ("memory_mib", self.memory_mib),
            ("disk_gib", self.disk_gib),
            ("static_ip", self.static_ip),
            ("priced_port", self.priced_port),
        ];
        let own = named.map(|(field, rate)| (field.to_owned(), rate));
        let gpus = self.gpus.iter();
        let gpus = gpus.map(|(class, rate)| (format!("gpus.{class}"), *rate));
        for (field, rate) in own.into_iter().chain(gpus) {
            if rate > Rate::MAX {
                return Err(TableError::Rate { field, rate });
            }
        }
        match self.gpus.keys().find(|class| !is_class(class)) {
            Some(class) => Err(TableError::GpuClass(class.clone())),
            None => Ok(()),
        }
    }
}

fn is_class(text: &str) -> bool {
    const LONGEST: usize = 32;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= LONGEST && text.bytes().all(fits) && model_and_gib(text).is_some()
}

/// The two halves of a class.
fn model_and_gib(class: &str) -> Option<(&str, u64)> {
    let (model, gib) = class.rsplit_once('-')?;
    let is_number = gib.bytes().all(|byte| byte.is_ascii_digit());
    let gib = gib.parse().ok().filter(|_| is_number)?;
    (!model.is_empty()).then_some((model, gib))
}

impl TierFactors {
    fn validate(self) -> Result<(), TableError> {
        /// Ten times the price.
        const MAX: u32 = 10 * WHOLE_PPM;
        let all = [
            ("cumulus", self.cumulus),
            ("nimbus", self.nimbus),
            ("stratus", self.stratus),
        ];
        for (tier, factor) in all {
            if !(1..=MAX).contains(&factor) {
                return Err(TableError::Factor { tier, factor });
            }
        }
        for ((lower, below), (higher, above)) in all.into_iter().zip(all.into_iter().skip(1)) {
            if above < below {
                return Err(TableError::Tiers { lower, higher });
            }
        }
        Ok(())
    }
}
