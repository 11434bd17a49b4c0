//! A new certificate for the same key.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fluxplane_core::{ErrorKind, error::Reason};
use fluxplane_platform::{error::Remote, grpc, tls::Credentials};
use fluxplane_proto::node_registry::v1::{
    RenewCertificateRequest, agent_service_client::AgentServiceClient,
};

use super::time;
use crate::store::Identity;

/// The plane asks the chain before it answers.
const LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Renewed {
    pub certificate_pem: String,
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct RenewalClient;

impl RenewalClient {
    /// Asks in the name of the present certificate.
    pub async fn renew(self, identity: &Identity, csr_pem: String) -> Result<Renewed, Remote> {
        let away = |err: &dyn std::fmt::Display| Remote {
            kind: ErrorKind::Unavailable,
            reason: Reason::Unavailable,
            message: format!("{err:#}"),
            violations: Vec::new(),
        };
        let credentials = Credentials::from_pem(
            &identity.certificate_pem,
            &identity.key_pem,
            &identity.ca_pem,
        );
        let channel = grpc::client::channel(&identity.agent_endpoint, credentials.client())
            .map_err(|err| away(&err))?
            .timeout(LIMIT)
            .connect()
            .await
            .map_err(|err| away(&fluxplane_platform::error::chain(&err)))?;
        let request = RenewCertificateRequest { csr_pem };
        let reply = AgentServiceClient::new(channel)
            .renew_certificate(request)
            .await?
            .into_inner();
        Ok(Renewed {
            expires_at: time("expires_at", reply.expires_at)?,
            certificate_pem: reply.certificate_pem,
        })
    }
}
