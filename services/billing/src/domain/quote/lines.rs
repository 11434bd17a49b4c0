//! What a price of FluxOS consists of, line by line, in both currencies.
//!
//! FluxOS makes its prices in several steps of two decimals each, and its price in FLUX is not its price in dollars at the
//! rate. The lines name each step by what it adds or takes off, so that each currency adds up to its price exactly.

use fluxplane_app_spec::legacy::default_term;
use fluxplane_core::{Sat, money::SAT_PER_FLUX};
use fluxplane_pricing::legacy::{FluxDiscount, FluxUsdRate, LegacyQuote};
use serde::{Deserialize, Serialize};

/// Micro-dollars in a cent.
pub const MICRO_PER_CENT: i64 = 10_000;

/// One part of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceLine {
    pub item: String,
    /// Micro-dollars; negative where something is taken off.
    pub micro_usd: i64,
    pub sat: i64,
}

/// What the lines are made of.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub copies: u32,
    /// What FluxOS asks.
    pub asked: &'a LegacyQuote,
    /// What it would ask without credit for a running term.
    pub fresh: &'a LegacyQuote,
    pub rate: FluxUsdRate,
    pub is_update: bool,
    /// What must be paid.
    pub price: Sat,
}

/// The lines of a price. Lines about nothing are left out, but for the first.
pub fn lines(facts: &Facts<'_>) -> Vec<PriceLine> {
    let Facts {
        copies,
        asked,
        fresh,
        rate,
        is_update,
        price,
    } = *facts;
    let list = list_cents(fresh);
    let in_flux = |usd_cents| line_at(rate, usd_cents);
    let noun = if copies == 1 { "instance" } else { "instances" };
    let mut lines = vec![in_flux(list).named(format!(
        "list price of {copies} {noun} for {} blocks",
        fresh.term_blocks
    ))];
    let off = fresh.usd.cents() - list;
    let what = "what FluxOS takes off for term and hardware, or adds up to its minimum";
    lines.push(in_flux(off).named(what.to_owned()));
    if is_update {
        let credit = asked.usd.cents() - fresh.usd.cents();
        lines.push(in_flux(credit).named("what is left of the running term".to_owned()));
    }
    let sum = |lines: &[PriceLine]| lines.iter().map(|line| line.sat).sum::<i64>();
    let in_flux_only = |item: String, sat: i64| PriceLine {
        item,
        micro_usd: 0,
        sat,
    };
    let flux = match asked.flux_discount {
        FluxDiscount::Free => Sat::ZERO,
        FluxDiscount::Percent(_) | FluxDiscount::NotPossible => asked.flux,
    };
    let item = match asked.flux_discount {
        FluxDiscount::Free => "nothing is due".to_owned(),
        FluxDiscount::Percent(percent) => {
            format!("{percent} % less for paying in FLUX, to two decimals")
        }
        FluxDiscount::NotPossible => "the network's own quote in FLUX, which is higher".to_owned(),
    };
    let sat = flux.get() - sum(&lines);
    lines.push(in_flux_only(item, sat));
    let item = "raised to what the network accepts".to_owned();
    let sat = price.get() - sum(&lines);
    lines.push(in_flux_only(item, sat));
    let mut first = true;
    lines.retain(|line| std::mem::take(&mut first) || line.micro_usd != 0 || line.sat != 0);
    lines
}

/// The list price of the whole term, rounded down: FluxOS lists it for its default term.
fn list_cents(quote: &LegacyQuote) -> i64 {
    let blocks = i128::from(quote.term_blocks);
    let of = i128::from(default_term(quote.height)).max(1);
    let cents = i128::from(quote.monthly_usd.cents()) * blocks / of;
    i64::try_from(cents).unwrap_or(i64::MAX)
}

/// Dollars and what they are in FLUX at the rate, rounded towards nothing.
fn line_at(rate: FluxUsdRate, usd_cents: i64) -> PriceLine {
    let micro_usd = usd_cents.saturating_mul(MICRO_PER_CENT);
    let sat = i128::from(micro_usd) * i128::from(SAT_PER_FLUX) / i128::from(rate.micros()).max(1);
    PriceLine {
        item: String::new(),
        micro_usd,
        sat: i64::try_from(sat).unwrap_or(if sat < 0 { i64::MIN } else { i64::MAX }),
    }
}

impl PriceLine {
    fn named(self, item: String) -> Self {
        Self { item, ..self }
    }
}
