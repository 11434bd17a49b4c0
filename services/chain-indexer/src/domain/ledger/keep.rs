//! Which transactions an index in mode plane keeps.
//!
//! Payments, and whatever carries data: the anchors of settlement epochs, the price messages of FluxOS, the fees of proposals.
//! Everything else is asked of the daemon when somebody wants to see it. A coinbase may carry data of its producer's liking and
//! says nothing to the plane.

use fluxplane_flux_chain::{Script, Transaction, script::opcode};

/// Whether a transaction carries data.
pub fn carries_data(transaction: &Transaction<'_>) -> bool {
    let data = |script: Script<'_>| script.as_bytes().first() == Some(&opcode::RETURN);
    transaction.outputs().iter().any(|out| data(out.script)) && !transaction.is_coinbase()
}
