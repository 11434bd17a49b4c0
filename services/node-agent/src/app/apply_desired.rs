//! The plane decided anew what this node shall run.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::{
    domain::{
        Desired,
        desired::{Verdict, judge},
    },
    metrics::{AgentMetrics, OutcomeLabels},
    store::{DataDir, StoreError, blocking},
    supervisor,
};

/// Takes desired states. Clones share one.
#[derive(Debug, Clone)]
pub struct DesiredStates {
    dir: DataDir,
    supervisor: supervisor::Handle,
    metrics: AgentMetrics,
    current: Arc<Mutex<Option<Desired>>>,
}

impl DesiredStates {
    /// Begins with what the data folder remembers and hands it to the supervisor.
    pub async fn restore(
        dir: DataDir,
        supervisor: supervisor::Handle,
        metrics: AgentMetrics,
    ) -> Result<Self, StoreError> {
        let folder = dir.clone();
        let remembered = blocking(move || folder.desired()).await?;
        if let Some(desired) = &remembered {
            tracing::info!(
                desired.version = desired.version,
                instances = desired.instances.len(),
                "going on with the desired state of the last run"
            );
            supervisor.apply(desired.clone()).await;
        }
        Ok(Self {
            dir,
            supervisor,
            metrics,
            current: Arc::new(Mutex::new(remembered)),
        })
    }

    /// Judges an offered state; a newer one is written down, then acted on.
    pub async fn apply(&self, offered: Desired) -> Result<Verdict, StoreError> {
        let mut current = self.current.lock().await;
        let verdict = judge(current.as_ref(), &offered);
        let labels = OutcomeLabels {
            outcome: verdict.name(),
        };
        self.metrics.desired_states.get_or_create(&labels).inc();
        let (version, epoch) = (offered.version, offered.epoch);
        match verdict {
            Verdict::Newer => {
                tracing::info!(
                    desired.version = version,
                    desired.epoch = epoch,
                    instances = offered.instances.len(),
                    "desired state changed"
                );
                let (dir, written) = (self.dir.clone(), offered.clone());
                blocking(move || dir.put_desired(&written)).await?;
                self.supervisor.apply(offered.clone()).await;
                *current = Some(offered);
            }
            Verdict::Same => {}
            Verdict::OlderVersion | Verdict::OlderEpoch => {
                tracing::warn!(
                    desired.version = version,
                    desired.epoch = epoch,
                    verdict = verdict.name(),
                    "refused a desired state that was overtaken"
                );
            }
        }
        Ok(verdict)
    }

    /// Version acted on; 0 before the first.
    pub async fn version(&self) -> u64 {
        self.current
            .lock()
            .await
            .as_ref()
            .map_or(0, |desired| desired.version)
    }
}
