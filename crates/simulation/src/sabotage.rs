//! Breaking the plane on purpose: a check that cannot fail checks nothing.
//!
//! Each kind strikes at its first opportunity, once, and must be noticed by the rule that it names.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, InstanceId, NodeId};
use fluxplane_core::node::NodeState;
use fluxplane_placement::{PendingReason, Reservation};
use fluxplane_scheduler::domain::{Copy, InstanceState, Node, case::Case};

use crate::{Rule, machine::Machine};

/// A way to break the plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sabotage {
    /// An instance takes more than its node has.
    Overfill,
    /// An instance goes where another one of its application is.
    SecondCopy,
    /// An instance goes to a node that is not ready.
    UnreadyNode,
    /// An instance goes where its application's rules forbid.
    WrongPlace,
    /// An instance goes to an operator that has one already.
    Crowd,
    /// An instance goes to an address at which its port is taken.
    SharePort,
    /// A copy is told to wait though a node would take it.
    Refuse,
    /// The record of a decision is altered.
    AlterRecord,
    /// The instances go elsewhere than the record says.
    Misdirect,
    /// The engine is not told of a room.
    ForgetRoom,
    /// A new leader does not read all rooms.
    ReadPartly,
    /// A waiting instance has no reason.
    LoseReason,
    /// The leader forgets an application.
    ForgetApp,
    /// A wanted instance is stopped.
    GiveUp,
    /// A room is given away before its node has let it go.
    ReleaseEarly,
    /// An agent stops everything when it hears nothing.
    AgentForgets,
    /// The registry counts silence from before it listened.
    JudgeUnheard,
    /// The reports of a node get lost.
    LoseReports,
}

impl Sabotage {
    pub const ALL: [Self; 18] = [
        Self::Overfill,
        Self::SecondCopy,
        Self::UnreadyNode,
        Self::WrongPlace,
        Self::Crowd,
        Self::SharePort,
        Self::Refuse,
        Self::AlterRecord,
        Self::Misdirect,
        Self::ForgetRoom,
        Self::ReadPartly,
        Self::LoseReason,
        Self::ForgetApp,
        Self::GiveUp,
        Self::ReleaseEarly,
        Self::AgentForgets,
        Self::JudgeUnheard,
        Self::LoseReports,
    ];

    /// The rule that must notice it.
    pub const fn breaks(self) -> Rule {
        match self {
            Self::Overfill => Rule::Capacity,
            Self::SecondCopy => Rule::OneCopyPerNode,
            Self::UnreadyNode => Rule::ReadyNodesOnly,
            Self::WrongPlace => Rule::Constraints,
            Self::Crowd => Rule::Spread,
            Self::SharePort => Rule::Ports,
            Self::Refuse => Rule::WaitsInVainOnly,
            Self::AlterRecord | Self::ForgetRoom => Rule::Replay,
            Self::Misdirect => Rule::AsRecorded,
            Self::ReadPartly => Rule::EngineInStep,
            Self::LoseReason => Rule::Accounted,
            Self::ForgetApp => Rule::Attended,
            Self::GiveUp => Rule::GivenUp,
            Self::ReleaseEarly => Rule::Unreserved,
            Self::AgentForgets => Rule::SilenceKeeps,
            Self::JudgeUnheard => Rule::FairlyJudged,
            Self::LoseReports => Rule::Settles,
        }
    }
}

/// Who breaks the plane, or nobody.
#[derive(Debug)]
pub(crate) struct Saboteur {
    kind: Option<Sabotage>,
    /// Whose reports get lost.
    victim: Option<NodeId>,
    /// Of which application the engine does not know everything.
    forgotten: Option<AppId>,
    done: bool,
}

impl Saboteur {
    pub(crate) const fn new(kind: Option<Sabotage>) -> Self {
        Self {
            kind,
            victim: None,
            forgotten: None,
            done: false,
        }
    }

    fn is(&self, kind: Sabotage) -> bool {
        self.kind == Some(kind) && !self.done
    }

