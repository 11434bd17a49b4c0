//! The beginning from a snapshot, and its end when the chain leaves the block the snapshot was taken at.

use anyhow::Context as _;
use fluxplane_flux_chain::params::MAX_REORG_LENGTH;
use fluxplane_platform::reconciler::Progress;

use super::follow::Follower;
use crate::{
    app::{
        bootstrap::{self, BootstrapError},
        load::Loaded,
        queries,
    },
    domain::Tip,
    source::{ChainSource, SourceError},
};

impl<S: ChainSource> Follower<S> {
    /// Begins with the lists as they are after `tip`.
    pub(super) async fn bootstrap(&mut self, tip: Tip) -> anyhow::Result<Progress> {
        tracing::info!(
            height = tip.height,
            "taking the fluxnode lists as the daemon has them"
        );
        match bootstrap::begin(&self.ctx, self.token, &*self.source, tip).await {
            Ok(nodes) => {
                tracing::info!(height = tip.height, nodes, "began from a snapshot");
                self.at = None;
                Ok(Progress::more(format!("began with {nodes} nodes at {tip}")))
            }
            Err(BootstrapError::Source(err @ SourceError::Moved(_))) => {
                Ok(Progress::done(err.to_string()))
            }
            Err(BootstrapError::Source(err)) => Ok(self.away(&err).await),
            Err(err) => Err(err).context("begin from a snapshot"),
        }
    }

    /// Whether the index began so lately that the block it began at is not final.
    pub(super) async fn is_base_too_young(&self, peak: u32) -> anyhow::Result<bool> {
        let base = queries::base_height(&self.ctx)
            .await
            .context("read the base")?;
        Ok(base > 0 && peak.saturating_sub(base) < MAX_REORG_LENGTH)
    }

    /// The chain left the block the index began at: undoes what came after it, so that everyone hears, and begins again.
    pub(super) async fn throw_base_away(
        &mut self,
        ours: Tip,
        theirs: Tip,
    ) -> anyhow::Result<Progress> {
        let Some(mut at) = self.at.take() else {
            return Ok(Progress::more("load the chain"));
        };
        let base = queries::base_height(&self.ctx)
            .await
            .context("read the base")?;
        tracing::error!(
            base,
            ours = %ours,
            theirs = %theirs,
            "the chain left the block the index began at; the index is thrown away and begins again"
        );
        if let Some(halt) = self.undo_to(&mut at, base).await? {
            self.at = Some(at);
            return self.halt(halt).await;
        }
        let Loaded { state, .. } = at;
        let tip = state.tip().context("the base is the tip")?;
        bootstrap::discard(&self.ctx, self.token, tip)
            .await
            .context("throw the snapshot away")?;
        self.metrics.reorgs.inc();
        Ok(Progress::more(format!("threw the snapshot at {tip} away")))
    }
}
