//! A look at the daemon's mempool.

use std::collections::BTreeSet;

use anyhow::Context as _;
use fluxplane_flux_chain::{Hash256, Transaction};
use fluxplane_platform::reconciler::Progress;

use super::follow::Follower;
use crate::{
    app::{self, mempool::Look},
    domain::Tip,
    source::ChainSource,
};

impl<S: ChainSource> Follower<S> {
    /// Takes in what changed in the mempool, if the daemon's tip is ours before and after.
    pub(super) async fn look_at_mempool(&mut self, tip: Tip) -> anyhow::Result<Progress> {
        let level = || Progress::done(format!("level with the daemon at {tip}"));
        let view = match self.source.mempool().await {
            Ok(view) => view,
            Err(err) => return Ok(self.away(&err).await),
        };
        if view.tip_before != tip.hash || view.tip_after != tip.hash {
            return Ok(Progress::done("a block came while looking at the mempool"));
        }
        let listed: BTreeSet<Hash256> = view.txids.into_iter().collect();
        let Some(mut at) = self.at.take() else {
            return Ok(Progress::more("load the chain"));
        };
        let difference = at.mempool.compare(&listed);
        let raws = match self.source.transactions(&difference.added).await {
            Ok(raws) => raws,
            Err(err) => {
                self.at = Some(at);
                return Ok(self.away(&err).await);
            }
        };
        let mut found = Vec::new();
        for (txid, raw) in difference.added.iter().zip(raws) {
            // What left in the meantime is no loss: it comes in a block, or again.
            let Some(raw) = raw else { continue };
            if Transaction::parse(&raw).is_ok_and(|transaction| transaction.txid() == *txid) {
                found.push((*txid, raw));
            } else {
                self.metrics.garbled.inc();
                tracing::warn!(%txid, "transaction in the daemon's mempool is garbled");
                at.mempool.unreadable(*txid, &listed);
            }
        }
        let look = Look {
            listed,
            found,
            gone: difference.gone,
        };
        let events = app::mempool::take(
            &self.ctx,
            self.token,
            &mut at.state,
            &mut at.mempool,
            look,
            self.drop_after,
        );
        let events = events.await.context("take in the mempool")?;
        self.metrics.payments_changed(&events);
        self.at = Some(at);
        Ok(level())
    }
}