    /// A step was carried out and is not written yet.
    pub(crate) fn tamper(&mut self, case: &mut Case, nodes: &BTreeMap<NodeId, Node>) {
        let Some(kind) = self.kind.filter(|_| !self.done) else {
            return;
        };
        let done = match kind {
            Sabotage::Overfill => assigned(case).map(|copy| copy.resources.ram_mib = 1_000_000),
            Sabotage::SecondCopy => second_copy(case),
            Sabotage::Misdirect => {
                misdirect(case, nodes, |node, _| node.state == NodeState::Ready).map(drop)
            }
            Sabotage::UnreadyNode => {
                redirect(case, nodes, |node, _| node.state != NodeState::Ready)
            }
            Sabotage::WrongPlace => redirect(case, nodes, |node, case| {
                let record = case.changes.decisions.first().map(|kept| &kept.record);
                let forbids = record.is_some_and(|record| !record.request.geo.permits(&node.place));
                node.state == NodeState::Ready && forbids
            }),
            Sabotage::Crowd => redirect(case, nodes, |node, case| {
                node.state == NodeState::Ready && crowds(node, case, nodes)
            }),
            Sabotage::SharePort => redirect(case, nodes, |node, case| {
                let shares = |copy: &Copy| {
                    let other = copy.instance.node.and_then(|id| nodes.get(&id));
                    !copy.ports.is_empty() && other.is_some_and(|other| other.ip == node.ip)
                };
                node.state == NodeState::Ready && case.copies.iter().any(shares)
            }),
            Sabotage::Refuse => refuse(case),
            Sabotage::AlterRecord => {
                let decisions = case.changes.decisions.first_mut();
                decisions.map(|kept| kept.record.seed ^= 1)
            }
            Sabotage::LoseReason => {
                let mut copies = case.copies.iter_mut();
                let waiting = copies.find(|copy| copy.instance.state == InstanceState::Pending);
                waiting.map(|copy| copy.instance.reason.clear())
            }
            Sabotage::GiveUp => {
                let mut copies = case.copies.iter_mut();
                let healthy = copies.find(|copy| copy.instance.state == InstanceState::Healthy);
                let now = case.now;
                healthy.map(|copy| {
                    copy.instance
                        .enter(InstanceState::Stopping, "sabotage", now);
                })
            }
            Sabotage::ReleaseEarly => {
                let mut copies = case.copies.iter_mut();
                let stopping = copies.find(|copy| {
                    copy.instance.state == InstanceState::Stopping && copy.instance.holds_room()
                });
                let now = case.now;
                stopping.map(|copy| copy.instance.released_at = Some(now))
            }
            Sabotage::ForgetRoom
            | Sabotage::ReadPartly
            | Sabotage::ForgetApp
            | Sabotage::AgentForgets
            | Sabotage::JudgeUnheard
            | Sabotage::LoseReports => None,
        };
        self.done |= done.is_some();
    }

    /// What the engine is told of these rooms: one too few of the first application that has any.
    pub(crate) fn rooms(&mut self, mut rooms: Vec<Reservation>) -> Vec<Reservation> {
        if self.is(Sabotage::ForgetRoom) {
            let app = rooms.first().map(|room| room.app);
            self.forgotten = self.forgotten.or(app);
            if self.forgotten == app {
                rooms.pop();
            }
        }
        rooms
    }

    /// What a new leader reads.
    pub(crate) fn reads(&mut self, mut rooms: Vec<Reservation>) -> Vec<Reservation> {
        if self.is(Sabotage::ReadPartly) {
            self.done |= rooms.pop().is_some();
        }
        rooms
    }

    /// When the leader looks again, having been told when.
    pub(crate) fn attention(&mut self, at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        if self.is(Sabotage::ForgetApp) && at.is_some() {
            self.done = true;
            return None;
        }
        at
    }

    /// Whether an agent that falls silent forgets what it shall run.
    pub(crate) fn agent_forgets(&mut self, machine: &Machine) -> bool {
        let strikes =
            self.is(Sabotage::AgentForgets) && !machine.off() && !machine.containers.is_empty();
        self.done |= strikes;
        strikes
    }

