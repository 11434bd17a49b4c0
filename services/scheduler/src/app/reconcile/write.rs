//! Writing what a step changed, all in the caller's transaction.

use std::collections::BTreeMap;

use fluxplane_core::id::{NodeId, RevisionId};
use fluxplane_platform::db::{
    Inconsistency,
    outbox::{self, NewEvent},
};
use sqlx::PgConnection;

use super::memory::Workloads;
use crate::{
    app::{Context, Error},
    db::{self, apps::Attention, decisions::NewDecision, desired::Bumped},
    domain::{
        Entry, Instance,
        case::Case,
        desired::{Desired, DesiredInstance},
    },
    events::announce,
};

/// Who writes.
pub(super) struct Writing<'a> {
    pub(super) ctx: &'a Context,
    pub(super) token: i64,
    /// Trace of the decision.
    pub(super) traceparent: &'a str,
}

impl Writing<'_> {
    pub(super) async fn write(
        &self,
        conn: &mut PgConnection,
        case: &mut Case,
        attention: Attention,
        workloads: &mut Workloads,
    ) -> Result<(), Error> {
        still_free(conn, case).await?;
        let bumped = self.bump(conn, case).await?;
        self.decisions(conn, case).await?;
        instances(conn, case).await?;
        let superseded: Vec<_> = case.changes.superseded.iter().copied().collect();
        if !superseded.is_empty() {
            db::decisions::prune(conn, &superseded).await?;
        }
        for number in &case.changes.revisions {
            if let Some(revision) = case.revision(*number) {
                db::revisions::save(conn, revision, None).await?;
            }
        }
        let mut events = self.desired(conn, &bumped, workloads).await?;
        let ids = self.ctx.ids.as_ref();
        let assignments = case.changes.assignments.iter();
        events.extend(assignments.map(|made| announce::instance_assigned(ids, made)));
        if case.changes.ended {
            events.push(announce::app_ended(ids, &case.app));
        }
        outbox::append_all(conn, &events).await?;
        let entries: Vec<(_, Entry)> = case
            .changes
            .entries
            .iter()
            .map(|entry| (case.app.id, entry.clone()))
            .collect();
        db::timeline::append(conn, case.now, &entries).await?;
        db::apps::save(conn, &case.app, attention).await?;
        Ok(())
    }

    /// Gives the nodes their next versions, and notes with which of them instances came and went.
    async fn bump(&self, conn: &mut PgConnection, case: &mut Case) -> Result<Vec<Bumped>, Error> {
        let nodes: Vec<NodeId> = case.changes.nodes.iter().copied().collect();
        if nodes.is_empty() {
            return Ok(Vec::new());
        }
        let bumped = db::desired::bump(conn, &nodes, self.token, case.now).await?;
        let versions: BTreeMap<NodeId, u64> = bumped
            .iter()
            .map(|bumped| (bumped.node, bumped.version))
            .collect();
        for copy in &mut case.copies {
            let id = copy.instance.id;
            let changed = case.changes.inserted.contains(&id) || case.changes.updated.contains(&id);
            let version = copy.instance.node.and_then(|node| versions.get(&node));
            if let Some(version) = version.filter(|_| changed) {
                if copy.is_live() {
                    copy.instance.told_version.get_or_insert(*version);
                } else {
                    copy.instance.left_version.get_or_insert(*version);
                }
            }
        }
        Ok(bumped)
    }

    async fn decisions(&self, conn: &mut PgConnection, case: &Case) -> Result<(), Error> {
        for kept in &case.changes.decisions {
            let decision = NewDecision {
                id: kept.id,
                app: case.app.id,
                number: kept.number,
                made_at: case.now,
                token: self.token,
                record: &kept.record,
            };
            db::decisions::insert(conn, &decision).await?;
        }
        Ok(())
    }

    /// The full desired state of every node that changed.
    pub(super) async fn desired(
        &self,
        conn: &mut PgConnection,
        bumped: &[Bumped],
        workloads: &mut Workloads,
    ) -> Result<Vec<NewEvent>, Error> {
        if bumped.is_empty() {
            return Ok(Vec::new());
        }
        let nodes: Vec<NodeId> = bumped.iter().map(|bumped| bumped.node).collect();
        let wanted = db::desired::wanted(conn, &nodes).await?;
        let revisions: Vec<RevisionId> = wanted.iter().map(|wanted| wanted.revision).collect();
        workloads.load(conn, &revisions).await?;
        let mut sets: BTreeMap<NodeId, Vec<DesiredInstance>> = BTreeMap::new();
        for wanted in wanted {
            let workload = workloads.known(wanted.revision).ok_or_else(|| {
                let id = wanted.instance;
                sqlx::Error::from(Inconsistency::new(
                    "instance",
                    "revision_id",
                    id,
                    wanted.revision,
                ))
            })?;
            sets.entry(wanted.node).or_default().push(DesiredInstance {
                id: wanted.instance,
                epoch: wanted.epoch,
                app: wanted.app,
                app_name: wanted.app_name,
                revision: wanted.revision,
                workload,
                secrets: wanted.secrets,
                traceparent: wanted.traceparent,
            });
        }
        let events = bumped.iter().map(|bumped| {
            let desired = Desired {
                node: bumped.node,
                tier: bumped.tier,
                version: bumped.version,
                epoch: u64::try_from(self.token).unwrap_or(0),
                instances: sets.remove(&bumped.node).unwrap_or_default(),
            };
            announce::desired_state_changed(self.ctx.ids.as_ref(), &desired, self.traceparent)
        });
        Ok(events.collect())
    }
}

/// Makes sure that nothing was kept for a quote where this application goes, since the fleet was looked at; and that
/// nothing will be before this is written.
async fn still_free(conn: &mut PgConnection, case: &Case) -> Result<(), Error> {
    let assigned = case.changes.assignments.iter();
    let nodes: Vec<NodeId> = assigned.map(|assignment| assignment.node).collect();
    if nodes.is_empty() {
        return Ok(());
    }
    db::nodes::share(conn, &nodes).await?;
    if db::kept_rooms::is_unseen_on(conn, &nodes, case.app.id, case.now).await? {
        return Err(Error::RoomKept);
    }
    Ok(())
}

/// Those that left a slot first, so that it is free for those that fill it.
async fn instances(conn: &mut PgConnection, case: &Case) -> Result<(), Error> {
    let (mut inserted, mut updated): (Vec<&Instance>, Vec<&Instance>) = (Vec::new(), Vec::new());
    for copy in &case.copies {
        if case.changes.inserted.contains(&copy.instance.id) {
            inserted.push(&copy.instance);
        } else if case.changes.updated.contains(&copy.instance.id) {
            updated.push(&copy.instance);
        }
    }
    db::instances::update(conn, &updated).await?;
    db::instances::insert(conn, &inserted).await?;
    Ok(())
}
