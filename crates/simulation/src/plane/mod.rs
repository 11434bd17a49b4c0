//! The scheduler: its tables as plain data, around the decisions of the real one.
//!
//! What a transaction writes is written here at once; what the real tables select by an index is selected here by a map.

mod inbox;
mod leader;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::{
    funding::Funding,
    id::{AppId, InstanceId, NodeId, RevisionId},
};
use fluxplane_placement::Reservation;
use fluxplane_scheduler::domain::{
    App, AppState, Copy, Node, Revision, Standing, Workload, case::Case, fleet::Fleet,
};

pub(crate) use leader::Turn;

use crate::{
    machine::{Wanted, WantedInstance},
    random::Ids,
    scenario::{PAY_WITHIN, TERMS},
};

/// One application: rows of several tables.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) app: App,
    pub(crate) revisions: Vec<Revision>,
    /// Instances that live, or still take room.
    pub(crate) copies: Vec<Copy>,
    pub(crate) workloads: BTreeMap<u32, Arc<Workload>>,
    pub(crate) attention_at: Option<DateTime<Utc>>,
}

/// The scheduler.
#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) up: bool,
    pub(crate) apps: BTreeMap<AppId, Record>,
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    /// Applications by when they are due.
    due: BTreeSet<(DateTime<Utc>, AppId)>,
    /// Nodes that changed since the leader looked last.
    unseen: BTreeSet<NodeId>,
    /// Instances that a node runs or may still run.
    on_node: BTreeMap<NodeId, BTreeSet<(AppId, InstanceId)>>,
    /// Versions of what nodes shall run.
    versions: BTreeMap<NodeId, u64>,
    fleet: Option<Fleet>,
    ids: Ids,
    /// Fencing token of the leader's term.
    pub(crate) token: u64,
}

