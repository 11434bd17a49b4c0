//! Keeps the node gauges true.

use fluxplane_core::NodeState;
use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::{
    app::Context,
    db,
    metrics::{RegistryMetrics, StateLabels},
};

#[derive(Debug)]
pub struct CountNodes {
    pub ctx: Context,
    pub metrics: RegistryMetrics,
}

impl Reconciler for CountNodes {
    const NAME: &'static str = "registry.count_nodes";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let mut conn = self.ctx.pool.acquire().await?;
        let counts = db::nodes::count_by_state(&mut conn).await?;
        for state in NodeState::ALL {
            let count = counts
                .iter()
                .find(|(of, _)| *of == state)
                .map_or(0, |(_, count)| *count);
            self.metrics
                .nodes
                .get_or_create(&StateLabels {
                    state: state.name(),
                })
                .set(count);
        }
        Ok(Progress::done(format!("{} states", counts.len())))
    }
}
