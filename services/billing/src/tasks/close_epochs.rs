//! Ends and settles epochs when their time has come.

use std::time::Duration;

use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::app::{Context, Error, epochs};

/// How often the clock is looked at.
pub const PERIOD: Duration = Duration::from_millis(500);

/// Works while this replica leads.
#[derive(Debug)]
pub struct CloseEpochs {
    pub ctx: Context,
    /// Fencing token of the term.
    pub token: i64,
}

impl Reconciler for CloseEpochs {
    const NAME: &'static str = "billing.close_epochs";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        match epochs::advance(&self.ctx, self.token).await {
            Ok(0) => Ok(Progress::idle()),
            Ok(settled) => Ok(Progress::done(format!("{settled} epochs settled"))),
            // The next leader goes on.
            Err(Error::Superseded) => Ok(Progress::done("no longer leading")),
            Err(err) => Err(err.into()),
        }
    }
}
