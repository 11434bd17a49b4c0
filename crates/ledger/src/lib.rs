//! The rules of money, as pure functions and types. Nothing here reads a clock, a database or a random source.
//!
//! | module | what |
//! |---|---|
//! | [`account`] | kinds of account, their normal sides and limits |
//! | [`asset`] | what is counted: FLUX, or a token of it on another chain |
//! | [`transfer`] | one movement between two accounts, atomic groups of them, reversals |
//! | [`routes`] | which kinds of account may meet, in which direction, for which purpose |
//! | [`hold`] | two-phase holds: reserve, capture, release, void, expire |
//! | [`book`] | a whole ledger in memory: the reference for the one in the database, and the fold that checks it |
//! | [`interval`] | sets of seconds |
//! | [`meter`] | which reported seconds count as evidence |
//! | [`accrual`] | what evidenced seconds cost, exactly |
//! | [`refund`] | who receives what was paid and not used |
//! | [`share`] | what operators receive of the revenue, exactly |
//! | [`settlement`] | leaves, tree, proofs and the anchor of an epoch |
//!
//! All amounts are integers. Where a division leaves a remainder, the remainder is carried or handed out by a stated
//! rule; no sat is ever lost to rounding.

pub mod account;
pub mod accrual;
pub mod asset;
pub mod book;
pub mod hold;
pub mod interval;
pub mod meter;
pub mod refund;
pub mod routes;
pub mod settlement;
pub mod share;
pub mod transfer;

pub use account::{Account, AccountKind};
pub use asset::Asset;
pub use transfer::{Group, Transfer};
