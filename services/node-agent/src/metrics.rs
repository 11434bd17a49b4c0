//! Metrics of the agent.

use std::time::Duration;

use fluxplane_platform::metrics::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

use crate::domain::Phase;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    pub outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PhaseLabels {
    pub phase: &'static str,
}

#[derive(Debug, Clone)]
pub struct AgentMetrics {
    /// 1 while there is a session with the plane.
    pub session: Gauge,
    /// Attempts to open a session: `welcomed`, `failed`; and `lost` for sessions that ended.
    pub connections: Family<OutcomeLabels, Counter>,
    pub heartbeats: Counter,
    /// Desired states by what became of them.
    pub desired_states: Family<OutcomeLabels, Counter>,
    /// Private parts that containers were made with: `fetched`, `kept`; or were not: `away`, `refused`.
    pub private_parts: Family<OutcomeLabels, Counter>,
    /// Instances per phase.
    pub instances: Family<PhaseLabels, Gauge>,
    /// Seconds to fetch an image, by outcome: `pulled`, `failed`.
    pub image_pull_seconds: Family<OutcomeLabels, Histogram, fn() -> Histogram>,
    /// Seconds from taking an instance on to its first health.
    pub start_seconds: Histogram,
    /// Containers started again.
    pub restarts: Counter,
    /// Usage reports the plane has not acknowledged.
    pub usage_reports_waiting: Gauge,
    /// Answers to the plane's own probe.
    pub probes_answered: Family<OutcomeLabels, Counter>,
    /// End of the certificate, seconds since 1970.
    pub certificate_expires_at: Gauge,
    /// Memory of all containers.
    pub containers_memory_bytes: Gauge,
    /// Cpu time of all running containers since each was started, in thousandths of a second.
    pub containers_cpu_milliseconds: Gauge,
    /// 1 while the container engine answers.
    pub engine_up: Gauge,
}

impl AgentMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let instances = Family::<PhaseLabels, Gauge>::default();
        for phase in Phase::ALL {
            instances
                .get_or_create(&PhaseLabels {
                    phase: phase.name(),
                })
                .set(0);
        }
        let gauge = |name, help| metrics.register(name, help, Gauge::default());
        Self {
            session: gauge("agent_session", "1 while there is a session with the plane"),
            connections: metrics.register(
                "agent_connections",
                "Sessions with the plane, by outcome",
                Family::default(),
            ),
            heartbeats: metrics.register("agent_heartbeats", "Heartbeats sent", Counter::default()),
            desired_states: metrics.register(
                "agent_desired_states",
                "Desired states received, by verdict",
                Family::default(),
            ),
            private_parts: metrics.register(
                "agent_private_parts",
                "Private parts of instances asked for when containers were made, by outcome",
                Family::default(),
            ),
            instances: metrics.register("agent_instances", "Instances by phase", instances),
            image_pull_seconds: metrics.register(
                "agent_image_pull_seconds",
                "Duration of image pulls",
                Family::new_with_constructor(minutes_histogram),
            ),
            start_seconds: metrics.register(
                "agent_instance_start_seconds",
                "Duration from taking an instance on to its first health",
                minutes_histogram(),
            ),
            restarts: metrics.register(
                "agent_restarts",
                "Containers started again",
                Counter::default(),
            ),
            usage_reports_waiting: gauge(
                "agent_usage_reports_waiting",
                "Usage reports the plane has not acknowledged",
            ),
            probes_answered: metrics.register(
                "agent_probes_answered",
                "Answers to the plane's own probe, by outcome",
                Family::default(),
            ),
            certificate_expires_at: gauge(
                "agent_certificate_expires_at_seconds",
                "End of the certificate, seconds since 1970",
            ),
            containers_memory_bytes: gauge(
                "agent_containers_memory_bytes",
                "Memory of all running containers",
            ),
            containers_cpu_milliseconds: gauge(
                "agent_containers_cpu_milliseconds",
                "Cpu time of all running containers since each was started",
            ),
            engine_up: gauge("agent_engine_up", "1 while the container engine answers"),
        }
    }

    pub(crate) fn connection(&self, outcome: &'static str) {
        self.connections
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
    }

    pub(crate) fn pulled(&self, outcome: &'static str, took: Duration) {
        let labels = OutcomeLabels { outcome };
        self.image_pull_seconds
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }
}

/// Buckets from 50 ms to about 14 minutes, each twice the last.
fn minutes_histogram() -> Histogram {
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(
        0.05, 2.0, 15,
    ))
}
