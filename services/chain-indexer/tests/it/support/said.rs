//! Announcements by what they are about.

use std::sync::Arc;

use fluxplane_platform::{
    config::{Peer, Span},
    grpc::{self, Client},
    tls::Credentials,
};
use fluxplane_proto::{
    Event as _,
    chain_indexer::v1::{
        AnchorChanged, FluxnodeChanged, GetStatusRequest, PaymentChanged, PriceMessageChanged,
        fluxnode_service_client::FluxnodeServiceClient,
        payment_service_client::PaymentServiceClient,
    },
};
use fluxplane_testkit::eventually;
use prost::Message as _;

use super::{
    follower::Place,
    service::{Ground, LIMIT, Running},
};
use fluxplane_chain_indexer::config::Config;

/// What was announced since the last time, sorted by subject, each in order.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) payments: Vec<PaymentChanged>,
    pub(crate) nodes: Vec<FluxnodeChanged>,
    pub(crate) anchors: Vec<AnchorChanged>,
    pub(crate) prices: Vec<PriceMessageChanged>,
}

impl Place {
    /// Takes what was announced since the last time.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tables belong to the platform"
    )]
    pub(crate) async fn said(&self) -> Said {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "WITH gone AS (DELETE FROM outbox RETURNING seq, subject, payload)
             SELECT subject, payload FROM gone ORDER BY seq",
        )
        .fetch_all(&self.db.pool)
        .await
        .unwrap();
        let mut said = Said::default();
        for (subject, payload) in &rows {
            let payload = payload.as_slice();
            match subject.as_str() {
                PaymentChanged::SUBJECT => {
                    said.payments.push(PaymentChanged::decode(payload).unwrap());
                }
                FluxnodeChanged::SUBJECT => {
                    said.nodes.push(FluxnodeChanged::decode(payload).unwrap());
                }
                AnchorChanged::SUBJECT => {
                    said.anchors.push(AnchorChanged::decode(payload).unwrap());
                }
                PriceMessageChanged::SUBJECT => {
                    let message = PriceMessageChanged::decode(payload).unwrap();
                    said.prices.push(message);
                }
                _ => {}
            }
        }
        said
    }
}

/// A service of its own with the clients of a gateway.
pub(crate) struct Asked {
    pub(crate) service: Running,
    pub(crate) nodes: FluxnodeServiceClient<Client>,
    pub(crate) payments: PaymentServiceClient<Client>,
}

impl Asked {
    /// Starts a service and waits until it is at `height`.
    pub(crate) async fn start(ground: Ground, config: Config, height: u32) -> Self {
        let peer = Peer {
            endpoint: format!("https://{}", config.grpc.listen),
            timeout: Span(LIMIT),
        };
        let service = Box::pin(Running::with(ground, config)).await.unwrap();
        let credentials = Credentials::load(&service.ground.tls("gateway")).unwrap();
        let connect = || grpc::client::connect(&peer, &credentials).unwrap();
        let asked = Self {
            nodes: FluxnodeServiceClient::new(connect()),
            payments: PaymentServiceClient::new(connect()),
            service,
        };
        asked.reach(height).await;
        asked
    }

    pub(crate) async fn reach(&self, height: u32) {
        let chain = Arc::new(self.service.client("gateway"));
        eventually(LIMIT, async || {
            let mut chain = chain.as_ref().clone();
            let status = chain.get_status(GetStatusRequest {}).await.unwrap();
            let status = status.into_inner();
            if status.height == height {
                Ok(())
            } else {
                Err(status)
            }
        })
        .await;
    }
}
