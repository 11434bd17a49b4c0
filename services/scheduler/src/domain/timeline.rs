//! What is told to people about an application, stage by stage.

use fluxplane_core::id::{InstanceId, NodeId};

macro_rules! stages {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// A stage that an application or an instance reached. The README lists them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Stage {
            $($(#[$doc])* $name),+
        }

        impl Stage {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As it stands in the timeline.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }
        }
    };
}

stages! {
    /// The signed specification was taken.
    Accepted = "accepted",
    /// Money was seen, not in a block yet.
    PaymentSeen = "payment_seen",
    /// Money is in a block, or something about it needs the owner's attention.
    PaymentConfirmed = "payment_confirmed",
    /// The revision is paid.
    Funded = "funded",
    /// The revision will never be paid: refused for good.
    PaymentRefused = "payment_refused",
    /// An instance waits for a node.
    Pending = "pending",
    /// An instance has a node.
    Placed = "placed",
    /// The node acts on the desired state that holds the instance.
    Told = "told",
    Pulling = "pulling",
    Starting = "starting",
    Healthy = "healthy",
    Unhealthy = "unhealthy",
    Failed = "failed",
    /// All instances of the current revision are healthy.
    Running = "running",
    /// A node fell silent; its instances stay.
    NodeSuspect = "node_suspect",
    /// A node is lost; its instances are replaced.
    NodeLost = "node_lost",
    /// A node can be counted on again.
    NodeReturned = "node_returned",
    /// An instance of a lost node continues elsewhere.
    Replaced = "replaced",
    /// An instance moved because its node does not fit the new revision.
    Moved = "moved",
    /// An instance is not wanted any more.
    Stopping = "stopping",
    /// Its node does not run it any more.
    Stopped = "stopped",
    UpdateSubmitted = "update_submitted",
    UpdateStarted = "update_started",
    UpdateFinished = "update_finished",
    /// An instance of the new revision does not become healthy; the others keep the old one.
    UpdateStopped = "update_stopped",
    /// Not paid in time.
    UpdateLapsed = "update_lapsed",
    Cancelled = "cancelled",
    Expired = "expired",
}

/// An entry to be added to an application's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub stage: Stage,
    /// `None` when it is about the whole application.
    pub instance: Option<InstanceId>,
    pub node: Option<NodeId>,
    /// Number of the revision it is about.
    pub revision: u32,
    /// For people: one sentence, with the cause when something went wrong.
    pub message: String,
}

impl Entry {
    /// About the whole application.
    pub fn app(stage: Stage, revision: u32, message: impl Into<String>) -> Self {
        Self {
            stage,
            instance: None,
            node: None,
            revision,
            message: message.into(),
        }
    }

    /// About one instance.
    pub fn instance(
        stage: Stage,
        instance: InstanceId,
        node: Option<NodeId>,
        revision: u32,
        message: impl Into<String>,
    ) -> Self {
        Self {
            stage,
            instance: Some(instance),
            node,
            revision,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_stages_share_a_name() {
        let names: BTreeSet<&str> = Stage::ALL.iter().map(|stage| stage.name()).collect();
        assert_eq!(names.len(), Stage::ALL.len());
    }

    #[test]
    fn the_readme_lists_every_stage() {
        let readme = include_str!("../../README.md");
        for stage in Stage::ALL {
            assert!(readme.contains(&format!("`{}`", stage.name())), "{stage:?}");
        }
    }
}
