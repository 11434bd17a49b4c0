//! Shows operators how following goes. Every replica does, from the database, so that one that only serves is judged by the same
//! facts as the one that follows.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::Tier;
use fluxplane_platform::{
    error::chain as chain_of,
    health::Component,
    reconciler::{Progress, Reconciler},
};

use crate::{
    app::{
        self, Context,
        queries::{self, Status},
    },
    metrics::{ChainMetrics, FluxnodeLabels, STATUSES, status_name},
};

/// How often.
pub const PERIOD: Duration = Duration::from_secs(1);

/// A daemon that was not heard of for this long is away.
const DAEMON_SILENCE: TimeDelta = TimeDelta::seconds(15);

/// Blocks the index may lag before that is worth a word. At 30 seconds a block, two are in flight now and then.
const LAG: u32 = 2;

/// Keeps gauges and health true.
#[derive(Debug)]
pub struct Observe {
    pub ctx: Context,
    pub metrics: ChainMetrics,
    /// Whether the chain is followed.
    pub chain: Component,
    /// Whether the daemon answers.
    pub daemon: Component,
}

impl Reconciler for Observe {
    const NAME: &'static str = "indexer.observe";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let status = match queries::status(&self.ctx).await {
            Ok(status) => status,
            Err(err) => {
                self.chain.not_ready(chain_of(&err));
                return Err(err.into());
            }
        };
        let now = self.ctx.clock.now();
        self.show_gauges(&status, now);
        self.show_health(&status, now);
        self.show_fluxnodes().await?;
        let height = status.tip.map_or(0, |tip| tip.height);
        Ok(Progress::done(format!(
            "at {height}, the daemon at {}",
            status.daemon_height
        )))
    }
}

impl Observe {
    fn show_gauges(&self, status: &Status, now: DateTime<Utc>) {
        let height = status.tip.map_or(0, |tip| tip.height);
        self.metrics.height.set(i64::from(height));
        self.metrics.daemon_height.set(status.daemon_height.into());
        let lag = status.daemon_height.saturating_sub(height);
        self.metrics.lag_blocks.set(lag.into());
        let halted = !status.halted_reason.is_empty();
        self.metrics.halted.set(i64::from(halted));
        if let Some(time) = status.block_time {
            self.metrics.tip_age_seconds.set((now - time).num_seconds());
        }
    }

    fn show_health(&self, status: &Status, now: DateTime<Utc>) {
        let height = status.tip.map(|tip| tip.height);
        let lag = status.daemon_height.saturating_sub(height.unwrap_or(0));
        if !status.halted_reason.is_empty() {
            self.chain.not_ready(status.halted_reason.clone());
        } else if height.is_none() {
            self.chain.affected("no block was applied yet");
        } else if lag > LAG {
            self.chain.affected("catching up with the daemon");
        } else {
            self.chain.ready();
        }
        let heard = status.daemon_seen_at;
        if !status.daemon_problem.is_empty() {
            self.daemon.affected(status.daemon_problem.clone());
        } else if heard.is_none_or(|at| now - at > DAEMON_SILENCE) {
            self.daemon.affected("nobody asked the daemon lately");
        } else {
            self.daemon.ready();
        }
    }

    async fn show_fluxnodes(&self) -> Result<(), app::Error> {
        let counts = queries::count_fluxnodes(&self.ctx).await?;
        for tier in Tier::ALL {
            for status in STATUSES {
                let row = counts.iter().find(|(of_tier, of_status, _)| {
                    *of_tier == i16::from(tier.number()) && *of_status == i16::from(status.code())
                });
                let labels = FluxnodeLabels {
                    tier: tier.name(),
                    status: status_name(status),
                };
                self.metrics
                    .fluxnodes
                    .get_or_create(&labels)
                    .set(row.map_or(0, |(_, _, count)| *count));
            }
        }
        Ok(())
    }
}
