//! When a rollout has come to an end, decided from its timeline alone. Pure.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{api::TimelineEntry, exit::Exit};

/// How a rollout ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All instances of the revision are healthy.
    Running,
    /// It will not come up as it stands.
    Failed {
        /// The stage that says so.
        stage: String,
        /// Why, in the words of the plane, each cause once.
        causes: Vec<String>,
        exit: Exit,
    },
}

/// Follows one revision of an application.
#[derive(Debug)]
pub struct Tracker {
    revision: u32,
    instances: u32,
    /// Latest stage and message of each instance.
    latest: BTreeMap<Uuid, (String, String)>,
}

impl Tracker {
    /// For revision `revision`, of which `instances` copies are wanted.
    pub const fn new(revision: u32, instances: u32) -> Self {
        Self {
            revision,
            instances,
            latest: BTreeMap::new(),
        }
    }

    /// Whether an entry is about this rollout. The end of the application is about every rollout.
    pub fn concerns(&self, entry: &TimelineEntry) -> bool {
        entry.revision_number >= self.revision
            || matches!(entry.stage.as_str(), "cancelled" | "expired")
    }

    /// Takes an entry; says when the rollout has ended.
    pub fn take(&mut self, entry: &TimelineEntry) -> Option<Outcome> {
        if !self.concerns(entry) {
            return None;
        }
        let failed = |exit| {
            let (stage, causes) = (entry.stage.clone(), vec![entry.message.clone()]);
            Some(Outcome::Failed {
                stage,
                causes,
                exit,
            })
        };
        match (entry.stage.as_str(), entry.instance_id) {
            ("running" | "update_finished", None) => Some(Outcome::Running),
            ("cancelled" | "update_stopped", None) => failed(Exit::Failed),
            ("expired" | "payment_refused" | "update_lapsed", None) => failed(Exit::PaymentNeeded),
            (_, None) => None,
            (_, Some(instance)) => self.instance(instance, entry),
        }
    }

    fn instance(&mut self, instance: Uuid, entry: &TimelineEntry) -> Option<Outcome> {
        let latest = (entry.stage.clone(), entry.message.clone());
        self.latest.insert(instance, latest);
        let failed = self.latest.values().filter(|(stage, _)| stage == "failed");
        let count = u32::try_from(failed.clone().count()).unwrap_or(u32::MAX);
        // One failed instance may yet be helped by another node; when none is left that has not failed, the specification
        // is at fault.
        if count < self.instances.max(1) {
            return None;
        }
        let mut causes: Vec<String> = failed.map(|(_, message)| message.clone()).collect();
        causes.sort();
        causes.dedup();
        let stage = entry.stage.clone();
        Some(Outcome::Failed {
            stage,
            causes,
            exit: Exit::Failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn entry(stage: &str, instance: Option<u128>, revision: u32) -> TimelineEntry {
        TimelineEntry {
            sequence: 1,
            at: DateTime::UNIX_EPOCH,
            stage: stage.to_owned(),
            instance_id: instance.map(Uuid::from_u128),
            node_id: None,
            message: format!("{stage} because"),
            revision_number: revision,
        }
    }

    #[test]
    fn a_rollout_ends_when_its_revision_runs() {
        let mut tracker = Tracker::new(2, 3);
        assert_eq!(tracker.take(&entry("running", None, 1)), None);
        assert_eq!(tracker.take(&entry("healthy", Some(1), 2)), None);
        assert_eq!(
            tracker.take(&entry("running", None, 2)),
            Some(Outcome::Running)
        );
    }

    #[test]
    fn one_failed_instance_is_not_the_end_but_all_of_them_are() {
        let mut tracker = Tracker::new(1, 2);
        assert_eq!(tracker.take(&entry("failed", Some(1), 1)), None);
        assert_eq!(tracker.take(&entry("pulling", Some(1), 1)), None);
        assert_eq!(tracker.take(&entry("failed", Some(2), 1)), None);
        let Some(Outcome::Failed { causes, exit, .. }) = tracker.take(&entry("failed", Some(1), 1))
        else {
            panic!("all instances failed");
        };
        assert_eq!(
            (causes, exit),
            (vec!["failed because".to_owned()], Exit::Failed)
        );
    }

    #[test]
    fn what_is_not_paid_ends_with_the_exit_code_for_that() {
        for stage in ["expired", "payment_refused", "update_lapsed"] {
            let outcome = Tracker::new(1, 1).take(&entry(stage, None, 1));
            assert!(
                matches!(
                    outcome,
                    Some(Outcome::Failed {
                        exit: Exit::PaymentNeeded,
                        ..
                    })
                ),
                "{stage}"
            );
        }
        let ended = Tracker::new(5, 1).take(&entry("cancelled", None, 1));
        assert!(matches!(
            ended,
            Some(Outcome::Failed {
                exit: Exit::Failed,
                ..
            })
        ));
    }
}
