//! SQL of followed tokens.
//!
//! ## What do we store?
//!
//! - `evm_asset`: what is followed, the last applied block, and sums. Durable truth; the row every change locks first.
//! - `evm_block`: hashes of the last blocks. Needed to survive a reorganisation.
//! - `evm_transfer`: transfers of the best chain. Could be read again.
//! - `evm_node`: what the node said last. Worth nothing after a restart.

pub mod assets;
pub mod blocks;
mod columns;
pub mod nodes;
pub mod transfers;
