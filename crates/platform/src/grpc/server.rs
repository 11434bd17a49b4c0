//! Serving gRPC: every call is authorised by the peer's certificate, bounded by its deadline, traced and counted.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::http::{Request, Response};
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Status,
    body::Body,
    service::Routes,
    transport::{
        ServerTlsConfig,
        server::{TcpConnectInfo, TcpIncoming, TlsConnectInfo},
    },
};
use tower::{Layer, Service};
use tracing::Instrument as _;

use crate::{
    metrics::{Metrics, RpcLabels},
    propagation,
    tls::Peer,
};

/// Deadline of calls that bring none; also the longest one honoured for the response's head.
const LONGEST_CALL: Duration = Duration::from_secs(30);

/// A peer that says nothing for this long is probed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Most calls in flight on one connection.
const CALLS_PER_CONNECTION: usize = 256;

/// Who may call what. Everything not listed is refused.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Pairs of a path prefix (`/package.Service/` or `/package.Service/Method`) and who may call it. First match decides.
    pub rules: &'static [(&'static str, Allow)],
}

/// Who a rule lets in.
#[derive(Debug, Clone, Copy)]
pub enum Allow {
    /// These services.
    Services(&'static [&'static str]),
    /// Any node with a certificate.
    Nodes,
    /// Everyone, also without a certificate.
    Anyone,
}

impl Policy {
    fn allows(self, path: &str, peer: &Peer) -> bool {
        let rule = self
            .rules
            .iter()
            .find(|(prefix, _)| path.starts_with(prefix));
        match (rule, peer) {
            (Some((_, Allow::Anyone)), _) | (Some((_, Allow::Nodes)), Peer::Node(_)) => true,
            (Some((_, Allow::Services(names))), Peer::Service(name)) => {
                names.contains(&name.as_str())
            }
            (_, Peer::Service(_) | Peer::Node(_) | Peer::Anonymous) => false,
        }
    }
}

/// A gRPC listener.
#[derive(Debug)]
pub struct Server {
    pub listener: TcpListener,
    pub tls: ServerTlsConfig,
    pub policy: Policy,
    pub metrics: Metrics,
}

impl Server {
    /// Serves `routes` until cancelled, then lets calls in flight end.
    pub async fn serve(self, routes: Routes, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(address = %self.listener.local_addr()?, "gRPC listener is up");
        let guard = GuardLayer {
            policy: self.policy,
            metrics: Arc::new(self.metrics),
        };
        // An answer is several writes; without this, each call waits 40 ms for the caller's acknowledgement of the first.
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        tonic::transport::Server::builder()
            .tls_config(self.tls)?
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .concurrency_limit_per_connection(CALLS_PER_CONNECTION)
            .layer(guard)
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
            .await?;
        Ok(())
    }
}

/// Binds a listener; a taken port fails the start.
pub async fn bind(listen: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen)
        .await
        .map_err(|err| anyhow::anyhow!("bind gRPC listener {listen}: {err}"))
}

/// Puts [`Guard`] around every service.
#[derive(Debug, Clone)]
struct GuardLayer {
    policy: Policy,
    metrics: Arc<Metrics>,
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Guard {
            inner,
            policy: self.policy,
            metrics: Arc::clone(&self.metrics),
        }
    }
}

/// Authorises, times, traces and counts calls. Inserts the [`Peer`] into the request's extensions.
#[derive(Debug, Clone)]
struct Guard<S> {
    inner: S,
    policy: Policy,
    metrics: Arc<Metrics>,
}

type Reply<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Reply<Infallible>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let clone = self.inner.clone();
        // The clone was never polled ready; the original was.
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let path = request.uri().path().to_owned();
        let peer = peer_of(&request);
        let metrics = Arc::clone(&self.metrics);
        if !self.policy.allows(&path, &peer) {
            tracing::warn!(rpc.method = path, ?peer, "refused a call");
            count(&metrics, "refused", Code::PermissionDenied, Instant::now());
            let status =
                Status::permission_denied(format!("{} may not call {path}", name_of(&peer)));
            return Box::pin(async move { Ok(status.into_http()) });
        }

        let span = tracing::info_span!(
            "rpc",
            otel.name = path,
            otel.kind = "server",
            rpc.system = "grpc"
        );
        propagation::set_parent(&span, &propagation::HttpHeaders(request.headers()));
        let deadline = deadline_of(&request);
        request.extensions_mut().insert(peer);
        Box::pin(
            async move {
                let started = Instant::now();
                let response = match tokio::time::timeout(deadline, inner.call(request)).await {
                    Ok(Ok(response)) => response,
                    Ok(Err(never)) => match never {},
                    Err(_) => Status::deadline_exceeded("the call's deadline passed").into_http(),
                };
                let code =
                    Status::from_header_map(response.headers()).map_or(Code::Ok, |s| s.code());
                count(&metrics, &path, code, started);
                Ok(response)
            }
            .instrument(span),
        )
    }
}

fn count(metrics: &Metrics, method: &str, code: Code, started: Instant) {
    let labels = RpcLabels {
        method: method.to_owned(),
        code: code_name(code),
    };
    metrics
        .common
        .rpc_seconds
        .get_or_create(&labels)
        .observe(started.elapsed().as_secs_f64());
}

fn peer_of(request: &Request<Body>) -> Peer {
    request
        .extensions()
        .get::<TlsConnectInfo<TcpConnectInfo>>()
        .and_then(TlsConnectInfo::peer_certs)
        .and_then(|certs| Peer::from_certificate(certs.first()?))
        .unwrap_or(Peer::Anonymous)
}

fn name_of(peer: &Peer) -> String {
    match peer {
        Peer::Anonymous => "a caller without a certificate".to_owned(),
        Peer::Service(_) | Peer::Node(_) => peer.uri(),
    }
}

/// `grpc-timeout`, e.g. `250m` for 250 ms (gRPC over HTTP/2 specification, "Timeout").
fn deadline_of(request: &Request<Body>) -> Duration {
    let header = request
        .headers()
        .get("grpc-timeout")
        .and_then(|value| value.to_str().ok());
    header
        .and_then(parse_timeout)
        .map_or(LONGEST_CALL, |timeout| timeout.min(LONGEST_CALL))
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => amount.checked_mul(3_600).map(Duration::from_secs),
        "M" => amount.checked_mul(60).map(Duration::from_secs),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        rules: &[
            ("/p.Billing/Close", Allow::Services(&["gateway"])),
            ("/p.Billing/", Allow::Services(&["gateway", "validator"])),
            ("/p.Agent/", Allow::Nodes),
            ("/p.Join/", Allow::Anyone),
        ],
    };

    #[test]
    fn what_is_not_listed_is_refused() {
        let service = |name: &str| Peer::Service(name.to_owned());
        let node = Peer::Node(uuid::Uuid::nil().into());
        assert!(POLICY.allows("/p.Billing/Get", &service("validator")));
        assert!(!POLICY.allows("/p.Billing/Close", &service("validator")));
        assert!(!POLICY.allows("/p.Billing/Get", &node));
        assert!(POLICY.allows("/p.Agent/Session", &node));
        assert!(!POLICY.allows("/p.Agent/Session", &service("gateway")));
        assert!(POLICY.allows("/p.Join/Join", &Peer::Anonymous));
        assert!(!POLICY.allows("/p.Other/Get", &service("gateway")));
    }

    #[test]
    fn deadlines_are_read_in_every_unit() {
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("2H"), Some(Duration::from_hours(2)));
        assert_eq!(parse_timeout("7"), None);
        assert_eq!(parse_timeout(""), None);
        assert_eq!(parse_timeout("é"), None);
    }
}
