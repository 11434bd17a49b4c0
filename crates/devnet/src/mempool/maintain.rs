//! Keeps the pool in step with the chain: what was mined, what conflicts with it, and what can no longer be mined leaves.

use fluxplane_flux_chain::{Hash256, Transaction};

use crate::{
    chain::{BlockEntry, Chain, check_at_height},
    mempool::{Mempool, collateral_of},
};

/// Seconds a fluxnode transaction waits at most (fluxd `AcceptToMemoryPool`).
const FLUXNODE_LIFETIME_S: u32 = 1_800;

impl Mempool {
    /// Takes out what a block that just became the tip settled.
    pub(crate) fn after_block(&mut self, block: &BlockEntry, chain: &Chain, now: u32) {
        let parsed = block.parse();
        for (transaction, txid) in parsed.transactions.iter().zip(block.txids.iter()) {
            self.remove_one(txid);
            self.remove_conflicts(transaction);
        }
        self.remove_stale(chain, now);
    }

    /// Builds the pool anew after blocks were taken back: what they held comes first, then what waited before.
    pub(crate) fn after_reorganisation(
        &mut self,
        disconnected: &[&BlockEntry],
        chain: &Chain,
        now: u32,
    ) {
        let before = std::mem::take(self);
        // The lowest block comes last in the list; its transactions may be spent by those above.
        for block in disconnected.iter().rev() {
            for transaction in block.parse().transactions.iter().skip(1) {
                self.readmit(transaction.raw(), chain, now);
            }
        }
        for entry in before.iter() {
            self.readmit(&entry.raw, chain, now);
            // It came when it came.
            if let Some(again) = self.entries.get_mut(&entry.txid) {
                again.time = entry.time;
                again.height = entry.height;
                again.coin_age = entry.coin_age;
            }
        }
    }

    fn readmit(&mut self, raw: &[u8], chain: &Chain, now: u32) {
        if let Err(refusal) = self.accept(raw, chain, now, true) {
            tracing::debug!(%refusal, "a transaction does not come back");
        }
    }

    fn remove_conflicts(&mut self, transaction: &Transaction<'_>) {
        let spenders: Vec<Hash256> = transaction
            .inputs()
            .iter()
            .filter_map(|input| self.spender(&input.previous))
            .map(|(spender, _)| spender)
            .collect();
        for spender in spenders {
            self.remove_with_children(&spender);
        }
        let rival = collateral_of(transaction).and_then(|collateral| self.of_node(&collateral));
        if let Some(rival) = rival.map(|entry| entry.txid) {
            self.remove_one(&rival);
        }
    }

    /// Takes out what expired, and fluxnode transactions the lists no longer let in.
    pub(crate) fn remove_stale(&mut self, chain: &Chain, now: u32) {
        let height = chain.height() + 1;
        let stale: Vec<Hash256> = self
            .iter()
            .filter(|entry| {
                let transaction = entry.parse();
                if transaction.as_fluxnode().is_none() {
                    return check_at_height(&transaction, chain.params(), height).is_err();
                }
                now.saturating_sub(entry.time) > FLUXNODE_LIFETIME_S
                    || chain
                        .nodes()
                        .check_transaction(&transaction, chain.coins())
                        .is_err()
            })
            .map(|entry| entry.txid)
            .collect();
        for txid in stale {
            self.remove_with_children(&txid);
        }
    }
}
