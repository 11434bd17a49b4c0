//! Keeps the node summary fresh, so that whoever looks at it costs the registry nothing.

use std::sync::Arc;

use fluxplane_core::Clock;
use fluxplane_platform::reconciler::{Progress, Reconciler};
use tokio::sync::watch;

use crate::clients::{
    Registry,
    node_count::{NodeCount, count_nodes},
};

#[derive(Debug)]
pub struct CountNodes {
    pub registry: Registry,
    pub clock: Arc<dyn Clock>,
    pub count: watch::Sender<Option<NodeCount>>,
}

impl Reconciler for CountNodes {
    const NAME: &'static str = "gateway.count_nodes";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let count = count_nodes(&self.registry, self.clock.now()).await?;
        let summary = format!("{} nodes", count.by_tier.values().sum::<u64>());
        self.count.send_replace(Some(count));
        Ok(Progress::done(summary))
    }
}
