//! Shows operators how following goes. Every replica does, from the database, so that one that only serves is judged by the same
//! facts as the one that follows.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::{Sat, Tier};
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
    source::metrics::{SourceLabels, SourceMetrics},
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
    pub sources: SourceMetrics,
    /// Whether the chain is followed.
    pub chain: Component,
    /// Whether enough daemons answer and agree.
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
        self.show_sources(&status, now);
        self.show_health(&status, now);
        self.show_fluxnodes().await?;
        self.show_coins(&status).await?;
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

    fn show_sources(&self, status: &Status, now: DateTime<Utc>) {
        let quorum = status.daemon_problem.is_empty() && recent(status.daemon_seen_at, now);
        self.sources.quorum.set(i64::from(quorum));
        let families = [
            &self.sources.up,
            &self.sources.height,
            &self.sources.lag,
            &self.sources.agrees,
        ];
        for source in &status.sources {
            let labels = SourceLabels {
                source: source.name.clone(),
            };
            let up = recent(source.seen_at, now);
            let height = source.tip.map_or(0, |tip| tip.height);
            let lag = status.daemon_height.saturating_sub(height);
            let values = [
                i64::from(up),
                height.into(),
                lag.into(),
                i64::from(up && source.agrees),
            ];
            for (family, value) in families.into_iter().zip(values) {
                family.get_or_create(&labels).set(value);
            }
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
        if !status.daemon_problem.is_empty() {
            self.daemon.affected(status.daemon_problem.clone());
        } else if !recent(status.daemon_seen_at, now) {
            self.daemon.affected("nobody asked the sources lately");
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

impl Observe {
    async fn show_coins(&self, status: &Status) -> Result<(), app::Error> {
        let Some(tip) = status.tip else { return Ok(()) };
        let coins = app::nodes::coins(&self.ctx, tip.height).await?;
        let said = &self.metrics.said;
        said.show_supply(coins.scheduled, coins.observed);
        for tier in Tier::ALL {
            let locked = coins.locked.iter().find(|(of, _)| *of == tier);
            said.show_locked(tier, locked.map_or(Sat::ZERO, |(_, locked)| *locked));
        }
        Ok(())
    }
}

/// Whether something was heard of lately.
fn recent(heard: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    heard.is_some_and(|at| now - at <= DAEMON_SILENCE)
}
