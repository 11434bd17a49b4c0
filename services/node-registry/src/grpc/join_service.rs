//! For a machine that has no certificate yet.

use fluxplane_platform::{error::refuse, metrics::Metrics};
use fluxplane_proto::node_registry::v1::{
    JoinRequest, JoinResponse, join_service_server::JoinService,
};
use tonic::{Request, Response, Status};

use super::convert;
use crate::app::{
    self, Context, Error,
    join::{Admission, Join},
};

#[derive(Debug, Clone)]
pub struct JoinGrpc {
    pub ctx: Context,
    pub admission: Admission,
    /// Where agents dial.
    pub agent_endpoint: String,
    pub metrics: Metrics,
}

impl JoinGrpc {
    async fn admit(&self, request: JoinRequest) -> Result<JoinResponse, Error> {
        let (claim, place, probe_port) = convert::claim(&request)?;
        let join = Join {
            token: request.token,
            csr_pem: request.csr_pem,
            node_key_signature: request.node_key_signature,
            claim,
            place,
            static_ip: request.static_ip,
            probe_port,
        };
        let joined = app::join::join(&self.ctx, &self.admission, join).await?;
        Ok(JoinResponse {
            node_id: joined.node.to_string(),
            certificate_pem: joined.certificate_pem,
            expires_at: Some(convert::timestamp(joined.expires_at)),
            agent_endpoint: self.agent_endpoint.clone(),
        })
    }
}

#[tonic::async_trait]
impl JoinService for JoinGrpc {
    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinResponse>, Status> {
        self.admit(request.into_inner())
            .await
            .map(Response::new)
            .map_err(|err| {
                tracing::info!(error = %err, "refused a machine");
                refuse(&self.metrics, &err)
            })
    }
}
