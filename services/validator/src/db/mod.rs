//! SQL of the validator.
//!
//! ## What do we store?
//!
//! - `anchor`: the epochs that billing closed, and where the anchor of each stands. What billing announced is a copy; the
//!   verdict and the standing are truth.
//! - `attempt`, `attempt_input`: every transaction that was signed, with the coins it spends. Durable truth, stored before
//!   anything is sent.

pub mod anchors;
pub mod attempts;

use fluxplane_platform::db::Inconsistency;

/// Unsigned values of ours that fit a `bigint` by their meaning; a larger one is a caller's lie.
fn bigint(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A column that is never negative.
fn unsigned(
    table: &'static str,
    column: &'static str,
    row: impl std::fmt::Display,
    value: i64,
) -> Result<u64, Inconsistency> {
    u64::try_from(value).map_err(|_| Inconsistency::new(table, column, row, value))
}
