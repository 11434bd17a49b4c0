//! Shows operators how following goes. Every replica does, from the database, so that one that only serves is judged by the same
//! facts as the one that follows.
//!
//! Trouble with a token makes the process affected, never unready: what is indexed is served either way, and the Flux chain has
//! nothing to do with it.

use std::time::Duration;

use chrono::TimeDelta;
use fluxplane_platform::{
    health::Component,
    reconciler::{Progress, Reconciler},
};

use super::follow::gauge;
use crate::evm::{
    app::{Context, Error, queries},
    config::Token,
    db::assets::Asset,
    metrics::AssetMetrics,
};

/// How often.
pub const PERIOD: Duration = Duration::from_secs(1);

/// A node that was not heard of for so many of its turns is away.
const MISSED_TURNS: i32 = 3;

/// However short the turns are.
const LEAST_SILENCE: TimeDelta = TimeDelta::seconds(15);

/// Blocks the index may lag before that is worth a word.
const LAG: u64 = 10;

/// One token that is observed.
#[derive(Debug)]
pub struct Observed {
    pub token: Token,
    pub poll_interval: Duration,
    pub metrics: AssetMetrics,
    pub component: Component,
}

/// Keeps gauges and health true.
#[derive(Debug)]
pub struct Observe {
    pub ctx: Context,
    pub observed: Vec<Observed>,
}

impl Reconciler for Observe {
    const NAME: &'static str = "indexer.evm.observe";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let mut summary = Vec::new();
        for observed in &self.observed {
            let name = &observed.token.name;
            match queries::asset(&self.ctx, name).await {
                Ok(asset) => {
                    observed.show_gauges(&asset);
                    observed.show_health(&asset, &self.ctx);
                    let height = asset.tip.map_or(0, |tip| tip.height);
                    summary.push(format!("{name} at {height} of {}", asset.node_height));
                }
                Err(Error::NoAsset(_)) => observed.component.affected("nobody followed it yet"),
                Err(err) => return Err(err.into()),
            }
        }
        Ok(Progress::done(summary.join(", ")))
    }
}

impl Observed {
    fn show_gauges(&self, asset: &Asset) {
        let metrics = &self.metrics;
        metrics
            .height
            .set(gauge(asset.tip.map_or(0, |tip| tip.height)));
        metrics.node_height.set(gauge(asset.node_height));
        metrics
            .final_height
            .set(gauge(asset.final_height.unwrap_or(0)));
        metrics.lag_blocks.set(gauge(asset.lag()));
        metrics
            .halted
            .set(i64::from(!asset.halted_reason.is_empty()));
    }

    fn show_health(&self, asset: &Asset, ctx: &Context) {
        let turns = TimeDelta::from_std(self.poll_interval).unwrap_or(LEAST_SILENCE);
        let silence = LEAST_SILENCE.max(turns * MISSED_TURNS);
        let other = (asset.chain_id, asset.contract) != (self.token.chain_id, self.token.contract);
        let component = &self.component;
        if other || asset.start_block != self.token.start_block {
            component.affected("the database has it from another contract or block than the configuration; see the log");
        } else if !asset.halted_reason.is_empty() {
            component.affected(format!("halted: {}", asset.halted_reason));
        } else if !asset.problem.is_empty() {
            component.affected(asset.problem.clone());
        } else if asset
            .node_seen_at
            .is_none_or(|at| ctx.clock.now() - at > silence)
        {
            component.affected("nobody asked the node lately");
        } else if asset.lag() > LAG {
            component.affected("catching up with the node");
        } else {
            component.ready();
        }
    }
}
