//! Recomputes the books from the journal, again and again, and measures what is waited for.

use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::{app::Context, db};

/// Compares every balance with the fold of the journal.
#[derive(Debug)]
pub struct Audit {
    pub ctx: Context,
}

impl Reconciler for Audit {
    const NAME: &'static str = "billing.audit";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let metrics = &self.ctx.metrics;
        let mut conn = self.ctx.pool.acquire().await?;
        let audit = db::ledger::audit(&mut conn).await?;
        for (asset, sum) in db::ledger::imbalances(&mut conn).await? {
            metrics.imbalance(&asset, sum);
        }
        metrics.balance_drift.set(audit.drifted_accounts);
        metrics.held_drift.set(audit.drifted_terms);
        let sums = db::ledger::sums(&mut conn).await?;
        metrics.sums(&sums);
        let now = self.ctx.clock.now();
        let (payments, age) = db::payments::suspense(&mut conn, now).await?;
        metrics.suspense_payments.set(payments);
        metrics.suspense_age_seconds.set(age);
        if audit.imbalance != 0 || audit.drifted_accounts != 0 || audit.drifted_terms != 0 {
            tracing::error!(?audit, "the books do not add up");
            anyhow::bail!("the books do not add up: {audit:?}");
        }
        Ok(Progress::done(format!(
            "{} transfers folded",
            audit.transfers
        )))
    }
}
