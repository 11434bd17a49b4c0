//! Answers the plane's own probe: whoever answers here holds the node's key.
//!
//! The plane asks when heartbeats stop, to tell a dead machine from a broken link. The answer is a signature over the
//! asked nonce; its tag makes it worthless for anything else.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use fluxplane_core::attest::Statement;
use serde::Deserialize;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    app::signer::Signer,
    metrics::{AgentMetrics, OutcomeLabels},
};

/// Answers computed at a time; a signature takes some ten microseconds.
const ANSWERS: usize = 16;

/// Lengths of a nonce in bytes.
const NONCE_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// The listener's state.
#[derive(Debug, Clone)]
pub struct Probe {
    signer: Arc<Signer>,
    metrics: AgentMetrics,
    permits: Arc<Semaphore>,
}

#[derive(Deserialize)]
struct Ask {
    nonce: String,
}

impl Probe {
    pub fn new(signer: Arc<Signer>, metrics: AgentMetrics) -> Self {
        Self {
            signer,
            metrics,
            permits: Arc::new(Semaphore::new(ANSWERS)),
        }
    }

    /// Serves until cancelled. The listener is bound by the caller, so that a wrong address fails the start.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
        let router = Router::new().route("/probe", get(answer)).with_state(self);
        axum::serve(listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await?;
        Ok(())
    }

    fn count(&self, outcome: &'static str) {
        self.metrics
            .probes_answered
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
    }
}

/// Binds the address that was told to the plane.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "bind the probe listener {address}; the port must be free, and behind a router \
             `network.bind_ip` is this machine's own address"
        )
    })
}

async fn answer(State(probe): State<Probe>, Query(ask): Query<Ask>) -> Response {
    let nonce = hex::decode(&ask.nonce)
        .ok()
        .filter(|nonce| NONCE_BYTES.contains(&nonce.len()));
    let Some(nonce) = nonce else {
        probe.count("malformed");
        let rule = "nonce is 16 to 64 bytes in hexadecimal\n";
        return (StatusCode::BAD_REQUEST, rule).into_response();
    };
    let Ok(_permit) = probe.permits.try_acquire() else {
        probe.count("busy");
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    probe.count("answered");
    hex::encode(probe.signer.sign(Statement::Probe, &nonce)).into_response()
}
