//! What happens, in the order of virtual time. Events of one moment come in the order in which they were foreseen.

use std::{cmp::Reverse, collections::BinaryHeap};

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, InstanceId, NodeId};
use fluxplane_scheduler::domain::{Node, observe::Report};

use crate::machine::Ailment;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A customer deploys something.
    Deploy,
    /// A customer deploys something, or changes or ends what runs.
    Wish,
    /// Money for a revision arrives.
    Pay { app: AppId, number: u32 },
    /// Something goes wrong, or returns.
    Trouble,
    /// Machines fall ill, and recover after a while.
    Fall {
        nodes: Vec<NodeId>,
        ailment: Ailment,
        lasts: chrono::TimeDelta,
    },
    /// Machines recover from that illness.
    Recover { nodes: Vec<NodeId>, illness: u64 },
    /// The collateral of a node is confirmed again.
    Eligible(NodeId),
    /// Machines that can be heard beat, and say what they run.
    Reconnect(Vec<NodeId>),
    /// Machines get what they shall run.
    Push(Vec<NodeId>),
    /// A container gets on.
    Progress(Run),
    /// A container that was told to stop has stopped.
    Stopped(Run),
    /// The registry looks for silence.
    Judge,
    /// The registry hears machines again; with `restarted`, it is a new one.
    Listen { restarted: bool },
    /// The scheduler hears that nodes changed.
    NodesChanged(Vec<Node>),
    /// The scheduler hears what a node runs.
    Reported(Report),
    /// Agents say again what they run, changed or not.
    Again,
    /// The leader moves one application one step.
    Turn,
    /// The scheduler is there again.
    SchedulerUp,
    /// Is everything as it should be?
    Inspect,
}

/// One start of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) node: NodeId,
    pub(crate) instance: InstanceId,
    /// Tells starts of one instance apart.
    pub(crate) serial: u64,
}

/// An event and its moment.
#[derive(Debug)]
pub(crate) struct Foreseen {
    pub(crate) at: DateTime<Utc>,
    order: u64,
    pub(crate) event: Event,
}

impl PartialEq for Foreseen {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Foreseen {}

impl PartialOrd for Foreseen {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Foreseen {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Everything that is foreseen.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Foreseen>>,
    made: u64,
}

impl Queue {
    pub(crate) fn put(&mut self, at: DateTime<Utc>, event: Event) {
        self.made += 1;
        let order = self.made;
        self.heap.push(Reverse(Foreseen { at, order, event }));
    }

    pub(crate) fn next(&mut self) -> Option<Foreseen> {
        self.heap.pop().map(|Reverse(foreseen)| foreseen)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::scenario::BEGINNING;

    #[test]
    fn events_come_by_time_and_then_by_the_order_in_which_they_were_foreseen() {
        let mut queue = Queue::default();
        let later = BEGINNING + TimeDelta::seconds(1);
        queue.put(later, Event::Turn);
        queue.put(BEGINNING, Event::Judge);
        queue.put(BEGINNING, Event::Inspect);
        let mut kinds = Vec::new();
        while let Some(foreseen) = queue.next() {
            kinds.push(foreseen.event);
        }
        assert!(matches!(
            kinds.as_slice(),
            [Event::Judge, Event::Inspect, Event::Turn]
        ));
    }
}
