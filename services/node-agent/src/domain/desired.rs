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
    /// Which private part it is to be made with; empty when it has none. What that is, the agent fetches when it makes the
    /// container.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub private_version: String,
    /// Replaces the image's command, never its entry point. Empty keeps the image's own.
    pub command: Vec<String>,
    pub resources: Resources,
    pub mounts: Vec<Mount>,
    // What follows is left out of the digest of a component that does not say it: containers from before it could be said
    // run on.
    /// Replaces the image's entry point. Empty keeps the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// Without it, as the agent is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Pauses>,
    /// Without it, as the image and the agent have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// Without them it works when its first TCP port takes connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Probes>,
}

/// How to see whether a component works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probes {
    pub startup: Option<Probe>,
    pub readiness: Option<Probe>,
    pub health: Option<Probe>,
}

impl Probes {
    pub fn iter(&self) -> impl Iterator<Item = &Probe> {
        [&self.startup, &self.readiness, &self.health]
            .into_iter()
            .flatten()
    }
}

/// One question, asked again and again. Times are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Port of the container, published on TCP.
    pub port: u32,
    /// What is asked for with GET; without it a connection suffices.
    pub http_path: Option<String>,
    pub interval_s: u32,
    pub timeout_s: u32,
    pub delay_s: u32,
    /// Bad answers in a row before it counts as bad.
    pub failures: u32,
    /// Good answers in a row before it counts as good.
    pub successes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    pub host: u32,
    pub container: u32,
    #[serde(default, skip_serializing_if = "Protocol::is_both")]
    pub protocol: Protocol,
}

/// What is spoken on a port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP and UDP, as FluxOS publishes every port.
    #[default]
    Both,
    Tcp,
    Udp,
}

impl Protocol {
    /// Names as engines write them.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Both => &["tcp", "udp"],
            Self::Tcp => &["tcp"],
            Self::Udp => &["udp"],
        }
    }

    /// Whether a connection can be tried.
    pub const fn has_tcp(self) -> bool {
        matches!(self, Self::Both | Self::Tcp)
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes fields by reference"
    )]
    const fn is_both(&self) -> bool {
        matches!(self, Self::Both)
    }
}

/// Pauses before a component that ended is started again, in seconds; each is twice the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pauses {
    pub first_s: u32,
    pub longest_s: u32,
}

/// How a component is ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// `SIGTERM` and the like.
    pub signal: String,
    /// Seconds until it is killed.
    pub grace_s: u32,
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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

impl Instance {
    /// Whether anything about it is private.
    pub fn has_private(&self) -> bool {
        self.components
            .iter()
            .any(|component| !component.private_version.is_empty())
    }

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
