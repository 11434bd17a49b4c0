//! SQL of the chain indexer.
//!
//! ## What do we store?
//!
//! - `chain`: the tip, the highest block ever, and why we halted. Durable truth; the row every change of the tip locks first.
//! - `block`, `block_transaction`: the best chain. Could be fetched again.
//! - `collateral_output`, `fluxnode`, `fluxnode_delegates`, `fluxnode_undo`: the fluxnode lists, what feeds them, and how to take
//!   back the last blocks. Could be computed again from the blocks.
//! - `watched_spend`: what spends watched outputs, in an index of mode plane. Could be computed again from the blocks.
//! - `account`, `output`, `account_entry`, `balance`, `block_supply`: see [`ledger`].
//! - `fluxnode_turnover`, `fluxnode_log`, and in mode full `fluxnode_origin`, `fluxnode_version`: the lists over time. Could be
//!   computed again from the blocks.
//! - `payment`, `payment_output`, `payment_input`, `note`: payments and messages ever seen, also those that never made it into a
//!   block. Durable truth.
//! - `mempool_transaction`, `daemon`, `agreement`: what the daemons said last. Worth nothing after a restart.

pub mod base;
pub mod blocks;
pub mod chain;
pub mod collaterals;
pub mod columns;
mod copy;
pub mod daemon;
pub mod fluxnodes;
pub mod history;
pub mod ledger;
pub mod mempool;
pub mod notes;
pub mod payments;
pub mod spends;
pub mod turnover;
pub mod undo;
