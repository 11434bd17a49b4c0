//! A quote keeps a name and room for whoever asked for it.
//!
//! Where the copies would go is decided with the fleet as this replica knows it. That may be a moment old, so it counts
//! only after the nodes were locked and looked at again. The leader, who decides for itself, looks for what was kept
//! behind its back before it commits; so nobody is given what is kept for another.

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_app_spec::legacy::rules_height;
use fluxplane_core::error::Violation;
use fluxplane_placement::{Request, Reservation};
use fluxplane_platform::db::retry::gave_way;
use sqlx::PgConnection;

use super::{
    Context, Error,
    known_fleet::{Known, KnownFleet},
};
use crate::{
    db,
    domain::{
        Refusal, Workload,
        fleet::Fleet,
        hold::{Hold, HoldId, affordable},
        submission::draft,
    },
};

/// Longest time anything may be kept at once.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// How often it is tried while others take the same room or keep it locked; what fits by then is kept.
const TRIES: u32 = 4;

/// What a quote asks for.
#[derive(Debug)]
pub struct Reserve {
    pub owner: String,
    pub spec_json: String,
    pub until: DateTime<Utc>,
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reserved {
    /// `None`: a living application of the owner has the name, and nothing needs to be kept.
    pub name_until: Option<DateTime<Utc>>,
    /// Copies that have room until the quote is over, and then while their application waits for its payment.
    pub copies: u32,
    /// Why it is not as many as were asked for; empty when it is.
    pub shortage: String,
}

/// Keeps the name of a specification, and as much of the room for its copies as there is.
pub async fn reserve(
    ctx: &Context,
    fleet: &KnownFleet,
    command: &Reserve,
) -> Result<Reserved, Error> {
    let (now, until) = (ctx.clock.now(), command.until);
    if until <= now || until > now + LONGEST {
        let hours = LONGEST.num_hours();
        let rule = format!("a quote is firm for at most {hours} hours from now on");
        let violation = Violation::new("until", until, rule, "name a moment soon");
        return Err(Refusal::invalid(violation).into());
    }
    let mut tries = 1;
    loop {
        let is_last = tries == TRIES;
        let known = fleet.get(ctx).await?;
        let attempt = Attempt {
            ctx,
            command,
            known: &known,
            now,
            is_last,
        };
        match attempt.run().await {
            Err(Error::RoomKept) => fleet.forget().await,
            Err(Error::Db(err)) if !is_last && gave_way(&err) => {}
            Err(err) => return Err(err),
            Ok(Kept { reserved, hold }) => {
                if let Some((hold, replaced)) = hold {
                    fleet.note(&hold, &replaced).await;
                }
                return Ok(reserved);
            }
        }
        tries += 1;
    }
}

/// One try, in one transaction.
struct Attempt<'a> {
    ctx: &'a Context,
    command: &'a Reserve,
    known: &'a Known,
    now: DateTime<Utc>,
    /// What others took meanwhile is done without.
    is_last: bool,
}

struct Kept {
    reserved: Reserved,
    /// And those that it replaces.
    hold: Option<(Hold, Vec<HoldId>)>,
}

