//! The leader: one application, one step. As the scheduler's `reconcile` does, with the case of its domain.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, NodeId};
use fluxplane_scheduler::domain::{
    Copy, Node, Workload,
    case::{Case, Means},
    fleet::Fleet,
    rollout::Step,
};

use super::Plane;
use crate::{audit::Audit, sabotage::Saboteur};

/// A step that was carried out.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) app: AppId,
    pub(crate) step: Step,
    /// Its instances before the step.
    pub(crate) before: Vec<Copy>,
    pub(crate) case: Case,
    /// Nodes that shall run something else than before.
    pub(crate) nodes: Vec<NodeId>,
}

impl Plane {
    /// Moves the application that waits longest one step. What the engine is told, the audit is told too.
    pub(crate) fn turn(
        &mut self,
        now: DateTime<Utc>,
        audit: &mut Audit,
        saboteur: &mut Saboteur,
    ) -> Option<Turn> {
        self.see_nodes(audit, saboteur);
        let (at, id) = *self.due.first()?;
        if at > now {
            return None;
        }
        let record = self.apps.get(&id)?;
        let mut case = self.case(record, now);
        self.take_over(&case.copies, id, audit, saboteur);
        let before = case.copies.clone();
        let step = case.next_step();
        let workload = case
            .needs(&step)
            .and_then(|revision| self.workload(id, revision.number));
        let fleet = self.fleet.as_mut()?;
        let mut means = Means {
            fleet,
            workload: workload.as_deref(),
            ids: &self.ids,
            traceparent: "",
        };
        case.carry_out(step.clone(), &mut means);
        saboteur.tamper(&mut case, &self.nodes);
        audit.decided(&before, &case);
        let settled = case.settle();
        let nodes = self.bump(&mut case);
        self.save(&case, saboteur.attention(settled.look_again_at));
        self.take_over(&case.copies, id, audit, saboteur);
        Some(Turn {
            app: id,
            step,
            before,
            case,
            nodes,
        })
    }

    /// Takes over the nodes that changed; all of them in a new term.
    fn see_nodes(&mut self, audit: &mut Audit, saboteur: &mut Saboteur) {
        let seen: Vec<Node> = std::mem::take(&mut self.unseen)
            .iter()
            .filter_map(|id| self.nodes.get(id).cloned())
            .collect();
        for node in &seen {
            audit.saw_node(node);
        }
        if let Some(fleet) = &mut self.fleet {
            for node in &seen {
                fleet
                    .put_node(node)
                    .expect("made-up machines have capacities that can be represented");
            }
            return;
        }
        let nodes: Vec<Node> = self.nodes.values().cloned().collect();
        let (fleet, left_out) = Fleet::new(&nodes, saboteur.reads(self.rooms()));
        audit.reloaded(&fleet.snapshot(), &left_out, self);
        self.fleet = Some(fleet);
    }

    /// Tells the engine, and the audit, what room an application takes.
    fn take_over(
        &mut self,
        copies: &[Copy],
        id: AppId,
        audit: &mut Audit,
        saboteur: &mut Saboteur,
    ) {
        let rooms: Vec<_> = copies.iter().filter_map(Copy::reservation).collect();
        audit.took_rooms(id, &rooms);
        if let Some(fleet) = &mut self.fleet
            && let Err(left_out) = fleet.set_rooms(id, saboteur.rooms(rooms))
        {
            audit.left_out(id, &left_out);
        }
    }

    fn workload(&self, id: AppId, number: u32) -> Option<Arc<Workload>> {
        self.apps.get(&id)?.workloads.get(&number).cloned()
    }

    /// Gives the nodes their next versions, and notes with which of them instances came and went.
    fn bump(&mut self, case: &mut Case) -> Vec<NodeId> {
        for node in &case.changes.nodes {
            *self.versions.entry(*node).or_default() += 1;
        }
        for copy in &mut case.copies {
            let id = copy.instance.id;
            let changed = case.changes.inserted.contains(&id) || case.changes.updated.contains(&id);
            let node = copy
                .instance
                .node
                .filter(|node| case.changes.nodes.contains(node));
            let version = node.and_then(|node| self.versions.get(&node));
            if let Some(version) = version.filter(|_| changed) {
                if copy.is_live() {
                    copy.instance.told_version.get_or_insert(*version);
                } else {
                    copy.instance.left_version.get_or_insert(*version);
                }
            }
        }
        case.changes.nodes.iter().copied().collect()
    }

    fn save(&mut self, case: &Case, attention: Option<DateTime<Utc>>) {
        let id = case.app.id;
        self.save_copies(id, case.copies.clone());
        if let Some(record) = self.apps.get_mut(&id) {
            record.app = case.app.clone();
            for revision in &mut record.revisions {
                if let Some(changed) = case.revision(revision.number) {
                    *revision = changed.clone();
                }
            }
        }
        self.set_attention(id, attention);
    }
}
