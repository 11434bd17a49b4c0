//! Secrets of owners, and the delivery of private parts to nodes.
//!
//! No answer of this service holds a value but [`SecretService::deliver_private`]'s, and that only sealed to the node.

use fluxplane_core::{
    error::{Reason, Violation},
    id::NodeId,
};
use fluxplane_envelope::{Delivery, Zeroizing, seal_to};
use fluxplane_platform::{
    db::{idempotency, paging::Page},
    error::{ServiceError as _, refuse},
    metrics::Metrics,
    reconciler::Nudge,
};
use fluxplane_proto::{
    common::v1::PageInfo,
    node_registry::v1::{ImageCredentials, PrivateComponent, PrivatePart},
    scheduler::v1::{
        DeleteSecretRequest, DeleteSecretResponse, DeliverPrivateRequest, DeliverPrivateResponse,
        GetSecretRequest, GetSecretResponse, ListSecretsRequest, ListSecretsResponse,
        PutSecretRequest, PutSecretResponse, RegistryCredentials, Secret, SecretKind,
        put_secret_request::Content as WireContent, secret_service_server::SecretService,
    },
};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::convert;
use crate::{
    app::{
        Context, Error,
        deliver_private::{Question, private_part},
        secrets::{self, DeleteSecret, PutSecret},
    },
    domain::{
        Private, Refusal,
        secret::{Content, Credentials, Described, Kind},
    },
    metrics::PrivateMetrics,
};

#[derive(Debug, Clone)]
pub struct SecretGrpc {
    pub ctx: Context,
    /// Wakes the leader: containers may have to be made anew.
    pub nudge: Nudge,
    pub metrics: Metrics,
    pub private: PrivateMetrics,
}

