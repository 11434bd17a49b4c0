//! Forgets expired challenges and sessions.

use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::app::{self, Context};

#[derive(Debug)]
pub struct Sweep {
    pub ctx: Context,
}

impl Reconciler for Sweep {
    const NAME: &'static str = "gateway.sweep";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let swept = app::sweep::sweep(&self.ctx).await?;
        Ok(Progress::done(format!(
            "forgot {} challenges, {} sessions, {} nameless calls",
            swept.challenges, swept.sessions, swept.calls
        )))
    }
}
