//! The scheduler: the private part of an instance, which passes through here sealed to the node that asked.

use fluxplane_core::id::NodeId;
use fluxplane_platform::{
    error::Remote,
    grpc::{Client, client::retry},
};
use fluxplane_proto::{
    node_registry::v1::{FetchPrivateRequest, FetchPrivateResponse},
    scheduler::v1::{DeliverPrivateRequest, secret_service_client::SecretServiceClient},
};

/// Asks the scheduler.
#[derive(Debug, Clone)]
pub struct Scheduler(SecretServiceClient<Client>);

impl Scheduler {
    pub fn new(client: Client) -> Self {
        Self(SecretServiceClient::new(client))
    }

    /// What a node asks for, in the name of the node that its certificate names.
    pub async fn deliver_private(
        &self,
        node: NodeId,
        asked: FetchPrivateRequest,
    ) -> Result<FetchPrivateResponse, Remote> {
        let request = DeliverPrivateRequest {
            node_id: node.to_string(),
            instance_id: asked.instance_id,
            assignment_epoch: asked.assignment_epoch,
            recipient_key: asked.recipient_key,
        };
        let answer = retry(|| {
            let (mut client, request) = (self.0.clone(), request.clone());
            async move { client.deliver_private(request).await }
        })
        .await?;
        let sealed = answer.into_inner();
        Ok(FetchPrivateResponse {
            encapsulated_key: sealed.encapsulated_key,
            ciphertext: sealed.ciphertext,
        })
    }
}
