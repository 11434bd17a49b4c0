//! What an application costs here. A specification of FluxOS: the price FluxOS shows its users, never less than what its
//! network would accept. One of `fluxplane/v1`: see [`native`].

pub mod lines;
pub mod native;

use std::fmt;

use chrono::{DateTime, Utc};
use fluxplane_app_spec::legacy::{LegacySpec, PON_FORK, default_term};
use fluxplane_core::{
    Sat,
    id::{QuoteId, RevisionId},
};
use fluxplane_pricing::legacy::{
    FluxDiscount, LegacyQuote, QuoteRequest,
    float::{Previous, PriceError, PriceTable, UsdPrices},
    quote,
};

pub use lines::PriceLine;
use serde::{Deserialize, Serialize};

use super::{price_list::PriceList, rate::Rate};

/// Seconds between blocks since the PON fork, and before it (fluxd `src/consensus/params.h`).
const PON_SPACING_S: u64 = 30;
const POW_SPACING_S: u64 = 120;

/// The revision that an update replaces.
#[derive(Debug, Clone)]
pub struct Running {
    pub revision: RevisionId,
    pub spec: LegacySpec,
    /// Height at which it was funded.
    pub height: u64,
    /// Heights at which the updates of the application were funded.
    pub updates: Vec<u64>,
}

/// A price and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What must be paid.
    pub price: Sat,
    /// What the same term costs without credit for an earlier one.
    pub value: Sat,
    /// Micro-dollars.
    pub micro_usd: i64,
    pub list: ListTerms,
    /// The list in words.
    pub price_table: String,
    pub term_seconds: u64,
    pub breakdown: Vec<String>,
    /// What it consists of; each currency adds up to its price.
    pub lines: Vec<PriceLine>,
}

/// The price list that an offer was made by, and what only that list knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListTerms {
    FluxOs {
        /// Height of the price row in force; -1 for the first.
        row: i64,
        /// The smallest amount that FluxOS nodes would accept.
        network_minimum: Sat,
        term_blocks: u64,
    },
    Native {
        version: u32,
    },
}

impl ListTerms {
    pub const fn list(self) -> PriceList {
        match self {
            Self::FluxOs { row, .. } => PriceList::FluxOs { row },
            Self::Native { version } => PriceList::Native { version },
        }
    }
}

/// What placement would have done when the quote was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIf {
    /// Nodes that could take a copy.
    pub nodes_matching: u32,
    pub nodes_known: u32,
    /// Copies that find a node, all placed together.
    pub instances_placeable: u32,
    /// Why the others find none, and what would help; empty when all do.
    pub pending_reason: String,
    /// Seconds from funding to healthy; `None` when no copy finds a node.
    pub expected_start_s: Option<u32>,
    /// Latest starts that this rests on; 0 for an assumption.
    pub starts_measured: u32,
    /// Nothing for updates, which are where they are, and for quotes from before room was kept.
    #[serde(default)]
    pub reserved: Option<ReservedRoom>,
}

/// Room that the scheduler keeps while the quote is firm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedRoom {
    /// Copies that have room.
    pub instances: u32,
    /// Why it is not all of them; empty when it is.
    pub shortage: String,
}

/// A stored offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub id: QuoteId,
    /// Who asked, and who must own the application.
    pub owner: String,
    pub app_name: String,
    pub spec: String,
    pub spec_sha256: [u8; 32],
    /// Revision whose unused term is credited.
    pub replaces: Option<RevisionId>,
    pub offer: Offer,
    pub rate: Rate,
    /// Height by which the price was made.
    pub height: u64,
    pub instances: u32,
    /// Nothing for quotes from before this was asked.
    pub what_if: Option<WhatIf>,
    /// Until when the name is kept for the owner.
    pub name_reserved_until: Option<DateTime<Utc>>,
    pub payment_address: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Prices a specification at a height.
///
/// # Errors
/// When the rules of FluxOS give no amount.
pub fn offer(
    spec: &LegacySpec,
    instances: u32,
    height: u64,
    rate: &Rate,
    running: Option<&Running>,
) -> Result<Offer, PriceError> {
    let Priced { fresh, asked } = price(spec, height, rate, running)?;
    let price = due(&asked);
    let term_seconds = asked.term_blocks * spacing(height);
    Ok(Offer {
        price,
        value: due(&fresh).max(price),
        micro_usd: asked.usd.cents().saturating_mul(lines::MICRO_PER_CENT),
        list: ListTerms::FluxOs {
            row: asked.price_row,
            network_minimum: asked.min_accepted,
            term_blocks: asked.term_blocks,
        },
        price_table: format!("FluxOS v8.17, row {} at height {height}", asked.price_row),
        term_seconds,
        breakdown: breakdown(instances, &asked, &fresh, rate, running.is_some(), price),
        lines: lines::lines(&lines::Facts {
            copies: instances,
            asked: &asked,
            fresh: &fresh,
            rate: rate.flux_usd,
            is_update: running.is_some(),
            price,
        }),
    })
}

/// What FluxOS says of a specification.
struct Priced {
    /// As a registration.
    fresh: LegacyQuote,
    /// With the credit of what runs.
    asked: LegacyQuote,
}

