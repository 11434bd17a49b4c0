//! The private part of an instance, sealed to a key that is made for this one request.

use std::time::Duration;

use fluxplane_core::id::{InstanceId, NodeId};
use fluxplane_envelope::{Delivery, Entropy, RecipientKey, SealedMessage, Zeroizing};
use fluxplane_platform::{error::Remote, propagation};
use fluxplane_proto::node_registry::v1::{
    FetchPrivateRequest, PrivatePart, agent_service_client::AgentServiceClient,
};
use prost::Message as _;
use tonic::{Request, transport::Channel};

use super::malformed;
use crate::domain::{
    Private,
    private::{Credentials, PrivateComponent},
};

/// The plane asks one service and one database before it answers.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks over the connection of the session.
#[derive(Debug, Clone)]
pub struct PrivateClient(AgentServiceClient<Channel>);

impl PrivateClient {
    pub const fn new(client: AgentServiceClient<Channel>) -> Self {
        Self(client)
    }

    /// Fetches the private part of an assignment, as bytes for [`read`].
    pub async fn fetch(
        &self,
        node: NodeId,
        instance: InstanceId,
        epoch: u64,
        entropy: &dyn Entropy,
    ) -> Result<Zeroizing<Vec<u8>>, Remote> {
        let key = RecipientKey::generate(entropy).map_err(|err| Remote {
            kind: fluxplane_core::ErrorKind::Unavailable,
            reason: fluxplane_core::error::Reason::Unavailable,
            message: err.to_string(),
            violations: Vec::new(),
        })?;
        let mut request = Request::new(FetchPrivateRequest {
            instance_id: instance.to_string(),
            assignment_epoch: epoch,
            recipient_key: key.public().to_vec(),
        });
        request.set_timeout(LIMIT);
        propagation::inject_current(&mut propagation::GrpcMetadata(request.metadata_mut()));
        let reply = self.0.clone().fetch_private(request).await?.into_inner();
        let delivery = Delivery {
            instance: instance.uuid(),
            epoch,
            node: node.uuid(),
        };
        let message = SealedMessage {
            encapsulated: reply.encapsulated_key,
            ciphertext: reply.ciphertext,
        };
        key.open(delivery, &message)
            .map_err(|_| malformed("ciphertext"))
    }
}

/// Reads what was fetched; `None` when it is something else.
pub fn read(bytes: &[u8]) -> Option<Private> {
    let part = PrivatePart::decode(bytes).ok()?;
    let components = part
        .components
        .into_iter()
        .map(|component| PrivateComponent {
            name: component.name,
            environment: component
                .environment
                .into_iter()
                .map(Zeroizing::new)
                .collect(),
            credentials: component.image_credentials.map(|credentials| Credentials {
                registry: credentials.registry,
                username: Zeroizing::new(credentials.username),
                password: Zeroizing::new(credentials.password),
            }),
        });
    Some(Private {
        components: components.collect(),
    })
}
