//! Metrics of the validator.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fluxplane_platform::metrics::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

use crate::domain::anchor::AnchorState;

/// What may keep anchors back.
const BLOCKS: [&str; 4] = ["no_key", "no_coins", "refused_by_node", "chain_away"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabels {
    pub state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabels {
    pub reason: &'static str,
}

#[derive(Debug, Clone)]
pub struct ValidatorMetrics {
    anchors: Family<StateLabels, Gauge>,
    /// Epochs that stand refused now. Must be 0.
    refused: Gauge,
    blocked: Family<ReasonLabels, Gauge>,
    /// What was in the way since the last look began.
    in_the_way: Arc<Mutex<BTreeSet<&'static str>>>,
    /// Checks that refused an epoch.
    pub refusals: Counter,
    /// Announcements that contradict an earlier one.
    pub announced_twice: Counter,
}

impl ValidatorMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let own = Self {
            anchors: metrics.register(
                "anchors",
                "Epochs by the state of their anchor",
                Family::default(),
            ),
            refused: metrics.register(
                "anchor_refused",
                "Epochs whose leaves do not give their root; must be 0",
                Gauge::default(),
            ),
            blocked: metrics.register(
                "anchoring_blocked",
                "1 while anchors wait, by reason",
                Family::default(),
            ),
            in_the_way: Arc::default(),
            refusals: metrics.register(
                "anchor_refusals",
                "Checks that refused an epoch",
                Counter::default(),
            ),
            announced_twice: metrics.register(
                "epochs_announced_twice",
                "Announcements of an epoch that contradict an earlier one",
                Counter::default(),
            ),
        };
        own.looked();
        own
    }

    /// Anchors wait for this reason.
    pub fn blocked(&self, reason: &'static str) {
        self.in_the_way().insert(reason);
        self.blocked.get_or_create(&ReasonLabels { reason }).set(1);
    }

    /// A look is over. What it did not find in the way is gone; the gauges do not flicker while a look takes its time.
    pub fn looked(&self) {
        let found = std::mem::take(&mut *self.in_the_way());
        for reason in BLOCKS.into_iter().filter(|reason| !found.contains(reason)) {
            self.blocked.get_or_create(&ReasonLabels { reason }).set(0);
        }
    }

    fn in_the_way(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.in_the_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub fn count(&self, counts: &[(AnchorState, i64)]) {
        for state in AnchorState::ALL {
            let count = counts.iter().find(|(of, _)| *of == state);
            let count = count.map_or(0, |(_, count)| *count);
            let labels = StateLabels {
                state: state.name(),
            };
            self.anchors.get_or_create(&labels).set(count);
            if state == AnchorState::Refused {
                self.refused.set(count);
            }
        }
    }
}
