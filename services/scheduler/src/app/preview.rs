//! What placement would do with a specification now. Reads, and changes nothing.
//!
//! Only the leader keeps the fleet in memory; every replica may be asked. So a replica reads the fleet when it is asked, and
//! keeps it for a moment: whoever asks often is answered from memory, and no answer is older than that moment.

use std::{sync::Arc, time::Duration};

use fluxplane_app_spec::legacy::rules_height;
use fluxplane_core::id::AppId;
use fluxplane_placement::DecisionRecord;
use tokio::{sync::Mutex, time::Instant};

use super::{Context, Error};
use crate::{
    db,
    domain::{fleet::Fleet, submission::draft},
};

/// Starts that are looked at.
const STARTS: i64 = 200;

/// Fewer say nothing.
const ENOUGH_STARTS: u32 = 5;

/// Answers questions about the fleet. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Previews {
    rules: PreviewRules,
    kept: Arc<Mutex<Option<Kept>>>,
}

/// The fleet as it was read.
#[derive(Debug)]
struct Kept {
    at: Instant,
    fleet: Arc<Fleet>,
}

#[derive(Debug, Clone, Copy)]
pub struct PreviewRules {
    /// Longest time the fleet is kept in memory.
    pub keep: Duration,
    /// Seconds a start is expected to take while too few were measured.
    pub assumed_start: u32,
}

/// What placement would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub nodes_matching: u32,
    pub nodes_known: u32,
    pub wanted: u32,
    pub placeable: u32,
    /// Why copies are left over, and what would help.
    pub pending: Option<String>,
    /// Seconds; `None` when no copy finds a node.
    pub expected_start: Option<u32>,
    /// Starts that it rests on; 0 for an assumption.
    pub starts_measured: u32,
}

impl Previews {
    pub fn new(rules: PreviewRules) -> Self {
        Self {
            rules,
            kept: Arc::default(),
        }
    }

    /// Decides where the copies would go, as the leader would. Of an application of the caller that lives, the room it takes
    /// counts as free, because an update takes the same place.
    pub async fn preview(
        &self,
        ctx: &Context,
        owner: &str,
        spec_json: &str,
    ) -> Result<Preview, Error> {
        let mut conn = ctx.pool.acquire().await?;
        let height = rules_height(db::chain::height(&mut conn).await?);
        let draft = draft(spec_json, height)?;
        let own = db::apps::by_name(&mut conn, &draft.name, Some(owner)).await?;
        let starts = db::instances::latest_starts(&mut conn, STARTS).await?;
        drop(conn);
        let fleet = self.fleet(ctx).await?;
        let id = ctx.ids.next();
        let living = own.filter(|app| app.ended_at.is_none()).map(|app| app.id);
        let wanted = draft.workload.instances;
        let request = draft
            .workload
            .request(living.unwrap_or(AppId::from(id)), wanted);
        let decision = match living {
            None => fleet.plan(&request, 0),
            Some(app) => {
                let mut without = Fleet::clone(&fleet);
                // Nothing is added, so nothing can be left out.
                without.set_rooms(app, Vec::new()).ok();
                without.plan(&request, 0)
            }
        };
        let placeable = u32::try_from(decision.placements.len()).unwrap_or(u32::MAX);
        let DecisionRecord {
            filters, pending, ..
        } = decision.record;
        let (measured, seconds) = match starts {
            (count, Some(seconds)) if count >= ENOUGH_STARTS => (count, seconds),
            _ => (0, self.rules.assumed_start),
        };
        Ok(Preview {
            nodes_matching: filters.left,
            nodes_known: filters.considered,
            wanted,
            placeable,
            pending: pending.map(|reason| reason.to_string()),
            expected_start: (placeable > 0).then_some(seconds),
            starts_measured: measured,
        })
    }

    /// The fleet as it is, or was a moment ago. Whoever asks meanwhile waits for the same reading.
    async fn fleet(&self, ctx: &Context) -> Result<Arc<Fleet>, Error> {
        let mut kept = self.kept.lock().await;
        if let Some(known) = &*kept
            && known.at.elapsed() < self.rules.keep
        {
            return Ok(Arc::clone(&known.fleet));
        }
        let at = Instant::now();
        let mut tx = fluxplane_platform::db::begin_snapshot(&ctx.pool).await?;
        let nodes = db::nodes::all(&mut tx).await?;
        let rooms = db::instances::rooms(&mut tx).await?;
        drop(tx);
        // The leader reports what cannot be represented.
        let (fleet, _left_out) = Fleet::new(&nodes, rooms);
        let fleet = Arc::new(fleet);
        *kept = Some(Kept {
            at,
            fleet: Arc::clone(&fleet),
        });
        Ok(fleet)
    }
}
