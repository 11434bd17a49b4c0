//! The end of an instance: its containers, its network and its data.

use std::sync::Arc;

use super::{
    Shared,
    instance::{InstanceTask, Interrupted},
    volumes,
};
use crate::{
    domain::{Phase, container::volume_folder},
    entropy::jitter,
    runtime::RuntimeError,
    store::StoreError,
};
use fluxplane_core::id::InstanceId;

/// Why something is still left.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemovalError {
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Volume(#[from] volumes::VolumeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl InstanceTask {
    /// Removes everything. Repeats until it succeeds, since what is left would still take ports and memory.
    pub(super) async fn remove(&mut self) -> Result<(), Interrupted> {
        self.shared.metering.ended(self.assignment());
        self.status(Phase::Stopped, "stopping");
        self.begin_anew();
        let shared = Arc::clone(&self.shared);
        let instance = self.instance.id;
        loop {
            let err = match self.unless_interrupted(clear(&shared, instance)).await? {
                Ok(()) => break,
                Err(err) => err,
            };
            tracing::warn!(instance.id = %instance, error = %err, "instance cannot be removed yet");
            self.status(Phase::Stopped, &format!("cannot be removed yet: {err}"));
            let pause = self.retry.failed(jitter());
            self.pause(pause).await?;
        }
        tracing::info!(instance.id = %instance, "instance removed");
        shared.board.remove(instance);
        Ok(())
    }
}

async fn clear(shared: &Shared, instance: InstanceId) -> Result<(), RemovalError> {
    let runtime = shared.runtime.as_ref();
    for found in runtime.list(shared.host.node).await? {
        if found.instance == Some(instance) {
            runtime
                .stop(
                    &found.name,
                    found.grace.unwrap_or(shared.settings.stop_grace),
                )
                .await?;
            runtime.remove(&found.name).await?;
        }
    }
    runtime.remove_network(instance).await?;
    volumes::remove(volume_folder(&shared.host, instance)).await?;
    shared.private.forget(instance).await?;
    Ok(())
}
