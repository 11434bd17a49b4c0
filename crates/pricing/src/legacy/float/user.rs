//! The quote shown to users (`getAppFiatAndFluxPrice` and `checkFreeAppUpdate` of `appSpecHelpers.js`).

use fluxplane_app_spec::{
    json::JsString,
    legacy::{Component, LegacySpec, default_term, expiry_height, priced},
};

use super::{
    Previous, PriceError, Terms,
    chain::{
        PRIMARY_DISCOUNT, PreviousTerm, blocks, chain_quote, hardware_discount, has_primary_flag,
        term, term_price,
    },
    js::{fixed_2, to_fixed_2},
    table::UsdPrices,
};

/// An application of the marketplace, whose price is multiplied for every name that starts with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketplaceApp {
    pub name: String,
    /// Only more than 1 has an effect.
    pub multiplier: f64,
}

/// The price that the caller wishes, `priceUSD` of the request. It must not be below the computed one.
#[derive(Debug, Clone, PartialEq)]
pub enum PriceUsd {
    Number(f64),
    /// JavaScript compares two texts as texts.
    Text(String),
}

/// What the user is asked to pay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UserQuote {
    pub usd: f64,
    pub flux: f64,
    pub discount: Discount,
}

/// What paying in FLUX saves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Discount {
    /// There is nothing to pay.
    Free,
    Percent(f64),
    /// The quote on chain is higher than the converted price and replaces it.
    NotPossible,
}

impl Discount {
    /// FluxOS' text for [`Discount::NotPossible`].
    pub const NOT_POSSIBLE: &'static str = "Not possible to define discount";
}

impl UserQuote {
    const FREE: Self = Self {
        usd: 0.0,
        flux: 0.0,
        discount: Discount::Free,
    };
}

/// What the user's quote depends on besides the terms.
#[derive(Debug, Clone, Copy)]
pub struct UserTerms<'a> {
    pub usd: &'a UsdPrices,
    /// USD per FLUX.
    pub rate: f64,
    /// Heights of earlier updates of the same application.
    pub recent_updates: &'a [u64],
    pub marketplace: &'a [MarketplaceApp],
    pub price_usd: Option<&'a PriceUsd>,
}

/// An amount that FluxOS holds as a text or as a number: `toFixed` makes it a text, arithmetic a number.
struct Amount {
    value: f64,
    text: Option<String>,
}

impl Amount {
    fn fixed(value: f64) -> Self {
        let text = to_fixed_2(value);
        Self {
            value: fixed_2(value),
            text: Some(text),
        }
    }

    fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            text: None,
        }
    }
}

/// The quote in USD and FLUX.
///
/// # Errors
/// When there is no quote on chain, the rate is no price, or `priceUSD` is below the computed price.
pub fn user_quote(
    spec: &LegacySpec,
    terms: &Terms<'_>,
    user: &UserTerms<'_>,
) -> Result<UserQuote, PriceError> {
    let rate = user.rate;
    if !(rate.is_finite() && rate > 0.0) {
        return Err(PriceError::Rate(rate));
    }
    let is_free = terms
        .previous
        .is_some_and(|previous| is_free_update(spec, previous, terms.height, user.recent_updates));
    if is_free {
        return Ok(UserQuote::FREE);
    }
    let usd = usd_price(spec, terms, user)?;
    let flux = (usd / rate) * user.usd.flux_multiplier;
    let on_chain = chain_quote(spec, terms)?;
    Ok(if on_chain > flux {
        UserQuote {
            usd,
            flux: fixed_2(on_chain),
            discount: Discount::NotPossible,
        }
    } else {
        UserQuote {
            usd,
            flux: fixed_2(flux),
            discount: Discount::Percent(100.0 - user.usd.flux_multiplier * 100.0),
        }
    })
}

fn usd_price(
    spec: &LegacySpec,
    terms: &Terms<'_>,
    user: &UserTerms<'_>,
) -> Result<f64, PriceError> {
    /// More instances than this get no discount for small hardware.
    const FEW_INSTANCES: f64 = 4.0;
    const FIRST_COMPOSED: f64 = 4.0;
    let (height, row) = (terms.height, &user.usd.row);
    let mut price = Amount::fixed(term_price(spec, height, row, |price| price));
    if let Some(previous) = terms.previous {
        let previous_term = PreviousTerm::of(previous, height).stretched(previous);
        let paid = previous_term.price(previous, height, row, fixed_2);
        // A credit of nothing still makes a number of the text, which `priceUSD` is then compared with.
        if let Some(credit) = previous_term.credit(paid) {
            price = Amount {
                value: price.value - credit,
                text: None,
            };
        }
    }
    let has_few_instances = spec
        .instances
        .is_some_and(|instances| instances < FEW_INSTANCES);
    if spec.version < FIRST_COMPOSED || has_few_instances {
        let discount = hardware_discount(spec);
        if discount < 1.0 {
            price = price.times(discount);
        }
    }
    if has_primary_flag(spec)? {
        price = price.times(PRIMARY_DISCOUNT);
    }
    let price = match user.price_usd {
        Some(wished) => wished.at_least(&price)?,
        None => marketplace_price(spec, price.value, user),
    };
    let price = fixed_2(price * term_discount(spec, height));
    Ok(at_least_minimum(price, user.usd))
}

