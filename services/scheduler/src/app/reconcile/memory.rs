//! What a leader keeps in memory for its term. All of it can be read again.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, RevisionId};
use fluxplane_placement::Reservation;
use fluxplane_platform::{db::lease, error::chain};
use sqlx::PgConnection;

use super::{LEASE, Leader};
use crate::{
    app::Error,
    db,
    domain::{
        Workload,
        fleet::Fleet,
        hold::{Hold, HoldId},
    },
};

/// Most workloads kept; beyond, all are forgotten and read again as needed.
const MAX_WORKLOADS: usize = 10_000;

impl Leader {
    /// Reads the whole fleet, and what quotes keep of it.
    pub(super) async fn load_fleet(&mut self) -> Result<(), Error> {
        let now = self.ctx.clock.now();
        let mut tx = fluxplane_platform::db::begin(&self.ctx.pool).await?;
        lease::fence(&mut tx, LEASE, self.token).await?;
        // What changes from now on is unseen again.
        db::nodes::take_unseen(&mut tx).await?;
        let nodes = db::nodes::all(&mut tx).await?;
        let rooms = db::instances::rooms(&mut tx).await?;
        let taken = rooms.len();
        db::kept_rooms::take_unseen(&mut tx).await?;
        let holds = db::kept_rooms::active(&mut tx, now).await?;
        let (mut fleet, left_out) = Fleet::new(&nodes, rooms);
        self.holds = Holds::default();
        for hold in holds {
            self.holds.put(hold, &mut fleet, now);
        }
        for err in left_out {
            tracing::error!(error = chain(&err), "engine");
        }
        tx.commit().await.map_err(Error::Commit)?;
        tracing::info!(nodes = nodes.len(), instances = taken, "fleet loaded");
        self.fleet = Some(fleet);
        Ok(())
    }

    /// Takes over what was kept for quotes, or is not kept any more.
    pub(super) async fn see_holds(&mut self) -> Result<(), Error> {
        let now = self.ctx.clock.now();
        let mut tx = fluxplane_platform::db::begin(&self.ctx.pool).await?;
        lease::fence(&mut tx, LEASE, self.token).await?;
        let holds = db::kept_rooms::take_unseen(&mut tx).await?;
        if let Err(err) = tx.commit().await {
            self.fleet = None;
            return Err(Error::Commit(err));
        }
        if let Some(fleet) = &mut self.fleet {
            for hold in holds {
                self.holds.put(hold, fleet, now);
            }
        }
        Ok(())
    }

    /// Takes over the nodes that changed.
    pub(super) async fn see_nodes(&mut self) -> Result<(), Error> {
        let mut tx = fluxplane_platform::db::begin(&self.ctx.pool).await?;
        lease::fence(&mut tx, LEASE, self.token).await?;
        let nodes = db::nodes::take_unseen(&mut tx).await?;
        if let Err(err) = tx.commit().await {
            self.fleet = None;
            return Err(Error::Commit(err));
        }
        if let Some(fleet) = &mut self.fleet {
            for node in &nodes {
                if let Err(err) = fleet.put_node(node) {
                    tracing::error!(node.id = %node.id, error = chain(&err), "engine");
                }
            }
        }
        Ok(())
    }
}

/// What quotes keep, as far as it is in the fleet.
#[derive(Debug, Default)]
pub(super) struct Holds(HashMap<HoldId, Hold>);

impl Holds {
    /// Takes a hold as it is now.
    pub(super) fn put(&mut self, hold: Hold, fleet: &mut Fleet, now: DateTime<Utc>) {
        if hold.is_over(now) {
            self.0.remove(&hold.id);
            set(fleet, hold.id, Vec::new());
        } else {
            set(fleet, hold.id, hold.rooms.clone());
            self.0.insert(hold.id, hold);
        }
    }

    /// Gives up what is over.
    pub(super) fn expire(&mut self, fleet: &mut Fleet, now: DateTime<Utc>) {
        for (_, hold) in self.0.extract_if(|_, hold| hold.is_over(now)) {
            set(fleet, hold.id, Vec::new());
        }
    }

    /// Takes out what is kept for an application. It stays in the fleet.
    pub(super) fn take(&mut self, app: AppId) -> Vec<Hold> {
        let theirs = self.0.extract_if(|_, hold| hold.app == Some(app));
        theirs.map(|(_, hold)| hold).collect()
    }
}

/// Makes the room of a hold in the fleet what it is.
pub(super) fn set(fleet: &mut Fleet, hold: HoldId, rooms: Vec<Reservation>) {
    if let Err(err) = fleet.set_rooms(hold.as_app(), rooms) {
        tracing::error!(hold.id = %hold.0, error = chain(&err), "engine");
    }
}

/// Workloads of revisions; they never change.
#[derive(Debug, Default)]
pub(super) struct Workloads(HashMap<RevisionId, Arc<Workload>>);

impl Workloads {
    /// One workload; `None` when there is no such revision.
    pub(super) async fn get(
        &mut self,
        conn: &mut PgConnection,
        id: RevisionId,
    ) -> sqlx::Result<Option<Arc<Workload>>> {
        self.load(conn, &[id]).await?;
        Ok(self.0.get(&id).cloned())
    }

    /// Makes sure that these are in memory, as far as they exist.
    pub(super) async fn load(
        &mut self,
        conn: &mut PgConnection,
        ids: &[RevisionId],
    ) -> sqlx::Result<()> {
        let missing: Vec<RevisionId> = ids
            .iter()
            .filter(|id| !self.0.contains_key(id))
            .copied()
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        if self.0.len() + missing.len() > MAX_WORKLOADS {
            self.0.clear();
            return Box::pin(self.load(conn, ids)).await;
        }
        let loaded = db::revisions::workloads(conn, &missing).await?;
        let loaded = loaded
            .into_iter()
            .map(|(id, workload)| (id, Arc::new(workload)));
        self.0.extend(loaded);
        Ok(())
    }

    pub(super) fn known(&self, id: RevisionId) -> Option<Arc<Workload>> {
        self.0.get(&id).cloned()
    }
}
