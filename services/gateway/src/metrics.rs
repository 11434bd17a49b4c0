//! Metrics of the gateway.

use fluxplane_platform::metrics::{Metrics, latency_histogram};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HttpLabels {
    pub method: &'static str,
    /// Path template; `unmatched` when there is none.
    pub route: String,
    pub status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PeerLabels {
    pub peer: &'static str,
    pub method: &'static str,
    /// `ok` or the reason code of the refusal.
    pub outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ScopeLabels {
    /// `ip` or `principal`.
    pub scope: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabels {
    pub kind: &'static str,
}

#[derive(Debug, Clone)]
pub struct GatewayMetrics {
    /// Seconds until an answer began, by route and status.
    pub http_seconds: Family<HttpLabels, Histogram, fn() -> Histogram>,
    /// Requests being answered.
    pub in_flight: Gauge,
    /// Open client connections.
    pub connections: Gauge,
    /// Open event streams and downloads: `events`, `logs`, `leaves`.
    pub streams: Family<KindLabels, Gauge>,
    /// Seconds per call to another service.
    pub peer_seconds: Family<PeerLabels, Histogram, fn() -> Histogram>,
    /// Requests refused for coming too fast.
    pub throttled: Family<ScopeLabels, Counter>,
    /// Sessions by what happened to them: `opened`, `refreshed`, `signed_out`, `reuse_ended`, `fluxos_opened`.
    pub sessions: Family<KindLabels, Counter>,
    /// Requests whose handler panicked.
    pub panics: Counter,
}

impl GatewayMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let histogram = latency_histogram as fn() -> Histogram;
        Self {
            http_seconds: metrics.register(
                "http_request_seconds",
                "Duration until an answer began, by route and status",
                Family::new_with_constructor(histogram),
            ),
            in_flight: metrics.register(
                "http_requests_in_flight",
                "Requests being answered",
                Gauge::default(),
            ),
            connections: metrics.register(
                "http_connections",
                "Open client connections",
                Gauge::default(),
            ),
            streams: metrics.register(
                "http_streams",
                "Open event streams and downloads",
                Family::default(),
            ),
            peer_seconds: metrics.register(
                "peer_call_seconds",
                "Duration of calls to other services",
                Family::new_with_constructor(histogram),
            ),
            throttled: metrics.register(
                "http_throttled",
                "Requests refused for coming too fast",
                Family::default(),
            ),
            sessions: metrics.register("sessions", "What happened to sessions", Family::default()),
            panics: metrics.register(
                "http_panics",
                "Requests whose handler panicked",
                Counter::default(),
            ),
        }
    }
}
