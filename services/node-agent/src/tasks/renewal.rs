//! Renews the certificate at half its life.
//!
//! The key stays: what it signed before counts after, and a renewal whose answer is lost can be repeated. A new key comes
//! with joining again.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use fluxplane_core::Clock;
use fluxplane_platform::{
    reconciler::{Progress, Reconciler},
    tls::authority,
};
use rcgen::KeyPair;

use crate::{
    app::identity::Identities, clients::RenewalClient, metrics::AgentMetrics, store::Identity,
};

#[derive(Debug)]
pub struct Renewal {
    pub identities: Identities,
    pub client: RenewalClient,
    pub clock: Arc<dyn Clock>,
    pub metrics: AgentMetrics,
}

impl Renewal {
    /// Half of a certificate's life is days; a failed renewal is tried again this often.
    pub const PERIOD: Duration = Duration::from_mins(1);
}

impl Reconciler for Renewal {
    const NAME: &'static str = "agent.certificate";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let identity = self.identities.current();
        let expires_at = identity.certificate_expires_at;
        self.metrics
            .certificate_expires_at
            .set(expires_at.timestamp());
        let now = self.clock.now();
        if now < identity.renew_at() {
            return Ok(Progress::done(format!(
                "renewed at {}",
                identity.renew_at()
            )));
        }
        if now >= expires_at {
            tracing::error!(
                certificate.expires_at = %expires_at,
                "the certificate has expired; join again with a new token and --force"
            );
        }
        self.renew(&identity).await
    }
}

impl Renewal {
    async fn renew(&self, identity: &Identity) -> anyhow::Result<Progress> {
        let key = KeyPair::from_pem(&identity.key_pem).context("read the agent's key")?;
        let csr_pem = authority::request_for("fluxplane-node", &key)?;
        let renewed = self
            .client
            .renew(identity, csr_pem)
            .await
            .context("ask for a certificate")?;
        let now = self.clock.now();
        let expires_at = renewed.expires_at;
        self.identities
            .update(|identity| {
                identity.certificate_pem = renewed.certificate_pem;
                identity.certificate_issued_at = now;
                identity.certificate_expires_at = expires_at;
            })
            .await?;
        self.metrics
            .certificate_expires_at
            .set(expires_at.timestamp());
        tracing::info!(certificate.expires_at = %expires_at, "certificate renewed");
        Ok(Progress::done(format!("renewed, ends {expires_at}")))
    }
}
