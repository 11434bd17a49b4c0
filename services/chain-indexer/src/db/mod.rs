//! SQL of the chain indexer.
//!
//! ## What do we store?
//!
//! - `chain`: the tip, the highest block ever, and why we halted. Durable truth; the row every change of the tip locks first.
//! - `block`, `block_transaction`: the best chain. Could be fetched again.
//! - `collateral_output`, `fluxnode`, `fluxnode_delegates`, `fluxnode_undo`: the fluxnode lists, what feeds them, and how to take
//!   back the last blocks. Could be computed again from the blocks.
//! - `payment`, `payment_output`: payments ever seen, also those that never made it into a block. Durable truth.
//! - `mempool_transaction`, `daemon`: what the daemon said last. Worth nothing after a restart.

pub mod blocks;
pub mod chain;
pub mod collaterals;
pub mod columns;
pub mod daemon;
pub mod fluxnodes;
pub mod mempool;
pub mod payments;
pub mod undo;