impl SecretGrpc {
    fn answer<T>(&self, result: Result<T, Error>) -> Result<Response<T>, Status> {
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn put(&self, mut request: PutSecretRequest) -> Result<PutSecretResponse, Error> {
        let principal = convert::principal(request.caller.take())?;
        let key = std::mem::take(&mut request.idempotency_key);
        let command = PutSecret {
            principal: principal.clone(),
            name: request.name.clone(),
            content: content(request.content.take())?,
        };
        // The request without its content, but with a keyed hash of that.
        let idempotency = |fingerprint: &[u8; 32]| {
            request.content = Some(WireContent::Value(format!("{fingerprint:02x?}")));
            idempotency::Request::new(&principal, &key, "PutSecret", &request)
                .map_err(Refusal::invalid)
        };
        let (secret, created) = secrets::put_secret(&self.ctx, idempotency, command).await?;
        self.nudge.nudge();
        Ok(PutSecretResponse {
            secret: Some(secret_to_wire(secret)),
            created,
        })
    }

    async fn get(&self, request: GetSecretRequest) -> Result<GetSecretResponse, Error> {
        let principal = convert::principal(request.caller)?;
        let secret = secrets::get_secret(&self.ctx, &principal, &request.name).await?;
        Ok(GetSecretResponse {
            secret: Some(secret_to_wire(secret)),
        })
    }

    async fn list(&self, request: ListSecretsRequest) -> Result<ListSecretsResponse, Error> {
        let principal = convert::principal(request.caller)?;
        let wish = request.page.unwrap_or_default();
        let page = Page::parse(wish.size, &wish.cursor).map_err(Refusal::invalid)?;
        let (secrets, next_cursor) = secrets::list_secrets(&self.ctx, &principal, &page).await?;
        Ok(ListSecretsResponse {
            secrets: secrets.into_iter().map(secret_to_wire).collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }

    async fn delete(
        &self,
        mut request: DeleteSecretRequest,
    ) -> Result<DeleteSecretResponse, Error> {
        let principal = convert::principal(request.caller.take())?;
        let key = std::mem::take(&mut request.idempotency_key);
        let idempotency = idempotency::Request::new(&principal, &key, "DeleteSecret", &request)
            .map_err(Refusal::invalid)?;
        let command = DeleteSecret {
            principal,
            name: request.name,
            force: request.force,
        };
        let deleted = secrets::delete_secret(&self.ctx, &idempotency, command).await?;
        Ok(DeleteSecretResponse {
            deleted: Some(secret_to_wire(deleted)),
        })
    }

    async fn deliver(
        &self,
        request: DeliverPrivateRequest,
    ) -> Result<DeliverPrivateResponse, Error> {
        let question = Question {
            node: node_id(&request.node_id)?,
            instance: convert::instance_id(&request.instance_id)?,
            epoch: request.assignment_epoch,
        };
        let private = private_part(&self.ctx, question).await?;
        let plaintext = Zeroizing::new(private_to_wire(private).encode_to_vec());
        let delivery = Delivery {
            instance: question.instance.uuid(),
            epoch: question.epoch,
            node: question.node.uuid(),
        };
        let entropy = self.ctx.vault.entropy.as_ref();
        let sealed = seal_to(&request.recipient_key, delivery, &plaintext, entropy);
        let sealed = sealed.map_err(|err| {
            let value = format!("{} bytes", request.recipient_key.len());
            let remedy = "make a key pair for each request";
            Refusal::invalid(Violation::new(
                "recipient_key",
                value,
                err.to_string(),
                remedy,
            ))
        })?;
        tracing::info!(
            node.id = %question.node,
            instance.id = %question.instance,
            assignment.epoch = question.epoch,
            "private part delivered"
        );
        Ok(DeliverPrivateResponse {
            encapsulated_key: sealed.encapsulated,
            ciphertext: sealed.ciphertext,
        })
    }
}

fn node_id(text: &str) -> Result<NodeId, Refusal> {
    text.parse().map_err(|_| {
        let rule = "a node id is a UUID";
        Refusal::invalid(Violation::new("node_id", text, rule, "send the node's id"))
    })
}

fn content(wire: Option<WireContent>) -> Result<Content, Refusal> {
    match wire {
        Some(WireContent::Value(value)) => Ok(Content::Value(Zeroizing::new(value))),
        Some(WireContent::Credentials(credentials)) => {
            let RegistryCredentials {
                registry,
                username,
                password,
            } = credentials;
            Ok(Content::Registry(Credentials {
                registry,
                username: Zeroizing::new(username),
                password: Zeroizing::new(password),
            }))
        }
        None => Err(Refusal::invalid(Violation::new(
            "value",
            "nothing",
            "a secret has a value, or the credentials of a registry",
            "send one of them",
        ))),
    }
}

fn secret_to_wire(secret: Described) -> Secret {
    let kind = match secret.kind {
        Kind::Value => SecretKind::Value,
        Kind::Registry => SecretKind::Registry,
    };
    Secret {
        name: secret.name,
        kind: kind.into(),
        version: secret.version,
        created_at: Some(convert::timestamp(secret.created_at)),
        updated_at: Some(convert::timestamp(secret.updated_at)),
        used_by: secret.used_by,
    }
}

fn private_to_wire(private: Private) -> PrivatePart {
    let components = private.components.into_iter().map(|component| {
        let environment = component.environment.iter();
        PrivateComponent {
            environment: environment.map(|entry| entry.to_string()).collect(),
            image_credentials: component.credentials.map(|credentials| ImageCredentials {
                registry: credentials.registry,
                username: credentials.username.to_string(),
                password: credentials.password.to_string(),
            }),
            name: component.name,
        }
    });
    PrivatePart {
        components: components.collect(),
    }
}

#[tonic::async_trait]
impl SecretService for SecretGrpc {
    async fn put_secret(
        &self,
        request: Request<PutSecretRequest>,
    ) -> Result<Response<PutSecretResponse>, Status> {
        self.answer(self.put(request.into_inner()).await)
    }

    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        self.answer(self.get(request.into_inner()).await)
    }

    async fn list_secrets(
        &self,
        request: Request<ListSecretsRequest>,
    ) -> Result<Response<ListSecretsResponse>, Status> {
        self.answer(self.list(request.into_inner()).await)
    }

    async fn delete_secret(
        &self,
        request: Request<DeleteSecretRequest>,
    ) -> Result<Response<DeleteSecretResponse>, Status> {
        self.answer(self.delete(request.into_inner()).await)
    }

    async fn deliver_private(
        &self,
        request: Request<DeliverPrivateRequest>,
    ) -> Result<Response<DeliverPrivateResponse>, Status> {
        let result = self.deliver(request.into_inner()).await;
        self.private.delivered(match &result {
            Ok(_) => "delivered",
            Err(err) => match err.reason() {
                Reason::Forbidden => "forbidden",
                Reason::AssignmentOver => "over",
                _ => "failed",
            },
        });
        self.answer(result)
    }
}
