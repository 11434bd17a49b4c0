//! What FluxOS asks for on the chain and what the network takes (`getAppFluxOnChainPrice` of `appSpecHelpers.js`,
//! `checkAndRequestApp` of `messageVerifier.js`).

use fluxplane_app_spec::legacy::{
    Body, Component, Hardware, LegacySpec, PON_FORK, Tiers, default_term,
};

use super::{
    Previous, PriceError, Terms, js::ceil_to_cents, js::fixed_2, month::month_price, table::Row,
};

/// Up to this height a typo in FluxOS made the previous term the default one; it is consensus.
const PREVIOUS_TERM_TYPO_UNTIL: u64 = 1_315_000;

/// The FLUX quote, with discounts and the credit for what is left of the previous term.
///
/// # Errors
/// When no price row is in force or a component has no `containerData`.
pub fn chain_quote(spec: &LegacySpec, terms: &Terms<'_>) -> Result<f64, PriceError> {
    let row = terms.flux.at(terms.height)?;
    let mut price = term_price(spec, terms.height, row, ceil_to_cents);
    if let Some(previous) = terms.previous {
        let previous_term = PreviousTerm::of(previous, terms.height);
        let paid = previous_term.price(previous, terms.height, row, ceil_to_cents);
        price -= previous_term.credit(paid).unwrap_or(0.0);
    }
    price *= hardware_discount(spec);
    if has_primary_flag(spec)? {
        price *= PRIMARY_DISCOUNT;
    }
    let price = ceil_to_cents(price);
    Ok(fixed_2(if price < row.min_price {
        row.min_price
    } else {
        price
    }))
}

/// The smallest payment, in sat, with which the network activates the message.
///
/// An update is compared with itself, because FluxOS stores it before it looks up the predecessor; so its price is
/// fully credited and only the minimum of the row is left.
///
/// # Errors
/// When no price row is in force.
pub fn min_accepted_sat(
    spec: &LegacySpec,
    terms: &Terms<'_>,
    is_update: bool,
) -> Result<f64, PriceError> {
    /// Sat in one FLUX.
    const SAT: f64 = 1e8;
    /// An update needs this part of the price only.
    const UPDATE_PART: f64 = 0.9;
    let row = terms.flux.at(terms.height)?;
    let price = term_price(spec, terms.height, row, ceil_to_cents);
    let price = if is_update {
        let credit = price;
        ceil_to_cents((price - credit) * UPDATE_PART)
    } else {
        price
    };
    let price = if price < row.min_price {
        row.min_price
    } else {
        price
    };
    Ok((price * SAT).ceil())
}

/// The price of the whole term.
pub(super) fn term_price(
    spec: &LegacySpec,
    height: u64,
    row: &Row,
    round: impl Fn(f64) -> f64,
) -> f64 {
    let mut price = month_price(spec, height, row);
    price *= term(spec, height) / blocks(default_term(height));
    round(price)
}

/// The term in blocks of a message at `height`.
pub(super) fn term(spec: &LegacySpec, height: u64) -> f64 {
    let own = spec.expire.filter(|blocks| *blocks != 0.0);
    own.unwrap_or_else(|| blocks(default_term(height)))
}

/// The term that an update cuts short.
pub(super) struct PreviousTerm {
    blocks: f64,
    default: f64,
    used: f64,
}

impl PreviousTerm {
    pub(super) fn of(previous: &Previous, height: u64) -> Self {
        let default = blocks(default_term(previous.height));
        let own = previous.spec.expire.filter(|blocks| *blocks != 0.0);
        let own = own.filter(|_| height > PREVIOUS_TERM_TYPO_UNTIL);
        Self {
            blocks: own.unwrap_or(default),
            default,
            used: used_blocks(previous.height, height),
        }
    }

