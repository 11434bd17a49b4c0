//! Makes what goes onto the chain: payments with or without data, starts and confirms of nodes, coinbases and blocks.

mod block;
mod fee;
mod node;
mod payment;

pub use block::{BlockDraft, coinbase_outputs, coinbase_transaction};
pub use fee::{FeeRate, MIN_RELAY_FEE};
pub use node::{ConfirmBuilder, Delegation, StartBuilder, StartKind};
pub use payment::{BuildError, Output, PaymentBuilder, SignError, Unsigned, Utxo};

use crate::hash::Hash256;

/// A finished transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub bytes: Vec<u8>,
    pub txid: Hash256,
}

impl Built {
    /// The serialisation in hexadecimal, as `sendrawtransaction` takes it.
    pub fn hex(&self) -> String {
        hex::encode(&self.bytes)
    }
}
