//! Private parts of instances: fetched when a container is made, and kept sealed for when the plane is away then.

use std::sync::Arc;

use fluxplane_core::id::{InstanceId, NodeId};
use fluxplane_envelope::{Entropy, Zeroizing};
use fluxplane_platform::error::Remote;
use tokio::sync::watch;

use crate::{
    clients::private::{PrivateClient, read},
    domain::{Instance, Private},
    metrics::{AgentMetrics, OutcomeLabels},
    store::{DataDir, KeptFor, StoreError, blocking},
};

/// Why a private part is not here.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// Nothing of it is kept here that fits.
    #[error("waiting for the plane, which has the environment of the instance: {0}")]
    Away(String),
    #[error("the plane does not give the environment of the instance: {0}")]
    Refused(Remote),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the environment of the instance cannot be read; the plane may be of another version")]
    Malformed,
}

impl PrivateError {
    /// Whether only the plane's absence stands in the way.
    pub const fn plane_away(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Refused(_) | Self::Store(_) | Self::Malformed => false,
        }
    }
}

/// Gets and keeps them. Clones share the connection.
#[derive(Debug, Clone)]
pub struct PrivateParts {
    pub node: NodeId,
    pub dir: DataDir,
    pub entropy: Arc<dyn Entropy>,
    /// The session's connection, while there is one.
    pub line: watch::Receiver<Option<PrivateClient>>,
    pub metrics: AgentMetrics,
}

impl PrivateParts {
    /// The private part of an instance, fresh if the plane is there.
    pub async fn of(&self, instance: &Instance) -> Result<Private, PrivateError> {
        if !instance.has_private() {
            return Ok(Private::default());
        }
        let bytes = match self.fetch(instance).await {
            Ok(bytes) => {
                self.count("fetched");
                self.keep(instance, &bytes).await?;
                bytes
            }
            Err(PrivateError::Away(cause)) => {
                let Some(bytes) = self.kept(instance).await? else {
                    self.count("away");
                    return Err(PrivateError::Away(cause));
                };
                self.count("kept");
                bytes
            }
            Err(err) => {
                self.count("refused");
                return Err(err);
            }
        };
        read(&bytes).ok_or(PrivateError::Malformed)
    }

    /// Forgets what was kept of an instance.
    pub async fn forget(&self, instance: InstanceId) -> Result<(), StoreError> {
        let dir = self.dir.clone();
        blocking(move || dir.forget_private(instance)).await
    }

    /// Instances of which something is kept.
    pub async fn kept_instances(&self) -> Result<Vec<InstanceId>, StoreError> {
        let dir = self.dir.clone();
        blocking(move || dir.private_instances()).await
    }

    async fn fetch(&self, instance: &Instance) -> Result<Zeroizing<Vec<u8>>, PrivateError> {
        let client = self.line.borrow().clone();
        let client =
            client.ok_or_else(|| PrivateError::Away("no session with the plane".to_owned()))?;
        let epoch = instance.assignment_epoch;
        let fetched = client
            .fetch(self.node, instance.id, epoch, self.entropy.as_ref())
            .await;
        fetched.map_err(|remote| {
            if remote.kind.retryable() {
                PrivateError::Away(remote.message)
            } else {
                PrivateError::Refused(remote)
            }
        })
    }

    async fn keep(&self, instance: &Instance, bytes: &[u8]) -> Result<(), StoreError> {
        let (dir, entropy) = (self.dir.clone(), Arc::clone(&self.entropy));
        let (of, bytes) = (
            KeptFor::of(self.node, instance),
            Zeroizing::new(bytes.to_vec()),
        );
        blocking(move || dir.keep_private(&of, &bytes, entropy.as_ref())).await
    }

    async fn kept(&self, instance: &Instance) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let (dir, of) = (self.dir.clone(), KeptFor::of(self.node, instance));
        blocking(move || dir.kept_private(&of)).await
    }

    fn count(&self, outcome: &'static str) {
        let labels = OutcomeLabels { outcome };
        self.metrics.private_parts.get_or_create(&labels).inc();
    }
}
