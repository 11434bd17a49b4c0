//! Removes what no desired state wants and no task looks after: leftovers of an agent that was killed half-way, and of a
//! node this machine was before.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::Context as _;
use fluxplane_core::id::{InstanceId, NodeId};
use fluxplane_platform::reconciler::{Progress, Reconciler};

use super::{Handle, Shared, volumes};
use crate::{app::identity::Identities, domain::container::volume_folder};

/// Sweeps up.
#[derive(Debug)]
pub struct Orphans {
    pub shared: Arc<Shared>,
    pub supervisor: Handle,
    pub identities: Identities,
}

impl Orphans {
    /// Leftovers do no harm while nobody wants their ports.
    pub const PERIOD: Duration = Duration::from_secs(30);
}

impl Reconciler for Orphans {
    const NAME: &'static str = "agent.orphans";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let mut removed = self.sweep_former().await?;
        let own = self.shared.host.node;
        // Listed first: what is listed and then not known is not about to be known.
        let found = self
            .shared
            .runtime
            .list(own)
            .await
            .context("list containers")?;
        let folders = volumes::list(self.shared.host.volumes.clone()).await?;
        let private = self.shared.private.kept_instances().await?;
        // Before any desired state is known, everything may be wanted.
        let Some(known) = self.supervisor.known().await else {
            return Ok(Progress::done("waiting for a desired state"));
        };
        let mut gone: BTreeSet<InstanceId> = folders.difference(&known).copied().collect();
        for instance in private {
            if !known.contains(&instance) {
                self.shared.private.forget(instance).await?;
            }
        }
        for container in found {
            if container
                .instance
                .is_none_or(|instance| !known.contains(&instance))
            {
                tracing::warn!(
                    container.name = container.name,
                    "removing a container nobody wants"
                );
                self.shared
                    .runtime
                    .remove(&container.name)
                    .await
                    .context("remove container")?;
                gone.extend(container.instance);
                removed += 1;
            }
        }
        for instance in gone {
            self.shared
                .runtime
                .remove_network(instance)
                .await
                .context("remove network")?;
            volumes::remove(volume_folder(&self.shared.host, instance)).await?;
        }
        Ok(Progress::done(format!("{removed} containers removed")))
    }
}

impl Orphans {
    async fn sweep_former(&self) -> anyhow::Result<usize> {
        let former: Vec<NodeId> = self.identities.current().former_nodes.clone();
        let mut removed = 0;
        for node in &former {
            for container in self
                .shared
                .runtime
                .list(*node)
                .await
                .context("list containers")?
            {
                self.shared
                    .runtime
                    .remove(&container.name)
                    .await
                    .context("remove container")?;
                if let Some(instance) = container.instance {
                    self.shared
                        .runtime
                        .remove_network(instance)
                        .await
                        .context("remove network")?;
                }
                removed += 1;
            }
        }
        if !former.is_empty() {
            self.identities
                .update(|identity| identity.former_nodes.clear())
                .await?;
        }
        Ok(removed)
    }
}
