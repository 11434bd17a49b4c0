//! The quote in integers, for billing.

use std::fmt;

use fluxplane_app_spec::legacy::{LegacySpec, default_term};
use fluxplane_core::Sat;
use serde::{Deserialize, Serialize};

use super::float::{
    Discount, MarketplaceApp, Previous, PriceError, PriceTable, PriceUsd, Terms, UsdPrices,
    UserTerms, chain_quote, min_accepted_sat, month_price, user_quote,
};

/// An amount of US dollars in cents.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Usd(i64);

impl Usd {
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents)
    }

    pub const fn cents(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Usd {
    /// Both decimals: `0.99`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        f.pad(&format!("{sign}{}.{:02}", cents / 100, cents % 100))
    }
}

/// What paying in FLUX saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FluxDiscount {
    /// There is nothing to pay.
    Free,
    Percent(u8),
    /// The quote on chain is higher than the converted price and replaces it.
    NotPossible,
}

/// What FluxOS would ask and take for a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyQuote {
    pub height: u64,
    /// The height of the price row in force; -1 for the first.
    pub price_row: i64,
    /// Price of one default term in FLUX.
    pub monthly: Sat,
    /// Price of one default term in USD.
    pub monthly_usd: Usd,
    /// The quote on chain: with discounts and credit.
    pub on_chain_flux: Sat,
    /// The smallest payment with which the network activates the message. It can be more than the quote.
    pub min_accepted: Sat,
    /// What the user is asked for in USD.
    pub usd: Usd,
    /// What the user is asked for in FLUX.
    pub flux: Sat,
    pub flux_discount: FluxDiscount,
    /// The term that is bought, in blocks.
    pub term_blocks: u64,
}

/// What a quote is asked for.
#[derive(Debug, Clone, Copy)]
pub struct QuoteRequest<'a> {
    pub spec: &'a LegacySpec,
    pub height: u64,
    pub rate: FluxUsdRate,
    /// The application before the update; `None` for a registration.
    pub previous: Option<&'a Previous>,
    /// Heights of earlier updates of the same application.
    pub recent_updates: &'a [u64],
    pub marketplace: &'a [MarketplaceApp],
    pub price_usd: Option<&'a PriceUsd>,
}

impl<'a> QuoteRequest<'a> {
    /// A plain registration.
    pub const fn registration(spec: &'a LegacySpec, height: u64, rate: FluxUsdRate) -> Self {
        Self {
            spec,
            height,
            rate,
            previous: None,
            recent_updates: &[],
            marketplace: &[],
            price_usd: None,
        }
    }
}

/// The price of one FLUX in millionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FluxUsdRate(u32);

impl FluxUsdRate {
    /// What FluxOS assumes when no source answers (`fluxUSDRate`): 0.60 USD.
    pub const FALLBACK: Self = Self(600_000);

    pub const fn from_micros(micros: u32) -> Self {
        Self(micros)
    }

    pub const fn micros(self) -> u32 {
        self.0
    }

    /// The double that JavaScript holds for this decimal number.
    fn as_js(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

/// Quotes a registration or an update of any version by the tables of FluxOS v8.17 and the price messages in `flux`.
///
/// # Errors
/// When the rules of FluxOS give no amount, for example for a specification whose numbers are none.
pub fn quote(
    request: &QuoteRequest<'_>,
    flux: &PriceTable,
    usd: &UsdPrices,
) -> Result<LegacyQuote, PriceError> {
    let QuoteRequest { spec, height, .. } = *request;
    let terms = Terms {
        height,
        flux,
        previous: request.previous,
    };
    let user = UserTerms {
        usd,
        rate: request.rate.as_js(),
        recent_updates: request.recent_updates,
        marketplace: request.marketplace,
        price_usd: request.price_usd,
    };
    let row = flux.at(height)?;
    let min_accepted = min_accepted_sat(spec, &terms, request.previous.is_some())?;
    let asked = user_quote(spec, &terms, &user)?;
    Ok(LegacyQuote {
        height,
        price_row: row.height,
        monthly: flux_amount("the month price", month_price(spec, height, row))?,
        monthly_usd: usd_amount(
            "the month price in USD",
            month_price(spec, height, &usd.row),
        )?,
        on_chain_flux: flux_amount("the quote on chain", chain_quote(spec, &terms)?)?,
        min_accepted: Sat::new(whole("the smallest payment", min_accepted)?),
        usd: usd_amount("the quote in USD", asked.usd)?,
        flux: flux_amount("the quote in FLUX", asked.flux)?,
        flux_discount: match asked.discount {
            Discount::Free => FluxDiscount::Free,
            Discount::NotPossible => FluxDiscount::NotPossible,
            Discount::Percent(percent) => {
                let percent = whole("the discount", percent.round())?;
                FluxDiscount::Percent(u8::try_from(percent).unwrap_or(u8::MAX))
            }
        },
        term_blocks: match spec.expire.filter(|blocks| *blocks != 0.0) {
            None => default_term(height),
            Some(blocks) => u64::try_from(whole("expire", blocks)?).map_err(|_| {
                let what = "expire";
                PriceError::NoAmount {
                    what,
                    value: blocks,
                }
            })?,
        },
    })
}

/// A price of two decimals as sat.
fn flux_amount(what: &'static str, value: f64) -> Result<Sat, PriceError> {
    const SAT_PER_CENT: u64 = 1_000_000;
    let cents = Sat::new(whole(what, (value * 100.0).round())?);
    cents
        .mul_div(SAT_PER_CENT, 1)
        .ok_or(PriceError::NoAmount { what, value })
}

fn usd_amount(what: &'static str, value: f64) -> Result<Usd, PriceError> {
    whole(what, (value * 100.0).round()).map(Usd)
}

/// A whole number that a double holds exactly.
fn whole(what: &'static str, value: f64) -> Result<i64, PriceError> {
    const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
    if value.fract() != 0.0 || !(-MAX_SAFE..=MAX_SAFE).contains(&value) {
        return Err(PriceError::NoAmount { what, value });
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole number within ±2^53, checked above"
    )]
    Ok(value as i64)
}