    /// Counts the part of the term behind the fork four times, as the user's quote does and the chain's does not.
    pub(super) fn stretched(mut self, previous: &Previous) -> Self {
        let start = blocks(previous.height);
        let fork = blocks(PON_FORK);
        let end = start + self.blocks;
        if previous.height < PON_FORK && end > fork {
            self.blocks = fork + (end - fork) * 4.0 - start;
        }
        self
    }

    /// What the previous term costs at today's prices.
    pub(super) fn price(
        &self,
        previous: &Previous,
        height: u64,
        row: &Row,
        round: impl Fn(f64) -> f64,
    ) -> f64 {
        let mut price = month_price(&previous.spec, height, row);
        price *= self.blocks / self.default;
        round(price)
    }

    /// The unused part of `paid`, which may be zero; `None` when the term is over.
    pub(super) fn credit(&self, paid: f64) -> Option<f64> {
        let left = (self.blocks - self.used) / self.blocks;
        (left > 0.0).then_some(left * paid)
    }
}

/// Blocks since `start`; those behind the fork count four times for what began before it.
fn used_blocks(start: u64, height: u64) -> f64 {
    if start < PON_FORK && height >= PON_FORK {
        blocks(PON_FORK - start) + blocks(height - PON_FORK) * 4.0
    } else {
        blocks(height) - blocks(start)
    }
}

/// Blocks as a double, in which JavaScript calculates them.
#[expect(
    clippy::cast_precision_loss,
    reason = "heights and terms are far below 2^53"
)]
pub(super) const fn blocks(count: u64) -> f64 {
    count as f64
}

/// The factor for applications whose components run on exactly one instance at a time.
pub(super) const PRIMARY_DISCOUNT: f64 = 0.8;

/// The factor for small applications: totals of the Stratus tier decide.
pub(super) fn hardware_discount(spec: &LegacySpec) -> f64 {
    let Hardware { cpu, ram, hdd } = stratus_total(spec);
    if cpu < 3.0 && ram < 6_000.0 && hdd < 150.0 {
        0.8
    } else if cpu < 7.0 && ram < 29_000.0 && hdd < 370.0 {
        0.9
    } else {
        1.0
    }
}

/// `totalAppHWRequirements(spec, 'bamf')` of `hwRequirements.js`.
fn stratus_total(spec: &LegacySpec) -> Hardware {
    match &spec.body {
        Body::Single(single) => on_stratus(single.hardware, single.tiers.as_ref()),
        Body::Compose(components) => {
            let zero = Hardware {
                cpu: 0.0,
                ram: 0.0,
                hdd: 0.0,
            };
            components.iter().fold(zero, |sum, component| {
                let own = on_stratus(component.hardware, component.tiers.as_ref());
                Hardware {
                    cpu: sum.cpu + own.cpu,
                    ram: sum.ram + own.ram,
                    hdd: sum.hdd + own.hdd,
                }
            })
        }
    }
}

fn on_stratus(own: Hardware, tiers: Option<&Tiers>) -> Hardware {
    let Some(tiers) = tiers else {
        return own;
    };
    // `tier || own` of JavaScript.
    let or = |tier: f64, own: f64| {
        if tier == 0.0 || tier.is_nan() {
            own
        } else {
            tier
        }
    };
    Hardware {
        cpu: or(tiers.stratus.cpu, own.cpu),
        ram: or(tiers.stratus.ram, own.ram),
        hdd: or(tiers.stratus.hdd, own.hdd),
    }
}

/// Whether a `containerData` contains `g:`, anywhere in it.
pub(super) fn has_primary_flag(spec: &LegacySpec) -> Result<bool, PriceError> {
    const FLAG: &str = "g:";
    let components: &[Component] = match &spec.body {
        Body::Single(single) => return Ok(single.container_data.contains(FLAG)),
        Body::Compose(components) => components,
    };
    for (place, component) in components.iter().enumerate() {
        let data = component.container_data.as_ref();
        let data = data.ok_or(PriceError::NoContainerData { component: place })?;
        if data.contains(FLAG) {
            return Ok(true);
        }
    }
    Ok(false)
}
