//! Blocks and transactions as the daemon's JSON-RPC shows them: its names, its order of fields, its numbers.
//!
//! The results serialise. Written as text they match the daemon letter for letter: amounts have eight decimals, difficulties 16
//! significant digits. What only the chain around a block knows (confirmations, chain work...) comes from the caller, in
//! [`BlockContext`] and [`TransactionContext`], or is left out.

mod block;
mod fluxnode;
mod number;
mod script;
mod transaction;

pub(crate) use block::block_with;
pub use block::{BlockContext, BlockJson, HeaderJson, SealJson, TxList, ValuePool, block, header};
pub use fluxnode::{ConfirmJson, DelegateJson, FluxnodeJson, StartJson};
pub use number::{Amount, Significant};
pub use script::{ScriptPubKeyJson, script_pub_key};
pub use transaction::{
    BodyJson, InputJson, JoinSplitJson, OutputJson, SaplingJson, ScriptSigJson, ShieldedOutputJson,
    SpendJson, TransactionContext, TransactionJson, TransferJson, transaction,
};

use serde::Serialize;

/// A description as a tree of values. Trailing zeros of numbers are lost on the way; [`to_text`] keeps them.
pub fn to_value(description: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(description).expect("descriptions have text keys and finite numbers")
}

/// A description as the text the daemon would send.
pub fn to_text(description: &impl Serialize) -> String {
    serde_json::to_string(description).expect("descriptions have text keys and finite numbers")
}
