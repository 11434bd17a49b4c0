//! Metrics of the node registry.

use fluxplane_core::NodeState;
use fluxplane_platform::metrics::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabels {
    pub state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    pub outcome: &'static str,
}

#[derive(Debug, Clone)]
pub struct RegistryMetrics {
    /// Nodes per state.
    pub nodes: Family<StateLabels, Gauge>,
    /// Agents connected to this replica.
    pub sessions: Gauge,
    /// Heartbeats by what became of them: `accepted`, `replayed`, `bad_signature`.
    pub heartbeats: Family<OutcomeLabels, Counter>,
    /// Usage reports: `stored`, `repeated`, `bad_signature`, `gap`.
    pub usage_reports: Family<OutcomeLabels, Counter>,
    /// The plane's own probes: `reachable`, `unreachable`.
    pub probes: Family<OutcomeLabels, Counter>,
    /// Private parts that nodes asked for: `delivered`, `refused`, `unavailable`.
    pub private_fetches: Family<OutcomeLabels, Counter>,
    /// 1 while so many nodes are silent that nobody is declared lost.
    pub mass_silence: Gauge,
}

impl RegistryMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let nodes = Family::<StateLabels, Gauge>::default();
        for state in NodeState::ALL {
            nodes
                .get_or_create(&StateLabels {
                    state: state.name(),
                })
                .set(0);
        }
        Self {
            nodes: metrics.register("nodes", "Nodes by state", nodes),
            sessions: metrics.register(
                "agent_sessions",
                "Agents connected to this replica",
                Gauge::default(),
            ),
            heartbeats: metrics.register("heartbeats", "Heartbeats by outcome", Family::default()),
            usage_reports: metrics.register(
                "usage_reports",
                "Usage reports by outcome",
                Family::default(),
            ),
            probes: metrics.register("node_probes", "Own probes by outcome", Family::default()),
            private_fetches: metrics.register(
                "private_fetches",
                "Private parts of instances that nodes asked for, by outcome",
                Family::default(),
            ),
            mass_silence: metrics.register(
                "mass_silence",
                "1 while the silence of most nodes is taken to be our own fault",
                Gauge::default(),
            ),
        }
    }
}
