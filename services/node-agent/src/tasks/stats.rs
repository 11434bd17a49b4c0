//! Asks the engine how it is and what the containers use.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use fluxplane_core::id::NodeId;
use fluxplane_platform::{
    health::Component,
    reconciler::{Progress, Reconciler},
};

use crate::{
    metrics::AgentMetrics,
    runtime::{ContainerState, Runtime},
};

#[derive(Debug)]
pub struct EngineStats {
    pub runtime: Arc<dyn Runtime>,
    pub node: NodeId,
    pub metrics: AgentMetrics,
    pub health: Component,
}

impl EngineStats {
    pub const PERIOD: Duration = Duration::from_secs(15);
}

impl Reconciler for EngineStats {
    const NAME: &'static str = "agent.engine";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let version = match self.runtime.version().await {
            Ok(version) => version,
            Err(err) => {
                self.metrics.engine_up.set(0);
                self.health.not_ready(err.to_string());
                return Err(err).context("ask the container engine");
            }
        };
        self.metrics.engine_up.set(1);
        self.health.ready();
        let (mut memory, mut cpu_nanos, mut running) = (0_u64, 0_u64, 0_usize);
        for container in self
            .runtime
            .list(self.node)
            .await
            .context("list containers")?
        {
            let state = self
                .runtime
                .inspect(&container.name)
                .await
                .context("inspect container")?;
            if state.is_some_and(|container| container.state == ContainerState::Running)
                && let Ok(stats) = self.runtime.stats(&container.name).await
            {
                memory = memory.saturating_add(stats.memory_bytes);
                cpu_nanos = cpu_nanos.saturating_add(stats.cpu_nanos);
                running += 1;
            }
        }
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.metrics.containers_memory_bytes.set(gauge(memory));
        self.metrics
            .containers_cpu_milliseconds
            .set(gauge(cpu_nanos / 1_000_000));
        Ok(Progress::done(format!(
            "{version}, {running} containers run"
        )))
    }
}
