//! Drives every epoch towards the bottom of the chain.

use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::{
    app::{Anchoring, Context, Error, advance::advance},
    db::anchors,
};

/// Works while this replica leads.
#[derive(Debug)]
pub struct AnchorEpochs {
    pub ctx: Context,
    pub anchoring: Anchoring,
}

impl Reconciler for AnchorEpochs {
    const NAME: &'static str = "validator.anchor";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let result = advance(&self.ctx, &self.anchoring).await;
        if let Err(Error::Daemon(_) | Error::WrongChain { .. }) = &result {
            self.ctx.metrics.blocked("chain_away");
        }
        self.ctx.metrics.looked();
        let mut conn = self.ctx.pool.acquire().await?;
        let counts = anchors::count_by_state(&mut conn).await?;
        self.ctx.metrics.count(&counts);
        match result {
            Ok(step) => {
                let summary = format!(
                    "{} checked, {} signed, {} sent, {} moved",
                    step.verified, step.signed, step.sent, step.moved
                );
                Ok(Progress::done(summary))
            }
            // The next leader goes on.
            Err(Error::Superseded) => Ok(Progress::done("no longer leading")),
            Err(err) => Err(err.into()),
        }
    }
}