impl Attempt<'_> {
    async fn run(&self) -> Result<Kept, Error> {
        let mut tx = fluxplane_platform::db::begin(&self.ctx.pool).await?;
        let kept = self.make(&mut tx).await?;
        tx.commit().await.map_err(Error::Commit)?;
        Ok(kept)
    }

    async fn make(&self, conn: &mut PgConnection) -> Result<Kept, Error> {
        let height = rules_height(db::chain::height(conn).await?);
        let draft = draft(&self.command.spec_json, height)?;
        let Some(name_until) = self.keep_name(conn, &draft.name).await? else {
            return Ok(Kept {
                reserved: Reserved::default(),
                hold: None,
            });
        };
        let before = self.give_up(conn, &draft.name).await?;
        let kept = self.keep_room(conn, &draft.name, &draft.workload, &before);
        let (hold, shortage) = kept.await?;
        let reserved = Reserved {
            name_until: Some(name_until),
            copies: u32::try_from(hold.rooms.len()).unwrap_or(u32::MAX),
            shortage,
        };
        Ok(Kept {
            reserved,
            hold: Some((hold, before)),
        })
    }

    async fn keep_name(
        &self,
        conn: &mut PgConnection,
        name: &str,
    ) -> Result<Option<DateTime<Utc>>, Error> {
        let (owner, now) = (&self.command.owner, self.now);
        db::reservations::lock_name(conn, name).await?;
        let app = db::apps::by_name(conn, name, None).await?;
        if let Some(app) = app.filter(|app| app.ended_at.is_none()) {
            if app.owner == *owner {
                return Ok(None);
            }
            return Err(Refusal::name_taken(name).into());
        }
        if let Some(until) = db::reservations::held_by_another(conn, name, owner, now).await? {
            return Err(Refusal::name_reserved(name, until).into());
        }
        let limit = self.ctx.limits.reserved_per_owner;
        if db::reservations::count_others(conn, name, owner, now).await? >= i64::from(limit) {
            return Err(Refusal::too_many_reserved(owner, limit).into());
        }
        let until = db::reservations::put(conn, name, owner, self.command.until).await?;
        Ok(Some(until))
    }

    /// Of several quotes for a name only one can be used; room is kept for the newest.
    async fn give_up(&self, conn: &mut PgConnection, name: &str) -> Result<Vec<HoldId>, Error> {
        let owner = &self.command.owner;
        Ok(db::kept_rooms::replace(conn, name, owner, self.now).await?)
    }

    /// Keeps room for as many copies as there is; what was given up for it counts as free.
    async fn keep_room(
        &self,
        conn: &mut PgConnection,
        name: &str,
        workload: &Workload,
        before: &[HoldId],
    ) -> Result<(Hold, String), Error> {
        let id = HoldId(self.ctx.ids.next());
        let (count, limit) = self.allowed(conn, name, workload).await?;
        let request = workload.request(id.as_app(), count);
        let (found, pending) = self.find(&request, before, id);
        let rooms = self.still_free(conn, found.clone()).await?;
        let is_overtaken = rooms.len() < found.len();
        if is_overtaken && !self.is_last {
            return Err(Error::RoomKept);
        }
        let hold = Hold {
            id,
            app: None,
            until: Some(self.command.until),
            rooms,
        };
        db::kept_rooms::insert(conn, &hold, name, &self.command.owner).await?;
        let shortage = match (pending, is_overtaken) {
            (Some(pending), _) => pending,
            (None, true) => "others took the room at the same moment; ask again".to_owned(),
            (None, false) => limit,
        };
        Ok((hold, shortage))
    }

    /// How many copies may be kept, and what limits them; empty when nothing does.
    async fn allowed(
        &self,
        conn: &mut PgConnection,
        name: &str,
        workload: &Workload,
    ) -> Result<(u32, String), Error> {
        let limits = self.ctx.limits;
        let wanted = workload.instances;
        let others =
            db::kept_rooms::count_others(conn, name, &self.command.owner, self.now).await?;
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        let of_owner = limits.reserved_copies_per_owner.saturating_sub(others);
        let kept = db::kept_rooms::sum(conn, self.now).await?;
        let percent = limits.reserved_percent;
        let of_fleet = affordable(workload.resources, kept, self.known.capacity, percent);
        let allowed = wanted.min(of_owner).min(of_fleet);
        let limit = if allowed == wanted {
            String::new()
        } else if of_owner <= of_fleet {
            let most = limits.reserved_copies_per_owner;
            format!("an owner's quotes keep room for at most {most} copies at once")
        } else {
            format!("all quotes together keep at most {percent} % of the room there is")
        };
        Ok((allowed, limit))
    }

    /// Room as far as this replica knows, and why some copies have none.
    fn find(
        &self,
        request: &Request,
        before: &[HoldId],
        id: HoldId,
    ) -> (Vec<Reservation>, Option<String>) {
        if request.count == 0 {
            return (Vec::new(), None);
        }
        // What tells ties apart is different for each hold, so that quotes do not all want the same node.
        let (_, seed) = id.0.as_u64_pair();
        let decision = if before.is_empty() {
            self.known.fleet.plan(request, seed)
        } else {
            let mut without = Fleet::clone(&self.known.fleet);
            for hold in before {
                // Nothing is added, so nothing can be left out.
                without.set_rooms(hold.as_app(), Vec::new()).ok();
            }
            without.plan(request, seed)
        };
        let rooms = decision.placements.into_iter().map(|node| Reservation {
            instance: self.ctx.ids.next().into(),
            app: id.as_app(),
            node,
            resources: request.resources,
            ports: request.ports.iter().copied().collect(),
        });
        let pending = decision.record.pending.map(|reason| reason.to_string());
        (rooms.collect(), pending)
    }

    /// Locks the nodes, and everything behind their addresses, and keeps of the room what is there.
    async fn still_free(
        &self,
        conn: &mut PgConnection,
        found: Vec<Reservation>,
    ) -> Result<Vec<Reservation>, Error> {
        if found.is_empty() {
            return Ok(found);
        }
        let wanted: Vec<_> = found.iter().map(|room| room.node).collect();
        let nodes = db::nodes::lock_addresses(conn, &wanted).await?;
        let ids: Vec<_> = nodes.iter().map(|node| node.id).collect();
        let mut taken = db::instances::rooms_on(conn, &ids).await?;
        taken.extend(db::kept_rooms::on_nodes(conn, &ids, self.now).await?);
        let (mut there, _left_out) = Fleet::new(&nodes, taken);
        let mut rooms = found;
        rooms.retain(|room| there.take(room.clone()).is_ok());
        Ok(rooms)
    }
}
