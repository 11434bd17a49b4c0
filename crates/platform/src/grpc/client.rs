//! Calls to other services: mutual TLS, a deadline on every call, the current trace in its metadata, bounded retries.

use std::time::Duration;

use fluxplane_core::ErrorKind;
use tonic::{
    Code, Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use crate::{config, error::Remote, propagation, tls::Credentials};

/// What the generated clients are made over.
pub type Client = InterceptedService<Channel, Outgoing>;

/// Time to connect to a peer that listens.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// An idle connection is probed this often, so that a dead peer is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Pause before the first retry; doubles each time.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// Most attempts of one call.
const ATTEMPTS: u32 = 4;

/// A lazily connected client of another service. Reconnects by itself.
pub fn connect(peer: &config::Peer, credentials: &Credentials) -> anyhow::Result<Client> {
    let channel = channel(&peer.endpoint, credentials.client())?.connect_lazy();
    Ok(InterceptedService::new(
        channel,
        Outgoing {
            timeout: Some(peer.timeout.0),
        },
    ))
}

/// The endpoint of a peer, not connected yet.
pub fn channel(endpoint: &str, tls: ClientTlsConfig) -> anyhow::Result<Endpoint> {
    Ok(Endpoint::from_shared(endpoint.to_owned())
        .map_err(|err| anyhow::anyhow!("endpoint `{endpoint}`: {err}"))?
        .tls_config(tls)?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true))
}

/// Adds the trace and the deadline to outgoing calls.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Deadline of calls that set none themselves; `None` for streams that may last.
    pub timeout: Option<Duration>,
}

impl Interceptor for Outgoing {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        const DEADLINE: &str = "grpc-timeout";
        if let Some(timeout) = self.timeout
            && request.metadata().get(DEADLINE).is_none()
        {
            request.set_timeout(timeout);
        }
        propagation::inject_current(&mut propagation::GrpcMetadata(request.metadata_mut()));
        Ok(request)
    }
}

/// Repeats an idempotent call while the peer is away, with growing pauses.
pub async fn retry<T, F, Fut>(mut call: F) -> Result<T, Status>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Status>>,
{
    let mut pause = FIRST_BACKOFF;
    let mut attempt = 1;
    loop {
        match call().await {
            Err(status) if peer_is_away(&status) && attempt < ATTEMPTS => {
                tracing::debug!(error = %status, attempt, "peer is away, trying again");
                tokio::time::sleep(pause).await;
                pause *= 2;
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Whether the peer could not be reached, as opposed to having taken too long.
fn peer_is_away(status: &Status) -> bool {
    status.code() != Code::DeadlineExceeded
        && Remote::from(status.clone()).kind == ErrorKind::Unavailable
}