fn price(
    spec: &LegacySpec,
    height: u64,
    rate: &Rate,
    running: Option<&Running>,
) -> Result<Priced, PriceError> {
    let (table, usd) = (PriceTable::mainnet(), UsdPrices::default());
    let registration = QuoteRequest::registration(spec, height, rate.flux_usd);
    let fresh = quote(&registration, &table, &usd)?;
    let Some(running) = running else {
        let asked = fresh.clone();
        return Ok(Priced { fresh, asked });
    };
    let previous = Previous {
        spec: running.spec.clone(),
        height: running.height,
    };
    let request = QuoteRequest {
        previous: Some(&previous),
        recent_updates: &running.updates,
        ..registration
    };
    let asked = quote(&request, &table, &usd)?;
    Ok(Priced { fresh, asked })
}

/// What a specification would cost, without an offer that binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// What would have to be paid.
    pub price: Sat,
    /// In millionths of a dollar.
    pub micro_usd: i64,
    pub discount: FluxDiscount,
}

/// Estimates the price of a specification, which need not be one that can be deployed.
///
/// # Errors
/// When the rules of FluxOS give no amount.
pub fn estimate(
    spec: &LegacySpec,
    height: u64,
    rate: &Rate,
    running: Option<&Running>,
) -> Result<Estimate, PriceError> {
    let Priced { asked, .. } = price(spec, height, rate, running)?;
    Ok(Estimate {
        price: due(&asked),
        micro_usd: asked.usd.cents().saturating_mul(lines::MICRO_PER_CENT),
        discount: asked.flux_discount,
    })
}

/// A free update costs nothing; anything else at least what the network accepts.
fn due(quote: &LegacyQuote) -> Sat {
    match quote.flux_discount {
        FluxDiscount::Free => Sat::ZERO,
        FluxDiscount::Percent(_) | FluxDiscount::NotPossible => quote.flux.max(quote.min_accepted),
    }
}

/// Seconds a block stands for. A term that reaches over the fork is stretched with it, so its length stays that of
/// its beginning.
const fn spacing(height: u64) -> u64 {
    if height >= PON_FORK {
        PON_SPACING_S
    } else {
        POW_SPACING_S
    }
}

fn breakdown(
    instances: u32,
    asked: &LegacyQuote,
    fresh: &LegacyQuote,
    rate: &Rate,
    is_update: bool,
    price: Sat,
) -> Vec<String> {
    let LegacyQuote { height, .. } = *asked;
    let seconds = asked.term_blocks * spacing(height);
    let mut steps = vec![
        format!(
            "Rules of FluxOS v8.17 at height {height}; price row of height {}.",
            asked.price_row
        ),
        format!(
            "{} for {} costs {} USD by the price list, {} FLUX by the table of the network.",
            Copies(instances),
            Span(default_term(height) * spacing(height)),
            asked.monthly_usd,
            asked.monthly,
        ),
        format!(
            "The term is {} blocks, {}.",
            asked.term_blocks,
            Span(seconds)
        ),
        format!(
            "With the discounts of FluxOS for this term and hardware: {} USD.",
            fresh.usd
        ),
    ];
    if is_update {
        steps.push(match asked.flux_discount {
            FluxDiscount::Free => {
                "Nothing grows and the term ends when it would have ended: the update is free."
                    .to_owned()
            }
            FluxDiscount::Percent(_) | FluxDiscount::NotPossible => {
                format!(
                    "With credit for what is left of the running term: {} USD.",
                    asked.usd
                )
            }
        });
    }
    let micros = rate.flux_usd.micros();
    let (whole, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let source = &rate.source;
    steps.push(match asked.flux_discount {
        FluxDiscount::Free => "In FLUX: 0.00000000.".to_owned(),
        FluxDiscount::Percent(percent) => format!(
            "At {whole}.{fraction:06} USD per FLUX ({source}) and {percent} % less for paying in FLUX: {} FLUX.",
            asked.flux
        ),
        FluxDiscount::NotPossible => format!(
            "At {whole}.{fraction:06} USD per FLUX ({source}) it would be less than the network's own quote, which counts: {} FLUX.",
            asked.flux
        ),
    });
    steps.push(format!(
        "The network itself accepts {} FLUX and more.",
        asked.min_accepted
    ));
    steps.push(format!("To be paid: {price} FLUX."));
    steps
}

/// A number of copies in words.
struct Copies(u32);

impl fmt::Display for Copies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 instance"),
            many => write!(f, "{many} instances"),
        }
    }
}

/// A time in days and hours, or less.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, hours, minutes) = (self.0 / 86_400, self.0 / 3_600 % 24, self.0 / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{} seconds", self.0),
            (0, 0, minutes) => write!(f, "{minutes} minutes"),
            (0, hours, minutes) => write!(f, "{hours} hours {minutes} minutes"),
            (days, hours, _) => write!(f, "{days} days {hours} hours"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_like_words() {
        let text = |seconds| Span(seconds).to_string();
        assert_eq!(text(2_640_000), "30 days 13 hours");
        assert_eq!(text(3_660), "1 hours 1 minutes");
        assert_eq!(text(30), "30 seconds");
    }
}
