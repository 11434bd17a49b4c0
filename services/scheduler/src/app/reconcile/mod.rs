//! The leader: looks at applications that are due, and moves each one step.
//!
//! One replica leads at a time. Its token fences every write, so that a leader that was overtaken without noticing writes
//! nothing; and the token travels to the nodes as the epoch of their desired state, so that it commands nobody either.

mod memory;
mod write;

use chrono::TimeDelta;
use fluxplane_core::id::AppId;
use fluxplane_platform::{
    db::{lease, outbox},
    propagation,
};
use sqlx::{Postgres, Transaction};
use tokio::time::Instant;
use tracing::Instrument as _;

use self::memory::{Holds, Workloads};
use super::{Context, Error};
use crate::{
    db::{self, apps::Attention},
    domain::{
        Copy,
        case::{Case, Means, Settled, Terms},
        fleet::Fleet,
        hold::Hold,
        rollout::Step,
    },
    metrics::SchedulerMetrics,
};

/// Lease of the one replica that decides.
pub const LEASE: &str = "scheduler.placement";

/// Applications taken per run; more wait for the next, which follows at once.
const BATCH: i64 = 64;

/// How often a step is decided anew because room was kept for a quote meanwhile.
const TRIES: u32 = 5;

/// Pause before an application is looked at again that could not be dealt with.
const PUT_OFF: TimeDelta = TimeDelta::seconds(5);

/// One term of leadership, and what it keeps in memory.
#[derive(Debug)]
pub struct Leader {
    pub ctx: Context,
    /// Fencing token of the term.
    pub token: i64,
    pub terms: Terms,
    pub metrics: SchedulerMetrics,
    /// Nothing until the first run, and after a commit whose outcome is not known.
    fleet: Option<Fleet>,
    /// In the fleet as well.
    holds: Holds,
    workloads: Workloads,
}

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Run {
    pub looked_at: usize,
    pub put_off: usize,
    /// More is due already.
    pub more: bool,
}

impl Leader {
    pub fn new(ctx: Context, token: i64, terms: Terms, metrics: SchedulerMetrics) -> Self {
        Self {
            ctx,
            token,
            terms,
            metrics,
            fleet: None,
            holds: Holds::default(),
            workloads: Workloads::default(),
        }
    }

    /// Looks at what is due. An application that cannot be dealt with is put off and does not keep the others waiting.
    pub async fn run(&mut self) -> Result<Run, Error> {
        let due = {
            let mut conn = self.ctx.pool.acquire().await?;
            db::apps::due(&mut conn, self.ctx.clock.now(), BATCH).await?
        };
        let full = due.apps.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
        if self.fleet.is_none() {
            self.load_fleet().await?;
            while self.tell_again().await? {}
        } else {
            if due.nodes_changed {
                self.see_nodes().await?;
            }
            if due.holds_changed {
                self.see_holds().await?;
            }
        }
        if let Some(fleet) = &mut self.fleet {
            self.holds.expire(fleet, self.ctx.clock.now());
        }
        let mut run = Run {
            looked_at: due.apps.len(),
            more: full,
            ..Run::default()
        };
        for app in due.apps {
            match self.step(app).await {
                Ok(more) => run.more |= more,
                Err(Error::Superseded(token)) => return Err(Error::Superseded(token)),
                Err(err) => {
                    let cause = fluxplane_platform::error::chain(&err);
                    tracing::error!(app.id = %app, error = cause, "application put off");
                    run.put_off += 1;
                    self.put_off(app).await?;
                }
            }
            if self.fleet.is_none() {
                // A commit failed; what it left behind is read anew before anything else is decided.
                run.more = true;
                break;
            }
        }
        Ok(run)
    }

    /// Announces the desired states of some nodes again that were announced in a form that is not used any more. Returns
    /// whether there were any.
    async fn tell_again(&mut self) -> Result<bool, Error> {
        let mut tx = fluxplane_platform::db::begin(&self.ctx.pool).await?;
        lease::fence(&mut tx, LEASE, self.token).await?;
        let nodes = db::desired::outdated(&mut tx, BATCH).await?;
        if nodes.is_empty() {
            return Ok(false);
        }
        let now = self.ctx.clock.now();
        let bumped = db::desired::bump(&mut tx, &nodes, self.token, now).await?;
        let writing = write::Writing {
            ctx: &self.ctx,
            token: self.token,
            traceparent: "",
        };
        let events = writing
            .desired(&mut tx, &bumped, &mut self.workloads)
            .await?;
        outbox::append_all(&mut tx, &events).await?;
        tx.commit().await.map_err(Error::Commit)?;
        tracing::info!(nodes = bumped.len(), "desired states announced again");
        Ok(true)
    }

    /// Moves one application one step. Returns whether its next step can follow at once.
    pub async fn step(&mut self, app: AppId) -> Result<bool, Error> {
        for _ in 1..TRIES {
            match self.try_step(app).await {
                Err(Error::RoomKept) => self.see_holds().await?,
                done => return done,
            }
        }
        self.try_step(app).await
    }