impl PriceUsd {
    fn at_least(&self, computed: &Amount) -> Result<f64, PriceError> {
        let (value, is_less) = match self {
            Self::Number(number) => (*number, *number < computed.value),
            Self::Text(text) => {
                let own = JsString::from(text.as_str());
                let value = fluxplane_app_spec::json::number_from_text(&own);
                let is_less = computed
                    .text
                    .as_ref()
                    .map_or(value < computed.value, |computed| {
                        own.units() < JsString::from(computed.as_str()).units()
                    });
                (value, is_less)
            }
        };
        if is_less {
            Err(PriceError::PriceUsdTooLow)
        } else {
            Ok(fixed_2(value))
        }
    }
}

fn marketplace_price(spec: &LegacySpec, mut price: f64, user: &UserTerms<'_>) -> f64 {
    let name = spec.name.to_text().to_lowercase();
    let is_template = |app: &&MarketplaceApp| name.starts_with(&app.name.to_lowercase());
    if let Some(app) = user.marketplace.iter().find(is_template)
        && app.multiplier > 1.0
    {
        price *= app.multiplier;
    }
    at_least_minimum(fixed_2(price * user.usd.multiplier), user.usd)
}

fn at_least_minimum(price: f64, usd: &UsdPrices) -> f64 {
    match usd.row.min_usd {
        Some(minimum) if price < minimum => fixed_2(minimum),
        Some(_) | None => price,
    }
}

/// The factor for long terms.
fn term_discount(spec: &LegacySpec, height: u64) -> f64 {
    let months = term(spec, height) / blocks(default_term(height));
    if months >= 9.0 {
        0.88
    } else if months >= 6.0 {
        0.94
    } else if months >= 3.0 {
        0.97
    } else {
        1.0
    }
}

/// Whether the network offers an update for nothing: nothing grows, the term ends when it would have ended, and there
/// were few updates lately.
pub fn is_free_update(
    spec: &LegacySpec,
    previous: &Previous,
    height: u64,
    recent_updates: &[u64],
) -> bool {
    /// Blocks by which the term may grow, because blocks arrive while the user signs.
    const MAX_EXTENSION: f64 = 8.0;
    let old = &previous.spec;
    let given = |blocks: Option<f64>| blocks.filter(|blocks| *blocks != 0.0);
    let (Some(term), Some(old_term)) = (given(spec.expire), given(old.expire)) else {
        return false;
    };
    if previous.height == 0 {
        return false;
    }
    let extension = term + blocks(height) - old_expiry(previous.height, old_term);
    let nodes = |spec: &LegacySpec| spec.nodes.as_ref().map_or(0, Vec::len);
    nodes(spec) == nodes(old)
        && spec.instances == old.instances
        && spec.staticip.unwrap_or_default() == old.staticip.unwrap_or_default()
        && extension <= MAX_EXTENSION
        && !grows(spec.components(), old.components())
        && is_within_limits(height, recent_updates)
}

/// The height at which the old term ends.
fn old_expiry(height: u64, term: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a term is a whole number; beyond the range of u64 it saturates, and then ends never"
    )]
    let whole = term as u64;
    if term < 0.0 {
        blocks(height) + term
    } else {
        blocks(expiry_height(height, whole))
    }
}

/// Whether a component is new or needs more.
fn grows(components: &[Component], old: &[Component]) -> bool {
    let priced_ports =
        |component: &Component| component.ports.iter().filter(|port| priced(**port)).count();
    components.len() != old.len()
        || components.iter().any(|component| {
            let before = old.iter().find(|before| before.name == component.name);
            before.is_none_or(|before| {
                let (new, old) = (component.hardware, before.hardware);
                new.cpu > old.cpu
                    || new.ram > old.ram
                    || new.hdd > old.hdd
                    || priced_ports(component) > priced_ports(before)
            })
        })
}

/// At most 10 updates in 3600 blocks, 8 in 1440 and 5 in 720. These were 5, 2 and 1 days when a block took 2 minutes.
fn is_within_limits(height: u64, recent_updates: &[u64]) -> bool {
    const WINDOWS: [(u64, usize); 3] = [(3_600, 10), (1_440, 8), (720, 5)];
    WINDOWS.iter().all(|&(window, limit)| {
        let is_recent = |update: &&u64| update.saturating_add(window) > height;
        recent_updates.iter().filter(is_recent).count() <= limit
    })
}
