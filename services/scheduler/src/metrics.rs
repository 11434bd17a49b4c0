//! Metrics of the scheduler.

use chrono::{DateTime, Utc};
use fluxplane_platform::metrics::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
};

use crate::domain::{
    AppState, InstanceState,
    case::{Milestone, Outcome},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabels {
    pub state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    pub outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FilterLabels {
    /// As in `fluxplane_placement::Filter`; `none` when there is no node at all.
    pub filter: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SinceLabels {
    /// `submitted` or `funded`.
    pub since: &'static str,
}

type Histograms = Family<SinceLabels, Histogram, fn() -> Histogram>;

#[derive(Debug, Clone)]
pub struct SchedulerMetrics {
    /// Applications per state.
    pub apps: Family<StateLabels, Gauge>,
    /// Instances per state, without those that are over.
    pub instances: Family<StateLabels, Gauge>,
    /// Instances that wait for a node, by the filter that removed most nodes.
    pub pending: Family<FilterLabels, Gauge>,
    /// Decisions: `placed`, `partly`, `pending`.
    pub decisions: Family<OutcomeLabels, Counter>,
    /// Seconds one decision takes, without the database.
    pub placement_seconds: Histogram,
    /// Seconds until all instances of a revision had a node.
    pub placed_seconds: Histograms,
    /// Seconds until all instances of a revision were healthy.
    pub running_seconds: Histograms,
    /// Watchers of timelines on this replica.
    pub watchers: Gauge,
    /// Names that quotes keep.
    pub names_reserved: Gauge,
    pub rooms_reserved: Gauge,
    pub private: PrivateMetrics,
}

/// What is sealed, and who got it.
#[derive(Debug, Clone)]
pub struct PrivateMetrics {
    /// Private parts asked for by nodes: `delivered`, `forbidden`, `over`, `failed`.
    pub deliveries: Family<OutcomeLabels, Counter>,
    /// Revisions that are not sealed yet.
    pub clear: Gauge,
    /// Keys of owners that an older root key wrapped.
    pub to_rewrap: Gauge,
    /// Keys of owners that were wrapped anew.
    pub rewrapped: Counter,
    /// Applications of which what was private was destroyed.
    pub shredded: Counter,
    /// Version of the root key that wraps.
    pub root_version: Gauge,
}

impl PrivateMetrics {
    fn register(metrics: &Metrics) -> Self {
        let deliveries = Family::<OutcomeLabels, Counter>::default();
        for outcome in ["delivered", "forbidden", "over", "failed"] {
            deliveries
                .get_or_create(&OutcomeLabels { outcome })
                .inc_by(0);
        }
        let gauge = |name, help| metrics.register(name, help, Gauge::default());
        Self {
            deliveries: metrics.register(
                "private_deliveries",
                "Private parts of instances asked for by nodes, by outcome",
                deliveries,
            ),
            clear: gauge(
                "private_revisions_clear",
                "Revisions from before specifications were sealed",
            ),
            to_rewrap: gauge(
                "private_keys_to_rewrap",
                "Keys of owners that are wrapped with another root key than the first",
            ),
            rewrapped: metrics.register(
                "private_keys_rewrapped",
                "Keys of owners that were wrapped with a new root key",
                Counter::default(),
            ),
            shredded: metrics.register(
                "private_apps_shredded",
                "Ended applications of which what was private was destroyed",
                Counter::default(),
            ),
            root_version: gauge(
                "private_root_key_version",
                "Version of the root key that wraps",
            ),
        }
    }

    pub fn delivered(&self, outcome: &'static str) {
        self.deliveries
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
    }
}

impl SchedulerMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let apps = Family::<StateLabels, Gauge>::default();
        for state in AppState::ALL {
            let state = state.name();
            apps.get_or_create(&StateLabels { state }).set(0);
        }
        let instances = Family::<StateLabels, Gauge>::default();
        for state in InstanceState::ALL
            .into_iter()
            .filter(|state| !state.has_ended())
        {
            let state = state.name();
            instances.get_or_create(&StateLabels { state }).set(0);
        }
        let decisions = Family::<OutcomeLabels, Counter>::default();
        for outcome in Outcome::ALL {
            let outcome = outcome.name();
            decisions
                .get_or_create(&OutcomeLabels { outcome })
                .inc_by(0);
        }
        let histograms = || Histograms::new_with_constructor(waiting_histogram);
        Self {
            apps: metrics.register("apps", "Applications by state", apps),
            instances: metrics.register("instances", "Instances by state", instances),
            pending: metrics.register(
                "instances_pending",
                "Instances that wait for a node, by the strictest filter",
                Family::default(),
            ),
            decisions: metrics.register("decisions", "Placement decisions by outcome", decisions),
            placement_seconds: metrics.register(
                "placement_seconds",
                "Duration of one placement decision in memory",
                Histogram::new(exponential_buckets(0.000_01, 2.0, 16)),
            ),
            placed_seconds: metrics.register(
                "app_placed_seconds",
                "Time until all instances of a revision had a node",
                histograms(),
            ),
            running_seconds: metrics.register(
                "app_running_seconds",
                "Time until all instances of a revision were healthy",
                histograms(),
            ),
            private: PrivateMetrics::register(metrics),
            names_reserved: metrics.register(
                "names_reserved",
                "Names that quotes keep for their owners",
                Gauge::default(),
            ),
            rooms_reserved: metrics.register(
                "rooms_reserved",
                "Copies that quotes and unpaid applications keep room for",
                Gauge::default(),
            ),
            watchers: metrics.register(
                "timeline_watchers",
                "Timelines that are watched on this replica",
                Gauge::default(),
            ),
        }
    }

    pub fn decided(&self, outcome: Outcome) {
        let outcome = outcome.name();
        self.decisions
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
    }

    pub fn reached(&self, milestone: Milestone, now: DateTime<Utc>) {
        let (histograms, submitted_at, funded_at) = match milestone {
            Milestone::Placed {
                submitted_at,
                funded_at,
            } => (&self.placed_seconds, submitted_at, funded_at),
            Milestone::Running {
                submitted_at,
                funded_at,
            } => (&self.running_seconds, submitted_at, funded_at),
        };
        for (since, at) in [("submitted", submitted_at), ("funded", funded_at)] {
            let seconds = (now - at).as_seconds_f64();
            histograms
                .get_or_create(&SinceLabels { since })
                .observe(seconds.max(0.0));
        }
    }
}

/// Buckets from 1 ms to more than two hours, each twice the last: payments and images take minutes.
fn waiting_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 24))
}
