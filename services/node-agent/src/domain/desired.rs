//! What a node shall run, as the plane decided it, and which decision counts.
//!
//! Values are as received: [`super::container`] checks them when it makes containers of them, so that one malformed
//! instance fails alone and the others run.

use std::collections::{BTreeMap, BTreeSet};

use fluxplane_core::{
    Resources,
    id::{InstanceId, RevisionId},
};
use serde::{Deserialize, Serialize};

/// Everything the node shall run; what is not in it shall stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Rises with every change.
    pub version: u64,
    /// Fencing token of the scheduler that decided.
    pub epoch: u64,
    pub instances: Vec<Instance>,
    /// Trace of the decision, W3C; may be empty.
    pub traceparent: String,
}

/// One copy of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub id: InstanceId,
    /// Which assignment of the instance to a node this is; statuses and usage name it.
    pub assignment_epoch: u64,
    pub app_id: String,
    pub app_name: String,
    pub revision: RevisionId,
    pub components: Vec<Component>,
    /// Trace of the deployment the instance belongs to, W3C; may be empty.
    pub traceparent: String,
}

/// One container of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    pub name: String,
    pub image: String,
    pub ports: Vec<Port>,
    pub environment: Vec<String>,
    /// Replaces the image's command, never its entry point. Empty keeps the image's own.
    pub command: Vec<String>,
    pub resources: Resources,
    pub mounts: Vec<Mount>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    pub host: u32,
    pub container: u32,
}

/// A directory or file of the instance's volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where it appears in the container.
    pub path: String,
    /// Its name in the component's volume.
    pub source: String,
    pub file: bool,
    /// Whose volume; empty for the component's own.
    pub component: String,
}

impl Instance {
    /// Whether the same containers serve both, whatever assignment they belong to.
    pub fn same_containers(&self, other: &Self) -> bool {
        self.id == other.id
            && self.revision == other.revision
            && self.components == other.components
            && self.app_name == other.app_name
    }
}

/// What becomes of an offered desired state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It counts from now on.
    Newer,
    /// It is the one that counts already.
    Same,
    /// It was overtaken by a newer one.
    OlderVersion,
    /// A scheduler that was superseded decided it.
    OlderEpoch,
}

impl Verdict {
    /// As a metric label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Newer => "accepted",
            Self::Same => "same",
            Self::OlderVersion => "older_version",
            Self::OlderEpoch => "older_epoch",
        }
    }
}

/// Judges an offered state. Neither version nor epoch ever go down.
pub fn judge(current: Option<&Desired>, offered: &Desired) -> Verdict {
    let Some(current) = current else {
        return Verdict::Newer;
    };
    if offered.epoch < current.epoch {
        Verdict::OlderEpoch
    } else if offered.version < current.version {
        Verdict::OlderVersion
    } else if offered.version == current.version {
        Verdict::Same
    } else {
        Verdict::Newer
    }
}

/// The way from what runs to what shall run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub begin: Vec<Instance>,
    /// Runs already, in another form.
    pub alter: Vec<Instance>,
    pub end: Vec<InstanceId>,
}

/// Compares what runs with what is wanted.
pub fn changes(running: &BTreeMap<InstanceId, Instance>, wanted: &[Instance]) -> Changes {
    let mut changes = Changes::default();
    for instance in wanted {
        match running.get(&instance.id) {
            None => changes.begin.push(instance.clone()),
            Some(current) if current != instance => changes.alter.push(instance.clone()),
            Some(_) => {}
        }
    }
    let kept: BTreeSet<InstanceId> = wanted.iter().map(|instance| instance.id).collect();
    changes.end = running
        .keys()
        .filter(|id| !kept.contains(id))
        .copied()
        .collect();
    changes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn desired(version: u64, epoch: u64) -> Desired {
        Desired {
            version,
            epoch,
            instances: Vec::new(),
            traceparent: String::new(),
        }
    }

    fn instance(id: u8, revision: u8) -> Instance {
        Instance {
            id: Uuid::from_u128(id.into()).into(),
            assignment_epoch: 1,
            app_id: String::new(),
            app_name: "app".to_owned(),
            revision: Uuid::from_u128(revision.into()).into(),
            components: Vec::new(),
            traceparent: String::new(),
        }
    }

    #[test]
    fn an_older_version_or_epoch_is_refused() {
        let current = desired(5, 3);
        let judge = |version, epoch| judge(Some(&current), &desired(version, epoch));
        assert_eq!(judge(6, 3), Verdict::Newer);
        assert_eq!(judge(6, 4), Verdict::Newer);
        assert_eq!(judge(5, 3), Verdict::Same);
        assert_eq!(judge(4, 3), Verdict::OlderVersion);
        // A superseded scheduler may count versions higher than its successor.
        assert_eq!(judge(9, 2), Verdict::OlderEpoch);
        assert_eq!(super::judge(None, &desired(0, 0)), Verdict::Newer);
    }

    #[test]
    fn a_new_assignment_of_the_same_revision_keeps_its_containers() {
        let before = instance(1, 1);
        let after = Instance {
            assignment_epoch: 2,
            ..before.clone()
        };
        assert!(before.same_containers(&after) && before != after);
        assert!(!before.same_containers(&instance(1, 2)));
    }

    proptest! {
        #[test]
        fn what_counts_never_goes_back(offers in proptest::collection::vec((0_u64..20, 0_u64..4), 0..40)) {
            let mut current: Option<Desired> = None;
            for (version, epoch) in offers {
                let offered = desired(version, epoch);
                let before = current.clone();
                if judge(current.as_ref(), &offered) == Verdict::Newer {
                    current = Some(offered);
                }
                if let (Some(before), Some(after)) = (before, &current) {
                    prop_assert!(after.version >= before.version && after.epoch >= before.epoch);
                }
            }
        }

        #[test]
        fn applying_the_changes_leads_to_what_is_wanted(
            running in proptest::collection::btree_map(0_u8..12, 0_u8..3, 0..12),
            wanted in proptest::collection::btree_map(0_u8..12, 0_u8..3, 0..12),
        ) {
            let mut now: BTreeMap<InstanceId, Instance> =
                running.iter().map(|(id, rev)| instance(*id, *rev)).map(|i| (i.id, i)).collect();
            let wanted: Vec<Instance> = wanted.iter().map(|(id, rev)| instance(*id, *rev)).collect();
            let changes = changes(&now, &wanted);
            for id in &changes.end {
                prop_assert!(now.remove(id).is_some());
            }
            for instance in changes.begin {
                prop_assert!(now.insert(instance.id, instance).is_none());
            }
            for instance in changes.alter {
                prop_assert!(now.insert(instance.id, instance).is_some());
            }
            let reached: Vec<Instance> = now.into_values().collect();
            prop_assert_eq!(reached, wanted);
        }
    }
}
