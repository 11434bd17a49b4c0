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
