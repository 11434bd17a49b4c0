//! Transactions from outside, and payments from the faucet.

use std::sync::Arc;

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Address, Hash256, Transaction, build::Built, params::EXPIRING_SOON, params::Upgrade,
};

use crate::{
    daemon::{Daemon, DevnetError, SendError, Source},
    wallet::pay,
};

impl Daemon {
    /// Takes a transaction as `sendrawtransaction` does: one that waits already is fine, one that is mined is not.
    pub(crate) fn send(
        &mut self,
        transaction: &Transaction<'_>,
        allow_high_fees: bool,
    ) -> Result<Hash256, SendError> {
        if matches!(self.source, Source::Recorded(_)) {
            return Err(SendError::Recorded);
        }
        let txid = transaction.txid();
        self.check_expiry(transaction)?;
        if self.mempool.contains(&txid) {
            return Ok(txid);
        }
        if self.chain.coins().has_any_of(&txid) {
            return Err(SendError::InChain);
        }
        let now = self.now();
        let accepted = self
            .mempool
            .accept(transaction.raw(), &self.chain, now, allow_high_fees);
        match accepted {
            Ok(txid) => {
                self.notifier.transaction(&txid, transaction.raw());
                Ok(txid)
            }
            Err(refusal) => {
                tracing::info!(transaction.id = %txid, %refusal, detail = refusal.detail(), "transaction is refused");
                Err(refusal.into())
            }
        }
    }

    /// The daemon looks at the expiry before anything else, and says more about it here than elsewhere.
    fn check_expiry(&self, transaction: &Transaction<'_>) -> Result<(), SendError> {
        let next = self.chain.height() + 1;
        let expiry = transaction
            .as_transfer()
            .and_then(|transfer| transfer.expiry_height)
            .unwrap_or_default();
        let least = next + EXPIRING_SOON;
        let sapling = self.chain.params().is_active(Upgrade::Acadia, next);
        if sapling && expiry != 0 && least > expiry {
            return Err(SendError::ExpiringSoon { expiry, least });
        }
        Ok(())
    }

    /// Sends a transaction made here.
    pub(super) fn send_own(&mut self, raw: &[u8]) -> Result<Hash256, DevnetError> {
        let now = self.now();
        let txid = self.mempool.accept(raw, &self.chain, now, true)?;
        self.notifier.transaction(&txid, raw);
        Ok(txid)
    }

    /// Pays from the faucet. The first output is the payment.
    pub(crate) fn faucet(&mut self, to: &Address, amount: Sat) -> Result<Built, DevnetError> {
        self.require_grown("faucet")?;
        if amount.get() <= 0 {
            return Err(DevnetError::Amount(amount));
        }
        let key = self.wallet.keys.faucet().key;
        let built = pay(&key, to, amount, &self.chain, &self.mempool)?;
        self.send_own(&built.bytes)?;
        Ok(built)
    }

    /// Lets the developer's nodes send what is due. They sign with the time of the chain: where blocks run ahead of the day, two
    /// confirms of the same second would be the same transaction.
    pub(crate) fn operate_nodes(&mut self) {
        let now = self.chain_time();
        let due: Vec<Arc<[u8]>> = self
            .wallet
            .state
            .nodes
            .iter()
            .filter_map(|node| {
                node.next_transaction(&self.chain, &self.mempool, &self.wallet.keys, now)
            })
            .collect();
        for raw in due {
            if let Err(error) = self.send_own(&raw) {
                tracing::warn!(%error, "a node's transaction is refused");
            }
        }
    }
}
