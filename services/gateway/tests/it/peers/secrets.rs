//! The scheduler's secrets, faked. They belong to whoever asks; what they hold is dropped.

use fluxplane_proto::{
    common::v1::PageInfo,
    scheduler::v1::{
        DeleteSecretRequest, DeleteSecretResponse, DeliverPrivateRequest, DeliverPrivateResponse,
        GetSecretRequest, GetSecretResponse, ListSecretsRequest, ListSecretsResponse,
        PutSecretRequest, PutSecretResponse, Secret, SecretKind, put_secret_request::Content,
        secret_service_server::SecretService,
    },
};
use prost_types::Timestamp;
use tonic::{Request, Response, Status};

use super::{World, not_found};

impl World {
    fn secret(&self, name: &str) -> Result<Secret, Status> {
        let state = self.state();
        let found = state.secrets.iter().find(|secret| secret.name == name);
        found
            .cloned()
            .ok_or_else(|| not_found(&format!("secret {name}")))
    }
}

#[tonic::async_trait]
impl SecretService for World {
    async fn put_secret(
        &self,
        request: Request<PutSecretRequest>,
    ) -> Result<Response<PutSecretResponse>, Status> {
        let inner = request.get_ref();
        let (caller, key) = (inner.caller.as_ref(), &inner.idempotency_key);
        self.enter("put_secret", &request, caller, key)?;
        let kind = match inner.content {
            Some(Content::Value(_)) => SecretKind::Value,
            Some(Content::Credentials(_)) => SecretKind::Registry,
            None => return Err(Status::invalid_argument("no content")),
        };
        let before = self.secret(&inner.name).ok();
        let at = Some(Timestamp {
            seconds: 1_700_000_000,
            nanos: 0,
        });
        let secret = Secret {
            name: inner.name.clone(),
            kind: kind.into(),
            version: before.as_ref().map_or(1, |secret| secret.version + 1),
            created_at: at,
            updated_at: at,
            used_by: vec!["demo".to_owned()],
        };
        let mut state = self.state();
        state.secrets.retain(|one| one.name != secret.name);
        state.secrets.push(secret.clone());
        Ok(Response::new(PutSecretResponse {
            secret: Some(secret),
            created: before.is_none(),
        }))
    }

    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let inner = request.get_ref();
        self.enter("get_secret", &request, inner.caller.as_ref(), "")?;
        Ok(Response::new(GetSecretResponse {
            secret: Some(self.secret(&inner.name)?),
        }))
    }

    async fn list_secrets(
        &self,
        request: Request<ListSecretsRequest>,
    ) -> Result<Response<ListSecretsResponse>, Status> {
        let inner = request.get_ref();
        self.enter("list_secrets", &request, inner.caller.as_ref(), "")?;
        Ok(Response::new(ListSecretsResponse {
            secrets: self.state().secrets.clone(),
            page: Some(PageInfo::default()),
        }))
    }

    async fn delete_secret(
        &self,
        request: Request<DeleteSecretRequest>,
    ) -> Result<Response<DeleteSecretResponse>, Status> {
        let inner = request.get_ref();
        let (caller, key) = (inner.caller.as_ref(), &inner.idempotency_key);
        self.enter("delete_secret", &request, caller, key)?;
        let deleted = self.secret(&inner.name)?;
        self.state().secrets.retain(|one| one.name != deleted.name);
        Ok(Response::new(DeleteSecretResponse {
            deleted: Some(deleted),
        }))
    }

    async fn deliver_private(
        &self,
        _: Request<DeliverPrivateRequest>,
    ) -> Result<Response<DeliverPrivateResponse>, Status> {
        Err(Status::permission_denied("never by the gateway"))
    }
}
