//! Asks the sources of the exchange rate, and measures what they give.

use std::time::Duration;

use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::app::{Context, rates};

/// How often is looked whose turn it is.
pub const PERIOD: Duration = Duration::from_secs(1);

/// Runs on every replica. Each asks whom none asked lately, so that all together ask about as often as one.
#[derive(Debug)]
pub struct AskRates {
    pub ctx: Context,
}

impl Reconciler for AskRates {
    const NAME: &'static str = "billing.ask_rates";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let asked = rates::ask_due(&self.ctx).await?;
        let outlook = rates::outlook(&self.ctx).await?;
        self.ctx.metrics.rate(&outlook, self.ctx.now_s());
        if asked == rates::Asked::default() {
            return Ok(Progress::idle());
        }
        let rates::Asked { answered, failed } = asked;
        Ok(Progress::done(format!(
            "{answered} sources answered, {failed} did not"
        )))
    }
}
