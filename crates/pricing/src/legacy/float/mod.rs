//! FluxOS' price arithmetic in IEEE doubles, operation by operation in the order of its JavaScript.
//!
//! Nothing outside this module calculates money in floats. Do not "simplify" an expression here: `0.2 * 0.8` is
//! `0.16000000000000003`, so a price of 0.16 becomes 0.17, and every client knows that 0.17.

mod chain;
mod js;
mod month;
mod table;
mod user;

use fluxplane_app_spec::legacy::LegacySpec;

pub use chain::{chain_quote, min_accepted_sat};
pub use js::{ceil_to_cents, to_fixed_2};
pub use month::month_price;
pub use table::{PriceMessage, PriceTable, Row, UsdPrices};
pub use user::{
    Discount, MarketplaceApp, PriceUsd, UserQuote, UserTerms, is_free_update, user_quote,
};

/// An application as it stands on the chain before an update.
#[derive(Debug, Clone, PartialEq)]
pub struct Previous {
    pub spec: LegacySpec,
    /// Height of the registration or of the last update.
    pub height: u64,
}

/// Price tables and what the quote depends on besides the specification.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub height: u64,
    pub flux: &'a PriceTable,
    /// For updates.
    pub previous: Option<&'a Previous>,
}

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PriceError {
    #[error("no price row is in force at height {height}; use a height of at least 0")]
    NoRow { height: u64 },
    #[error("compose[{component}].containerData is missing; add the folder, or /tmp for none")]
    NoContainerData { component: usize },
    #[error("USD price is not valid")]
    PriceUsdTooLow,
    #[error("the rate {0} USD per FLUX is no price; send a positive number")]
    Rate(f64),
    #[error("{what} is {value}, which is no amount; correct the numbers of the specification")]
    NoAmount { what: &'static str, value: f64 },
}
