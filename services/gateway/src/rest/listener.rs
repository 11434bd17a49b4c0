//! Connections from everyone: plain or TLS, bounded in number and patience, and let go gracefully.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use prometheus_client::metrics::gauge::Gauge;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::layers::admit::Connected;
use crate::config::{Rest, RestTls};

/// Time for the TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Time to send a request's head; also how long an idle connection stays.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// A silent HTTP/2 connection is probed this often.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Requests in flight on one HTTP/2 connection.
const STREAMS_PER_CONNECTION: u32 = 64;

/// Largest head of a request.
const HEAD_BYTES: usize = 32 * 1_024;

/// Pause after a failed accept, which usually means that file descriptors are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Binds the listener; a taken port fails the start.
pub async fn bind(config: &Rest) -> anyhow::Result<TcpListener> {
    let listen = config.listen;
    TcpListener::bind(listen)
        .await
        .with_context(|| format!("bind REST listener {listen}"))
}

/// Serves `router` until stopped, then lets requests in flight end.
pub async fn serve(
    listener: TcpListener,
    config: Rest,
    router: Router,
    open: Gauge,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let tls = config.tls.as_ref().map(acceptor).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!(address = %listener.local_addr()?, scheme, "REST listener is up");
    let slots = Arc::new(Semaphore::new(config.max_connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let Some((socket, address, slot)) = accepted else {
            continue;
        };
        let connection = Connection {
            address,
            router: router.clone(),
            watcher: graceful.watcher(),
            open: Counted::new(&open),
            slot,
        };
        connections.spawn(connection.run(socket, tls.clone()));
    }
    drop(listener);
    graceful.shutdown().await;
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// Waits for a place and a connection.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((socket, address)) => Some((socket, address, slot)),
        Err(err) => {
            tracing::warn!(error = %err, "accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

struct Connection {
    address: SocketAddr,
    router: Router,
    watcher: Watcher,
    open: Counted,
    slot: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, socket: TcpStream, tls: Option<TlsAcceptor>) {
        socket.set_nodelay(true).ok();
        let Some(tls) = tls else {
            return self.serve(socket, Version::Http1).await;
        };
        match tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(socket)).await {
            Ok(Ok(stream)) => {
                let version = Version::negotiated(stream.get_ref().1.alpn_protocol());
                self.serve(stream, version).await;
            }
            Ok(Err(err)) => tracing::debug!(error = %err, "TLS handshake"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
    }

    async fn serve<S>(self, stream: S, version: Version)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            address,
            router,
            watcher,
            open,
            slot,
        } = self;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Connected(address));
            router.clone().oneshot(request)
        });
        // The version is known, so no byte is read without the limits of that version.
        let mut builder = match version {
            Version::Http1 => Builder::new(TokioExecutor::new()).http1_only(),
            Version::Http2 => Builder::new(TokioExecutor::new()).http2_only(),
        };
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT);
        builder.http1().max_buf_size(HEAD_BYTES);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS_PER_CONNECTION);
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        if let Err(err) = watcher.watch(connection).await {
            tracing::debug!(error = %err, "connection ended");
        }
        drop((open, slot));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
}

impl Version {
    const H2: &'static [u8] = b"h2";
    const H1: &'static [u8] = b"http/1.1";

    fn negotiated(protocol: Option<&[u8]>) -> Self {
        if protocol == Some(Self::H2) {
            Self::Http2
        } else {
            Self::Http1
        }
    }
}

fn acceptor(config: &RestTls) -> anyhow::Result<TlsAcceptor> {
    let RestTls {
        cert_file,
        key_file,
    } = config;
    let certificates = CertificateDer::pem_file_iter(cert_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("rest.tls.cert_file: read `{}`", cert_file.display()))?;
    let key = PrivateKeyDer::from_pem_file(key_file)
        .with_context(|| format!("rest.tls.key_file: read `{}`", key_file.display()))?;
    let mut tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .context("rest.tls")?;
    tls.alpn_protocols = vec![Version::H2.to_vec(), Version::H1.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(tls)))
}

/// Counts a connection while it is open.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
