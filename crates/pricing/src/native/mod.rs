//! The native price list: integers only, one formula for quote and charge, no jumps.
//!
//! | module | what |
//! |---|---|
//! | [`amount`] | micro-dollars, and rates of a billionth of a micro-dollar |
//! | [`table`], [`tables`] | a version of the price list, and the epochs from which each version holds |
//! | [`discount`] | discounts for long terms, as brackets: later seconds are cheaper, earlier ones stay as they are |
//! | [`order`] | what is priced: parts, copies, seconds, plan |
//! | [`of_spec`] | a specification `fluxplane/v1` as an order |
//! | [`price`], [`tally`] | the formula, itemised; what a stretch of seconds adds to the charges |
//! | [`flux`] | the exchange rate as a ratio, and a price in FLUX |
//! | [`fixing`] | the rate in force: median of several sources, or a signed statement |
//!
//! Everything is rounded by one rule: a sum of exact amounts is rounded down to the unit of its currency, and its lines
//! share it by largest remainder. So an order never costs more than the exact price, lines always add up to their
//! total, and a price grows with every quantity.

pub mod amount;
pub mod discount;
pub mod fixing;
pub mod flux;
pub mod of_spec;
pub mod order;
pub mod price;
pub mod table;
pub mod tables;
pub mod tally;

mod apportion;
mod defaults;
mod statement;

pub use amount::{MicroUsd, Rate};
pub use fixing::{Basis, Fixing, FixingError, Observation, Policy, fix};
pub use flux::{FluxPrice, FluxUsd};
pub use of_spec::{MONTH, copies, order};
pub use order::{Gpus, Order, Part, Plan};
pub use price::{Item, Line, Price, PriceError, price};
pub use statement::{OverrideError, RateStatement, SignedStatement, VerifiedStatement};
pub use table::Table;
pub use tables::{Tables, TablesError};
pub use tally::Tally;
