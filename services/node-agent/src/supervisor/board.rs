//! What is known of every instance, for reports.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fluxplane_core::id::InstanceId;
use fluxplane_platform::propagation;
use tokio::sync::watch;

use crate::{
    domain::{Phase, Status},
    metrics::{AgentMetrics, PhaseLabels},
};

/// The statuses. Clones share one board.
#[derive(Debug, Clone)]
pub struct Board {
    notes: Arc<Mutex<Notes>>,
    changes: Arc<watch::Sender<u64>>,
    metrics: AgentMetrics,
}

#[derive(Debug, Default)]
struct Notes {
    statuses: BTreeMap<InstanceId, Status>,
    /// Version of the desired state the statuses belong to.
    desired_version: u64,
    /// Trace of the last change that had one.
    traceparent: String,
}

/// Everything the node runs.
#[derive(Debug, Clone)]
pub struct Overview {
    pub desired_version: u64,
    pub statuses: Vec<Status>,
    /// Trace that led to the last change; empty when nothing changed since it was asked for.
    pub traceparent: String,
}

impl Board {
    pub fn new(metrics: AgentMetrics) -> Self {
        Self {
            notes: Arc::default(),
            changes: Arc::new(watch::Sender::new(0)),
            metrics,
        }
    }

    /// Notes a status. What says nothing new is dropped; `since` moves only with the phase.
    pub(super) fn put(&self, mut status: Status) {
        let mut notes = self.lock();
        let before = notes.statuses.get(&status.instance);
        if let Some(before) = before {
            if before.phase == status.phase {
                status.since = before.since;
            }
            if *before == status {
                return;
            }
        }
        if before.is_none_or(|before| before.phase != status.phase) {
            tracing::info!(
                instance.id = %status.instance,
                app.name = status.app_name,
                phase = status.phase.name(),
                reason = status.reason,
                "instance is {}",
                status.phase.name(),
            );
        }
        notes.statuses.insert(status.instance, status);
        self.changed(&mut notes);
    }

    /// The instance is gone.
    pub(super) fn remove(&self, instance: InstanceId) {
        let mut notes = self.lock();
        if notes.statuses.remove(&instance).is_some() {
            self.changed(&mut notes);
        }
    }

    /// From now on the statuses answer to this version.
    pub(super) fn set_desired_version(&self, version: u64) {
        let mut notes = self.lock();
        notes.desired_version = version;
        self.changed(&mut notes);
    }

    /// Everything as it is now. The trace is handed out once.
    pub fn report(&self) -> Overview {
        let mut notes = self.lock();
        let traceparent = std::mem::take(&mut notes.traceparent);
        Overview {
            traceparent,
            ..overview(&notes)
        }
    }

    /// Everything as it is now, without taking the trace.
    pub fn overview(&self) -> Overview {
        overview(&self.lock())
    }

    /// Follows changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The instances that are healthy now.
    pub(super) fn healthy(&self) -> Vec<InstanceId> {
        let notes = self.lock();
        let healthy = notes
            .statuses
            .values()
            .filter(|status| status.phase == Phase::Healthy);
        healthy.map(|status| status.instance).collect()
    }

    fn changed(&self, notes: &mut Notes) {
        let trace = propagation::current_traceparent();
        if !trace.is_empty() {
            notes.traceparent = trace;
        }
        for phase in Phase::ALL {
            let count = notes
                .statuses
                .values()
                .filter(|status| status.phase == phase)
                .count();
            let labels = PhaseLabels {
                phase: phase.name(),
            };
            self.metrics
                .instances
                .get_or_create(&labels)
                .set(i64::try_from(count).unwrap_or(0));
        }
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        // Every change is one insert or remove.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn overview(notes: &Notes) -> Overview {
    Overview {
        desired_version: notes.desired_version,
        statuses: notes.statuses.values().cloned().collect(),
        traceparent: String::new(),
    }
}
