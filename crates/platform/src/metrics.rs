//! Metrics: one registry per process, typed families, a fixed set of label values.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Metric, Registry},
};

/// The metrics of a process. Clones share one registry.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    /// Those every service has.
    pub common: Common,
}

impl Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// All names get the prefix `fluxplane_`.
    pub fn new(service: &'static str, version: &'static str) -> Self {
        let mut registry = Registry::with_prefix("fluxplane");
        let build = Family::<BuildLabels, Gauge>::default();
        build
            .get_or_create(&BuildLabels { service, version })
            .set(1);
        registry.register("build", "Service and version that run", build);
        let common = Common::register(&mut registry);
        Self {
            registry: Arc::new(Mutex::new(registry)),
            common,
        }
    }

    /// Adds a metric. `name` without prefix and without `_total`.
    pub fn register<M: Metric + Clone>(&self, name: &str, help: &str, metric: M) -> M {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(name, help, metric.clone());
        metric
    }

    /// Counts a request that was refused because of what it said.
    pub fn reject(&self, code: &'static str) {
        let rejected = &self.common.rejected;
        rejected.get_or_create(&RejectedLabels { code }).inc();
    }

    /// OpenMetrics text.
    pub fn encode(&self) -> String {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a String cannot fail");
        text
    }
}

/// Metrics every service has.
#[derive(Debug, Clone)]
pub struct Common {
    /// Seconds per gRPC call served.
    pub rpc_seconds: Family<RpcLabels, Histogram, fn() -> Histogram>,
    /// Events applied by consumers.
    pub events: Family<EventLabels, Counter>,
    /// Seconds from delivery to commit of an event.
    pub event_seconds: Family<ConsumerLabels, Histogram, fn() -> Histogram>,
    /// Events waiting in the outbox.
    pub outbox_rows: Gauge,
    /// Age of the oldest event in the outbox, seconds.
    pub outbox_age_seconds: Gauge,
    /// 1 while this process holds the named lease.
    pub lease_held: Family<LeaseLabels, Gauge>,
    /// Runs of background work.
    pub task_runs: Family<TaskLabels, Counter>,
    /// 1 for each part of the process that serves, 0 for one that cannot.
    pub component_ready: Family<ComponentLabels, Gauge>,
    /// Requests refused because of what they said, by reason code.
    rejected: Family<RejectedLabels, Counter>,
}

impl Common {
    fn register(registry: &mut Registry) -> Self {
        let common = Self {
            rpc_seconds: Family::new_with_constructor(latency_histogram),
            events: Family::default(),
            event_seconds: Family::new_with_constructor(latency_histogram),
            outbox_rows: Gauge::default(),
            outbox_age_seconds: Gauge::default(),
            lease_held: Family::default(),
            task_runs: Family::default(),
            component_ready: Family::default(),
            rejected: Family::default(),
        };
        registry.register(
            "rpc_seconds",
            "Duration of gRPC calls served",
            common.rpc_seconds.clone(),
        );
        registry.register("events", "Events taken by consumers", common.events.clone());
        registry.register(
            "event_seconds",
            "Duration from delivery to commit of an event",
            common.event_seconds.clone(),
        );
        registry.register(
            "outbox_rows",
            "Events waiting in the outbox",
            common.outbox_rows.clone(),
        );
        registry.register(
            "outbox_age_seconds",
            "Age of the oldest event in the outbox",
            common.outbox_age_seconds.clone(),
        );
        registry.register(
            "lease_held",
            "1 while this process holds the lease",
            common.lease_held.clone(),
        );
        registry.register(
            "task_runs",
            "Runs of background work",
            common.task_runs.clone(),
        );
        registry.register(
            "component_ready",
            "1 for each part of the process that serves",
            common.component_ready.clone(),
        );
        registry.register(
            "rejected",
            "Requests refused, by reason code",
            common.rejected.clone(),
        );
        common
    }
}

/// Buckets from 0.5 ms to about 16 s, each twice the last.
pub fn latency_histogram() -> Histogram {
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(
        0.000_5, 2.0, 16,
    ))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    service: &'static str,
    version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RpcLabels {
    /// gRPC path, e.g. `/fluxplane.billing.v1.BillingService/GetQuote`.
    pub method: String,
    /// gRPC status code name.
    pub code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EventLabels {
    pub consumer: &'static str,
    /// `applied`, `repeated`, `retried` or `poison`.
    pub outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ConsumerLabels {
    pub consumer: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LeaseLabels {
    pub name: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TaskLabels {
    pub task: &'static str,
    /// `ok` or `failed`.
    pub outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ComponentLabels {
    pub component: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RejectedLabels {
    code: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_carry_the_prefix_and_end_with_eof() {
        let metrics = Metrics::new("billing", "1.2.3");
        metrics.common.outbox_rows.set(7);
        let text = metrics.encode();
        assert!(text.contains("fluxplane_outbox_rows 7\n"), "{text}");
        assert!(
            text.contains("fluxplane_build{service=\"billing\",version=\"1.2.3\"} 1\n"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
