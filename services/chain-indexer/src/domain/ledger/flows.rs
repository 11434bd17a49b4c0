//! What one block spends and makes, read from its transactions.

use fluxplane_flux_chain::{
    Block, Hash256, OutPoint, ScriptBuf, Transaction,
    tx::{JoinSplits, Transfer},
};

use super::IndexMode;
use crate::domain::payment::AmountOverflow;

/// What the transactions of one block do with money.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockFlows {
    /// Inputs in the order of the block, without the coinbase's.
    pub spends: Vec<Spend>,
    /// Outputs in the order of the block. Empty in mode plane.
    pub outputs: Vec<NewOutput>,
    /// Sum of the outputs of the coinbase, in sat.
    pub coinbase: i64,
    /// What the shielded pools gained, in sat; negative when more came out.
    pub shielded: i64,
}

/// An input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    pub previous: OutPoint,
    /// The transaction that spends, and its place in the block.
    pub txid: Hash256,
    pub position: u32,
    pub vin: u32,
}

/// An output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutput {
    pub outpoint: OutPoint,
    /// Place of its transaction in the block.
    pub position: u32,
    /// In sat, 0 or more.
    pub value: i64,
    pub script: ScriptBuf,
}

impl BlockFlows {
    /// Reads a block whose transactions have these ids. Refuses amounts no chain can hold.
    pub fn read(
        block: &Block<'_>,
        txids: &[Hash256],
        mode: IndexMode,
    ) -> Result<Self, AmountOverflow> {
        let mut flows = Self::default();
        for ((position, txid), transaction) in (0..).zip(txids).zip(&block.transactions) {
            let Some(transfer) = transaction.as_transfer() else {
                continue;
            };
            let overflow = || AmountOverflow(*txid);
            transfer.value_out().ok_or_else(overflow)?;
            if position == 0 {
                flows.coinbase = transfer.outputs.iter().map(|out| out.value.get()).sum();
            } else {
                flows.add_spends(position, *txid, transaction);
            }
            if mode == IndexMode::Full {
                flows.add_outputs(position, *txid, transaction);
                let gained = shielded(transfer).ok_or_else(overflow)?;
                flows.shielded = flows.shielded.checked_add(gained).ok_or_else(overflow)?;
            }
        }
        Ok(flows)
    }

    fn add_spends(&mut self, position: u32, txid: Hash256, transaction: &Transaction<'_>) {
        let spends = (0..).zip(transaction.inputs()).map(|(vin, input)| Spend {
            previous: input.previous,
            txid,
            position,
            vin,
        });
        self.spends.extend(spends);
    }

    fn add_outputs(&mut self, position: u32, txid: Hash256, transaction: &Transaction<'_>) {
        let outputs = (0..)
            .zip(transaction.outputs())
            .map(|(vout, output)| NewOutput {
                outpoint: OutPoint::new(txid, vout),
                position,
                value: output.value.get(),
                script: output.script.to_owned(),
            });
        self.outputs.extend(outputs);
    }
}

/// What a transaction adds to the shielded pools. A positive Sapling balance comes out of its pool, a `JoinSplit` tells both ways
/// (fluxd `src/primitives/transaction.h`).
fn shielded(transfer: &Transfer<'_>) -> Option<i64> {
    let sapling = transfer
        .sapling
        .as_ref()
        .map_or(0, |part| part.value_balance);
    let mut gained = sapling.checked_neg()?;
    for split in transfer.join_splits.iter().flat_map(JoinSplits::iter) {
        let split = split.value_in.checked_sub(split.value_out)?;
        gained = gained.checked_add(split)?;
    }
    Some(gained)
}