impl Plane {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            up: true,
            apps: BTreeMap::new(),
            nodes: BTreeMap::new(),
            due: BTreeSet::new(),
            unseen: BTreeSet::new(),
            on_node: BTreeMap::new(),
            versions: BTreeMap::new(),
            fleet: None,
            ids: Ids::new(seed),
            token: 1,
        }
    }

    /// A new application and its first revision, not paid yet.
    pub(crate) fn submit(
        &mut self,
        id: AppId,
        revision: RevisionId,
        workload: Workload,
        now: DateTime<Utc>,
    ) {
        let app = App {
            id,
            name: format!("app-{}", self.apps.len() + 1),
            owner: "owner".to_owned(),
            state: AppState::AwaitingPayment,
            state_reason: String::new(),
            current: 1,
            pending: None,
            healthy: 0,
            created_at: now,
            expires_at: None,
            ended_at: None,
            version: 1,
            intent_version: 1,
            secrets: 0,
        };
        let record = Record {
            app,
            revisions: vec![new_revision(revision, 1, 1, workload.instances, now)],
            copies: Vec::new(),
            workloads: BTreeMap::from([(1, Arc::new(workload))]),
            attention_at: None,
        };
        self.apps.insert(id, record);
        self.attend(id, now);
    }

    /// A further revision, not paid yet. `restarts` when containers notice the difference. Gives its number; `None` when
    /// the application takes none now.
    pub(crate) fn update(
        &mut self,
        id: AppId,
        revision: RevisionId,
        workload: Workload,
        restarts: bool,
        now: DateTime<Utc>,
    ) -> Option<u32> {
        let record = self.apps.get_mut(&id)?;
        let open = record.app.state != AppState::AwaitingPayment
            && !record.app.state.has_ended()
            && record.app.pending.is_none();
        let rollout = current(record)?.rollout;
        if !open {
            return None;
        }
        let number = record.workloads.keys().max().map_or(1, |last| last + 1);
        let rollout = if restarts { number } else { rollout };
        let before = record.app.clone();
        record.app.pending = Some(number);
        record.app.count_change(&before, true);
        let revision = new_revision(revision, number, rollout, workload.instances, now);
        record.revisions.push(revision);
        record.workloads.insert(number, Arc::new(workload));
        self.attend(id, now);
        Some(number)
    }

    /// A revision is paid: it is the one that instances run or move to. Too late changes nothing.
    pub(crate) fn fund(&mut self, id: AppId, number: u32, now: DateTime<Utc>, term: TimeDelta) {
        let Some(record) = self.apps.get_mut(&id) else {
            return;
        };
        let waits =
            |revision: &&mut Revision| revision.number == number && revision.awaits_payment();
        let Some(revision) = record.revisions.iter_mut().find(waits) else {
            return;
        };
        revision.funded_at = Some(now);
        let before = record.app.clone();
        let app = &mut record.app;
        if app.state == AppState::AwaitingPayment {
            app.state = AppState::Deploying;
        } else {
            app.pending = None;
        }
        app.state_reason.clear();
        app.current = number;
        app.expires_at = Some(now + term);
        app.count_change(&before, true);
        self.attend(id, now);
    }

    /// The owner does not want it any more.
    pub(crate) fn cancel(&mut self, id: AppId, now: DateTime<Utc>) {
        let Some(record) = self.apps.get_mut(&id) else {
            return;
        };
        for revision in &mut record.revisions {
            if revision.awaits_payment() {
                revision.dropped_at = Some(now);
            }
        }
        let before = record.app.clone();
        let app = &mut record.app;
        app.end(AppState::Cancelled, "cancelled by its owner", now);
        app.healthy = 0;
        app.count_change(&before, true);
        self.attend(id, now);
    }

    /// What a node shall run now.
    pub(crate) fn wanted(&self, node: NodeId) -> Wanted {
        let mut instances = Vec::new();
        for (app, id) in self.on_node.get(&node).into_iter().flatten() {
            let copies = self
                .apps
                .get(app)
                .into_iter()
                .flat_map(|record| &record.copies);
            let copy = copies.filter(|copy| copy.instance.id == *id && copy.is_live());
            instances.extend(copy.map(|copy| WantedInstance {
                instance: *id,
                epoch: copy.instance.epoch,
                app: *app,
                revision: copy.instance.revision,
                resources: copy.resources,
            }));
        }
        Wanted {
            version: self.versions.get(&node).copied().unwrap_or(0),
            token: self.token,
            instances,
        }
    }

    /// Whether it takes room on the node, as far as is known.
    pub(crate) fn holds_room(&self, app: AppId, instance: InstanceId, node: NodeId) -> bool {
        let here = self.on_node.get(&node);
        here.is_some_and(|here| here.contains(&(app, instance)))
    }

    /// When the leader has something to do.
    pub(crate) fn due_at(&self) -> Option<DateTime<Utc>> {
        let first = self.due.first().map(|(at, _)| *at);
        first.filter(|_| self.up)
    }

    /// The application as the leader would look at it.
    pub(crate) fn case(&self, record: &Record, now: DateTime<Utc>) -> Case {
        let mut copies = record.copies.clone();
        for copy in &mut copies {
            copy.standing = copy.instance.node.map(|node| self.standing(node));
        }
        let kept = record.revisions.iter();
        let kept = kept.filter(|revision| revision.dropped_at.is_none());
        Case::new(
            record.app.clone(),
            kept.cloned().collect(),
            copies,
            now,
            TERMS,
        )
    }

    pub(crate) fn standing(&self, node: NodeId) -> Standing {
        let known = self.nodes.get(&node);
        known.map_or(Standing::Gone, |node| node.state.into())
    }

    /// Everything that takes room.
    pub(crate) fn rooms(&self) -> Vec<Reservation> {
        let copies = self.apps.values().flat_map(|record| &record.copies);
        copies.filter_map(Copy::reservation).collect()
    }

    /// The leader loses what it kept in memory, and another one takes over.
    pub(crate) fn change_leader(&mut self) {
        self.fleet = None;
        self.token += 1;
    }

    fn attend(&mut self, id: AppId, at: DateTime<Utc>) {
        self.set_attention(id, Some(at));
    }

    fn set_attention(&mut self, id: AppId, at: Option<DateTime<Utc>>) {
        let Some(record) = self.apps.get_mut(&id) else {
            return;
        };
        if let Some(before) = record.attention_at {
            self.due.remove(&(before, id));
        }
        record.attention_at = at;
        self.due.extend(at.map(|at| (at, id)));
    }

    /// Writes the instances of an application.
    fn save_copies(&mut self, id: AppId, mut copies: Vec<Copy>) {
        let over =
            |copy: &Copy| copy.instance.ended_at.is_some() && copy.instance.released_at.is_some();
        copies.retain(|copy| !over(copy));
        copies.sort_by_key(|copy| (copy.instance.slot, copy.instance.created_at));
        let Some(record) = self.apps.get_mut(&id) else {
            return;
        };
        for (node, instance) in record.copies.iter().filter_map(place_of) {
            if let Some(here) = self.on_node.get_mut(&node) {
                here.remove(&(id, instance));
            }
        }
        for (node, instance) in copies.iter().filter_map(place_of) {
            self.on_node.entry(node).or_default().insert((id, instance));
        }
        record.copies = copies;
    }
}

/// Where an instance takes room.
fn place_of(copy: &Copy) -> Option<(NodeId, InstanceId)> {
    let node = copy.instance.node.filter(|_| copy.instance.holds_room())?;
    Some((node, copy.instance.id))
}

pub(crate) fn current(record: &Record) -> Option<&Revision> {
    let number = record.app.current;
    let mut revisions = record.revisions.iter();
    revisions.find(|revision| revision.number == number)
}

fn new_revision(
    id: RevisionId,
    number: u32,
    rollout: u32,
    instances: u32,
    now: DateTime<Utc>,
) -> Revision {
    Revision {
        id,
        number,
        rollout,
        instances,
        owner: "owner".to_owned(),
        message_hash: String::new(),
        quote_id: String::new(),
        funding: Funding::ChainPayment,
        traceparent: String::new(),
        submitted_at: now,
        pay_until: now + PAY_WITHIN,
        payment_seen_at: None,
        funded_at: None,
        dropped_at: None,
        started_at: None,
        placed_at: None,
        proven_at: None,
        finished_at: None,
        failure: None,
    }
}
