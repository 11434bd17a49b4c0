//! Runs the leader's work while this replica leads.

use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::app::reconcile::Leader;

#[derive(Debug)]
pub struct Place(pub Leader);

impl Reconciler for Place {
    const NAME: &'static str = "scheduler.placement";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let run = self.0.run().await?;
        let summary = format!("{} looked at, {} put off", run.looked_at, run.put_off);
        Ok(if run.more {
            Progress::more(summary)
        } else {
            Progress::done(summary)
        })
    }
}
