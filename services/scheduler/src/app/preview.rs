//! What placement would do with a specification now. Reads, and changes nothing.

use super::{Context, Error, known_fleet::KnownFleet};
use crate::{
    db,
    domain::{fleet::Fleet, hold::HoldId, submission::draft},
};
use fluxplane_app_spec::legacy::rules_height;
use fluxplane_core::id::AppId;
use fluxplane_placement::DecisionRecord;

/// Starts that are looked at.
const STARTS: i64 = 200;

/// Fewer say nothing.
const ENOUGH_STARTS: u32 = 5;

/// Answers questions about the fleet. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Previews {
    fleet: KnownFleet,
    /// Seconds a start is expected to take while too few were measured.
    assumed_start: u32,
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
    pub const fn new(fleet: KnownFleet, assumed_start: u32) -> Self {
        Self {
            fleet,
            assumed_start,
        }
    }

    /// Decides where the copies would go, as the leader would. The room that an application of the caller takes counts as
    /// free, because an update takes the same place; so does what an earlier quote keeps for its name.
    pub async fn preview(
        &self,
        ctx: &Context,
        owner: &str,
        spec_json: &str,
    ) -> Result<Preview, Error> {
        let mut conn = ctx.pool.acquire().await?;
        let height = rules_height(db::chain::height(&mut conn).await?);
        let draft = draft(spec_json, height)?;
        let now = ctx.clock.now();
        let own = db::apps::by_name(&mut conn, &draft.name, Some(owner)).await?;
        let kept = db::kept_rooms::for_name(&mut conn, &draft.name, owner, now).await?;
        let starts = db::instances::latest_starts(&mut conn, STARTS).await?;
        drop(conn);
        let fleet = self.fleet.get(ctx).await?.fleet;
        let living = own.filter(|app| app.ended_at.is_none()).map(|app| app.id);
        let wanted = draft.workload.instances;
        let app = living.unwrap_or_else(|| ctx.ids.next().into());
        let request = draft.workload.request(app, wanted);
        let theirs: Vec<AppId> = living
            .into_iter()
            .chain(kept.into_iter().map(HoldId::as_app))
            .collect();
        let decision = if theirs.is_empty() {
            fleet.plan(&request, 0)
        } else {
            let mut without = Fleet::clone(&fleet);
            for app in theirs {
                // Nothing is added, so nothing can be left out.
                without.set_rooms(app, Vec::new()).ok();
            }
            without.plan(&request, 0)
        };
        let placeable = u32::try_from(decision.placements.len()).unwrap_or(u32::MAX);
        let DecisionRecord {
            filters, pending, ..
        } = decision.record;
        let (measured, seconds) = match starts {
            (count, Some(seconds)) if count >= ENOUGH_STARTS => (count, seconds),
            _ => (0, self.assumed_start),
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
}