    /// Since when silence counts, by right since `listening`.
    pub(crate) fn judged_since(
        &self,
        listening: DateTime<Utc>,
        beginning: DateTime<Utc>,
    ) -> DateTime<Utc> {
        if self.is(Sabotage::JudgeUnheard) {
            beginning
        } else {
            listening
        }
    }

    /// Whether a report of this node gets lost: every one, once an instance has left it.
    pub(crate) fn loses_report(&mut self, node: NodeId, leaving: Option<InstanceId>) -> bool {
        if self.is(Sabotage::LoseReports) && leaving.is_some() && self.victim.is_none() {
            self.victim = Some(node);
        }
        self.victim == Some(node)
    }
}

/// An instance that this step gave a node.
fn assigned(case: &mut Case) -> Option<&mut Copy> {
    let id = case.changes.assignments.last()?.instance;
    case.copies.iter_mut().find(|copy| copy.instance.id == id)
}

fn second_copy(case: &mut Case) -> Option<()> {
    let id = case.changes.assignments.last()?.instance;
    let mut others = case.copies.iter();
    let other = others.find(|copy| copy.instance.id != id && copy.instance.holds_room())?;
    let node = other.instance.node;
    assigned(case)?.instance.node = node;
    Some(())
}

/// Whether the operator of a node has more copies than the one that the last copy went to.
fn crowds(node: &Node, case: &Case, nodes: &BTreeMap<NodeId, Node>) -> bool {
    let made = case.changes.assignments.last();
    let choices = case
        .changes
        .decisions
        .first()
        .map(|kept| &kept.record.choices);
    let (Some(made), Some(choices)) = (made, choices) else {
        return false;
    };
    let others = case.copies.iter().filter(|copy| {
        let other = copy.instance.node.and_then(|id| nodes.get(&id));
        copy.instance.id != made.instance
            && copy.instance.holds_room()
            && other.is_some_and(|other| other.operator == node.operator)
    });
    let others = u32::try_from(others.count()).unwrap_or(u32::MAX);
    let mut choices = choices.iter().map(|choice| choice.chosen);
    let chosen = choices.find(|chosen| chosen.node == made.node);
    chosen.is_some_and(|chosen| others > chosen.score.operator_copies)
}

/// Sends an instance elsewhere than the record says.
fn misdirect(
    case: &mut Case,
    nodes: &BTreeMap<NodeId, Node>,
    suits: impl Fn(&Node, &Case) -> bool,
) -> Option<NodeId> {
    let free = |node: &&Node| {
        let mut copies = case.copies.iter();
        suits(node, case) && !copies.any(|copy| copy.instance.node == Some(node.id))
    };
    let to = nodes.values().find(free)?.id;
    assigned(case)?.instance.node = Some(to);
    Some(to)
}

/// Sends an instance elsewhere, and makes the record say so.
fn redirect(
    case: &mut Case,
    nodes: &BTreeMap<NodeId, Node>,
    suits: impl Fn(&Node, &Case) -> bool,
) -> Option<()> {
    case.changes.decisions.first()?.record.choices.last()?;
    let from = assigned(case)?.instance.node?;
    let to = misdirect(case, nodes, suits)?;
    let kept = case.changes.decisions.first_mut()?;
    let mut choices = kept.record.choices.iter_mut();
    let choice = choices.find(|choice| choice.chosen.node == from)?;
    choice.chosen.node = to;
    Some(())
}

/// Takes the last placed copy its node, as if none had been found.
fn refuse(case: &mut Case) -> Option<()> {
    let kept = case.changes.decisions.first_mut()?;
    let choice = kept.record.choices.pop()?;
    let pending = kept.record.pending.get_or_insert(PendingReason {
        copies: 0,
        filters: kept.record.filters.clone(),
        strictest: None,
        change: None,
    });
    pending.copies += 1;
    let now = case.now;
    let copy = assigned(case)?;
    debug_assert_eq!(copy.instance.node, Some(choice.chosen.node));
    copy.instance.node = None;
    copy.instance.enter(InstanceState::Pending, "sabotage", now);
    copy.instance.tried_at = Some(now);
    case.changes.assignments.pop();
    Some(())
}
