//! The fleet as any replica knows it, not only the leader.
//!
//! A replica reads the fleet when it is asked, and keeps it for a moment: whoever asks often is answered from memory, and no
//! answer is older than that moment. What is decided with it must be checked against the database before it counts.

use std::{sync::Arc, time::Duration};

use fluxplane_core::Resources;
use tokio::{sync::Mutex, time::Instant};

use super::{Context, Error};
use crate::{
    db,
    domain::{
        Standing,
        fleet::Fleet,
        hold::{Hold, HoldId, total},
    },
};

/// Clones share what they know.
#[derive(Debug, Clone)]
pub struct KnownFleet {
    /// Longest time it is kept in memory.
    keep: Duration,
    kept: Arc<Mutex<Option<Kept>>>,
}

/// The fleet as it was read.
#[derive(Debug)]
struct Kept {
    at: Instant,
    known: Known,
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Known {
    pub fleet: Arc<Fleet>,
    /// What the nodes that take new work have.
    pub capacity: Resources,
}

impl KnownFleet {
    pub fn new(keep: Duration) -> Self {
        Self {
            keep,
            kept: Arc::default(),
        }
    }

    /// The fleet as it is, or was a moment ago. Whoever asks meanwhile waits for the same reading.
    pub async fn get(&self, ctx: &Context) -> Result<Known, Error> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = &*kept
            && kept.at.elapsed() < self.keep
        {
            return Ok(kept.known.clone());
        }
        let at = Instant::now();
        let now = ctx.clock.now();
        let mut tx = fluxplane_platform::db::begin_snapshot(&ctx.pool).await?;
        let nodes = db::nodes::all(&mut tx).await?;
        let mut rooms = db::instances::rooms(&mut tx).await?;
        let holds = db::kept_rooms::active(&mut tx, now).await?;
        drop(tx);
        rooms.extend(holds.into_iter().flat_map(|hold| hold.rooms));
        let ready = nodes
            .iter()
            .filter(|node| Standing::from(node.state) == Standing::Ready);
        let capacity = total(ready.map(|node| node.capacity));
        // The leader reports what cannot be represented.
        let (fleet, _left_out) = Fleet::new(&nodes, rooms);
        let known = Known {
            fleet: Arc::new(fleet),
            capacity,
        };
        *kept = Some(Kept {
            at,
            known: known.clone(),
        });
        Ok(known)
    }

    /// Notes what was kept since, and instead of what, so that the next one who asks is not sent to the same room.
    pub async fn note(&self, hold: &Hold, replaced: &[HoldId]) {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = &mut *kept {
            let fleet = Arc::make_mut(&mut kept.known.fleet);
            // What cannot be represented is found out when it is read again, a moment later.
            for replaced in replaced {
                fleet.set_rooms(replaced.as_app(), Vec::new()).ok();
            }
            fleet.set_rooms(hold.id.as_app(), hold.rooms.clone()).ok();
        }
    }

    /// The next one who asks gets what is in the database then.
    pub async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}