    /// A step in one transaction.
    async fn try_step(&mut self, app: AppId) -> Result<bool, Error> {
        let mut tx = fluxplane_platform::db::begin(&self.ctx.pool).await?;
        lease::fence(&mut tx, LEASE, self.token).await?;
        let Some(mut case) = self.open(&mut tx, app).await? else {
            return Ok(false);
        };
        let step = case.next_step();
        let span = span_of(&case, &step);
        let kept = self.give_up_hold(app, &step);
        let written = self
            .decide_and_write(&mut tx, &mut case, step, &kept)
            .instrument(span.clone())
            .await;
        if written.is_err() || !ends_hold(&case) {
            self.keep(kept);
        }
        let settled = written?;
        if let Err(err) = tx.commit().instrument(span).await {
            // It may have committed all the same.
            self.fleet = None;
            return Err(Error::Commit(err));
        }
        self.take_over(&case);
        self.count(&case, &settled);
        Ok(settled.more)
    }

    /// Everything about an application, locked; the engine's idea of the room it takes is made true first.
    async fn open(
        &mut self,
        tx: &mut Transaction<'static, Postgres>,
        app: AppId,
    ) -> Result<Option<Case>, Error> {
        let Some(app) = db::apps::lock(tx, app).await? else {
            return Ok(None);
        };
        let revisions = db::revisions::not_dropped(tx, app.id).await?;
        let copies = db::instances::active(tx, app.id).await?;
        let case = Case::new(app, revisions, copies, self.ctx.clock.now(), self.terms);
        self.take_over(&case);
        Ok(Some(case))
    }

    async fn decide_and_write(
        &mut self,
        tx: &mut Transaction<'static, Postgres>,
        case: &mut Case,
        step: Step,
        kept: &[Hold],
    ) -> Result<Settled, Error> {
        let needed = case
            .needs(&step)
            .map(|revision| (revision.id, revision.traceparent.clone()));
        let (workload, submitted_in) = match needed {
            None => (None, String::new()),
            Some((id, traceparent)) => (self.workloads.get(tx, id).await?, traceparent),
        };
        // The span that is current is the child of the submission; without telemetry the submission's own must do.
        let current = propagation::current_traceparent();
        let traceparent = if current.is_empty() {
            submitted_in
        } else {
            current
        };
        if let Some(fleet) = &mut self.fleet {
            let mut means = Means {
                fleet,
                workload: workload.as_deref(),
                ids: self.ctx.ids.as_ref(),
                traceparent: &traceparent,
            };
            let started = Instant::now();
            case.carry_out(step, &mut means);
            if !case.changes.decisions.is_empty() {
                let seconds = started.elapsed().as_secs_f64();
                self.metrics.placement_seconds.observe(seconds);
            }
        }
        let settled = case.settle();
        let attention = Attention::At(settled.look_again_at);
        let writing = write::Writing {
            ctx: &self.ctx,
            token: self.token,
            traceparent: &traceparent,
        };
        writing
            .write(tx, case, attention, &mut self.workloads)
            .await?;
        if !kept.is_empty() && ends_hold(case) {
            db::kept_rooms::release(tx, case.app.id, case.now).await?;
        }
        Ok(settled)
    }

    /// What was kept for an application is there for it alone when it is placed, and for everybody when it ends.
    fn give_up_hold(&mut self, app: AppId, step: &Step) -> Vec<Hold> {
        if !matches!(step, Step::Place { .. } | Step::Expire(_)) {
            return Vec::new();
        }
        let kept = self.holds.take(app);
        if let Some(fleet) = &mut self.fleet {
            for hold in &kept {
                memory::set(fleet, hold.id, Vec::new());
            }
        }
        kept
    }

    /// It is still needed.
    fn keep(&mut self, kept: Vec<Hold>) {
        let now = self.ctx.clock.now();
        if let Some(fleet) = &mut self.fleet {
            for hold in kept {
                self.holds.put(hold, fleet, now);
            }
        }
    }

    /// Tells the engine what room the application takes.
    fn take_over(&mut self, case: &Case) {
        let rooms = case.copies.iter().filter_map(Copy::reservation).collect();
        if let Some(fleet) = &mut self.fleet
            && let Err(err) = fleet.set_rooms(case.app.id, rooms)
        {
            let error = fluxplane_platform::error::chain(&err);
            tracing::error!(app.id = %case.app.id, error, "engine");
        }
    }

    fn count(&self, case: &Case, settled: &Settled) {
        for kept in &case.changes.decisions {
            self.metrics.decided(kept.outcome);
        }
        let now = self.ctx.clock.now();
        for milestone in &settled.milestones {
            self.metrics.reached(*milestone, now);
        }
    }

    /// Leaves an application alone for a while.
    async fn put_off(&self, app: AppId) -> Result<(), Error> {
        let mut tx = fluxplane_platform::db::begin(&self.ctx.pool).await?;
        lease::fence(&mut tx, LEASE, self.token).await?;
        db::apps::put_off(&mut tx, app, self.ctx.clock.now() + PUT_OFF).await?;
        tx.commit().await.map_err(Error::Commit)
    }
}

/// Whether what was kept for an application has served, or serves nobody any more.
fn ends_hold(case: &Case) -> bool {
    case.changes.ended || !case.changes.assignments.is_empty()
}

/// The span of a step. Work on a revision belongs to the trace in which it was submitted, however long ago that was.
fn span_of(case: &Case, step: &Step) -> tracing::Span {
    match case.needs(step) {
        None => tracing::debug_span!("step", app.id = %case.app.id),
        Some(revision) => {
            let span = tracing::info_span!(
                "place",
                app.id = %case.app.id,
                app.name = case.app.name,
                revision.number = revision.number,
            );
            propagation::set_parent_text(&span, &revision.traceparent);
            span
        }
    }
}
