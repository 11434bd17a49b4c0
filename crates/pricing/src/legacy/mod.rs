//! The prices of FluxOS: month price, quote on chain, quote to the user, smallest payment the network takes.
//!
//! The four disagree with each other (a quote can be lower than what the network demands), and all of them are
//! computed in doubles whose rounding shows. [`float`] reproduces that and is the only place where an amount of
//! money is a float; [`LegacyQuote`] is the same in integers, for the rest of Fluxplane.

pub mod float;
mod quote;

pub use quote::{FluxDiscount, FluxUsdRate, LegacyQuote, QuoteRequest, Usd, quote};
