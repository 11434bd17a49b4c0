//! Keeps what is private sealed with the present keys, and destroys what nobody needs any more.

use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::{
    app::{Context, keep_private},
    metrics::SchedulerMetrics,
};

#[derive(Debug)]
pub struct KeepPrivate {
    pub ctx: Context,
    pub metrics: SchedulerMetrics,
}

impl Reconciler for KeepPrivate {
    const NAME: &'static str = "scheduler.keep_private";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let metrics = &self.metrics.private;
        let before = keep_private::left(&self.ctx).await?;
        metrics.clear.set(before.clear);
        metrics.to_rewrap.set(before.to_rewrap);
        let sealed = keep_private::seal_clear(&self.ctx).await?;
        let rewrapped = keep_private::rewrap(&self.ctx).await?;
        metrics.rewrapped.inc_by(rewrapped.try_into()?);
        let shredded = keep_private::shred_ended(&self.ctx).await?;
        metrics.shredded.inc_by(shredded.try_into()?);
        let left = keep_private::left(&self.ctx).await?;
        metrics.clear.set(left.clear);
        metrics.to_rewrap.set(left.to_rewrap);
        let done = sealed + rewrapped + shredded;
        let summary = format!(
            "sealed {sealed} revisions, wrapped {rewrapped} keys anew, destroyed what was private of {shredded} applications"
        );
        if done == 0 {
            Ok(Progress::idle())
        } else {
            tracing::info!("{summary}");
            Ok(Progress::more(summary))
        }
    }
}
