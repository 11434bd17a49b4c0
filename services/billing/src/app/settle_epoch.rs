//! Settles one epoch in one transaction: all of it is booked and published, or nothing. A replica that dies in the middle
//! leaves an epoch that waits to be settled.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, EpochNumber, InstanceId, InvoiceId};
use fluxplane_ledger::{
    interval::{Interval, IntervalSet},
    settlement::{Hash32, Salt},
    share::Carried,
};
use ring::rand::{SecureRandom as _, SystemRandom};
use sqlx::PgConnection;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Context, Error, epochs::fence, time};
use crate::{
    db::{
        self,
        epochs::Epoch,
        usage::{Key, Reported},
    },
    domain::{
        epoch::EpochState,
        sets,
        settlement::{Earlier, Evidence, Frame, Input, Settlement, Sources, settle},
        term::Term,
    },
    events::announce,
};

/// Settles a closing epoch; one that is closed already stays as it is. With a token, only while leading.
pub async fn settle_epoch(ctx: &Context, number: u64, token: Option<i64>) -> Result<(), Error> {
    let started = Instant::now();
    let mut tx = ctx.begin().await?;
    db::epochs::allow_long_transaction(&mut tx).await?;
    let epoch = db::epochs::lock(&mut tx, number)
        .await?
        .ok_or(Error::NoEpoch(number))?;
    if epoch.state != EpochState::Closing {
        return Ok(());
    }
    let frame = frame(&mut tx, &epoch).await?;
    let sorted = sort_evidence(ctx, db::usage::of_epoch(&mut tx, number).await?);
    let input = gather(&mut tx, &epoch, frame, &sorted).await?;
    let settlement = compute(number, input).await?;
    store(&mut tx, ctx, frame, &sorted, &settlement).await?;
    // Last, because the fence keeps the lease from being renewed until the end of the transaction.
    if let Some(token) = token {
        fence(&mut tx, token).await?;
    }
    tx.commit().await?;
    let took = started.elapsed();
    ctx.metrics.settle_seconds.observe(took.as_secs_f64());
    ctx.metrics
        .charged_sat
        .inc_by(settlement.charged.get().unsigned_abs());
    tracing::info!(
        epoch.number = number, epoch.root = %settlement.anchor.root, epoch.lines = settlement.line_count,
        epoch.charged_sat = settlement.charged.get(), took_ms = took.as_millis(), "epoch is closed"
    );
    Ok(())
}

async fn frame(conn: &mut PgConnection, epoch: &Epoch) -> Result<Frame, Error> {
    let number = epoch.number;
    let previous_root = if number == 1 {
        Hash32::ZERO
    } else {
        let previous = number - 1;
        let before = db::epochs::get(conn, previous).await?;
        let root = before.and_then(|before| before.root);
        root.ok_or(Error::OutOfTurn { number, previous })?
    };
    Ok(Frame {
        number: EpochNumber(number),
        previous_root,
        opens_at: epoch.opens_at,
        ends_at: epoch.ends_at,
    })
}

/// The evidence of an epoch by what becomes of it.
#[derive(Debug, Default)]
struct Sorted {
    evidence: Vec<Evidence>,
    /// As reported, in the order of `evidence`.
    reported: Vec<IntervalSet>,
    /// Nobody announced the assignment or the node yet.
    postponed: Vec<Key>,
    /// Another node was to run it, or nobody ever announced it.
    refused: Vec<Key>,
    refused_seconds: u64,
}

fn key(row: &Reported) -> Key {
    Key {
        instance: row.instance,
        node: row.node,
        assignment_epoch: row.assignment_epoch,
    }
}

fn sort_evidence(ctx: &Context, rows: Vec<Reported>) -> Sorted {
    let oldest = ctx.clock.now() - ctx.rules.unknown_assignment_for;
    let mut sorted = Sorted::default();
    for row in rows {
        let known = row.assigned.filter(|_| row.node_known);
        match known {
            Some(assigned) if assigned.node == row.node => {
                let until = assigned.until.unwrap_or(u64::MAX);
                let window = Interval::new(assigned.from, until);
                let seconds = window.map_or_else(
                    |_| IntervalSet::default(),
                    |window| sets::within(&row.seconds, window),
                );
                sorted.evidence.push(Evidence {
                    app: assigned.app,
                    instance: row.instance,
                    node: row.node,
                    assignment_epoch: row.assignment_epoch,
                    assigned_at: assigned.from,
                    seconds,
                });
                sorted.reported.push(row.seconds);
            }
            None if row.first_at > oldest => sorted.postponed.push(key(&row)),
            Some(_) | None => {
                sorted.refused_seconds += row.seconds.seconds();
                sorted.refused.push(key(&row));
            }
        }
    }
    sorted
}

async fn gather(
    conn: &mut PgConnection,
    epoch: &Epoch,
    frame: Frame,
    sorted: &Sorted,
) -> Result<Input, Error> {
    let evidence = sorted.evidence.clone();
    let apps: BTreeSet<AppId> = evidence.iter().map(|one| one.app).collect();
    let apps: Vec<Uuid> = apps.into_iter().map(Uuid::from).collect();
    let terms = db::terms::lock_for_settlement(conn, &apps, frame.ends_at).await?;
    let earlier = earlier(conn, frame, &evidence, &terms).await?;
    db::online::forget_counted(conn, epoch.number, epoch.opens_at).await?;
    let online = db::online::of_epoch(conn, epoch.number).await?;
    let nodes: BTreeSet<Uuid> = evidence
        .iter()
        .map(|one| one.node.uuid())
        .chain(online.keys().map(|node| node.uuid()))
        .collect();
    let nodes: Vec<Uuid> = nodes.into_iter().collect();
    let carried = match frame.number.0 {
        1 => Carried::default(),
        number => db::epochs::get(conn, number - 1)
            .await?
            .map_or_else(Carried::default, |before| before.carried),
    };
    Ok(Input {
        frame,
        evidence,
        earlier,
        terms,
        nodes: db::nodes::facts(conn, &nodes).await?,
        online: online
            .into_iter()
            .map(|(node, seconds)| (node, seconds.seconds()))
            .filter(|(_, seconds)| *seconds > 0)
            .collect(),
        carried,
        table: db::shares::in_force(conn, time(frame.ends_at)).await?,
    })
}

/// What earlier epochs counted, for the applications where it can matter: those with evidence of earlier times, and those
/// of which more instances ran than their terms pay for.
async fn earlier(
    conn: &mut PgConnection,
    frame: Frame,
    evidence: &[Evidence],
    terms: &[Term],
) -> Result<BTreeMap<AppId, Vec<Earlier>>, Error> {
    let mut paid: BTreeMap<AppId, u32> = BTreeMap::new();
    for term in terms {
        let least = paid.entry(term.app).or_insert(term.instances);
        *least = (*least).min(term.instances);
    }
    let mut instances: BTreeMap<AppId, BTreeSet<InstanceId>> = BTreeMap::new();
    let mut careful: BTreeSet<AppId> = BTreeSet::new();
    for one in evidence {
        let own = instances.entry(one.app).or_default();
        own.insert(one.instance);
        let limit = paid.get(&one.app).copied().unwrap_or(0);
        let late = sets::span(&one.seconds).is_some_and(|span| span.from() < frame.opens_at);
        if late || own.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
            careful.insert(one.app);
        }
    }
    let spans = evidence
        .iter()
        .filter(|one| careful.contains(&one.app))
        .filter_map(|one| sets::span(&one.seconds));
    let window = spans.reduce(|all, span| {
        let (from, to) = (all.from().min(span.from()), all.to().max(span.to()));
        Interval::new(from, to).unwrap_or(all)
    });
    let Some(window) = window else {
        return Ok(BTreeMap::new());
    };
    let apps: Vec<Uuid> = careful.into_iter().map(Uuid::from).collect();
    let mut earlier: BTreeMap<AppId, Vec<Earlier>> = BTreeMap::new();
    for (app, one) in db::usage::earlier(conn, &apps, frame.number.0, window).await? {
        earlier.entry(app).or_default().push(one);
    }
    Ok(earlier)
}

/// A million lines take seconds of calculation, which must not hold up the runtime.
async fn compute(number: u64, input: Input) -> Result<Settlement, Error> {
    let work = tokio::task::spawn_blocking(move || {
        let random = SystemRandom::new();
        let mut salt = || {
            let mut bytes = [0; 32];
            random.fill(&mut bytes).expect("the system has randomness");
            Salt::new(bytes)
        };
        let mut ids = InvoiceIds::new(number);
        let mut sources = Sources {
            salt: &mut salt,
            invoice_id: &mut || ids.next(),
        };
        settle(input, &mut sources)
    });
    let settled = work
        .await
        .map_err(|err| Error::Inconsistent(err.to_string()))?;
    settled.map_err(|source| Error::Settle { number, source })
}

/// Ids of invoices: made from epoch and place, so that settling again after a crash makes the same ones.
struct InvoiceIds {
    epoch: u64,
    place: u64,
}

impl InvoiceIds {
    const fn new(epoch: u64) -> Self {
        Self { epoch, place: 0 }
    }

    fn next(&mut self) -> InvoiceId {
        self.place += 1;
        let fact = format!("invoice:{}:{}", self.epoch, self.place);
        crate::domain::posting::transfer_id(&fact).uuid().into()
    }
}

async fn store(
    conn: &mut PgConnection,
    ctx: &Context,
    frame: Frame,
    sorted: &Sorted,
    settlement: &Settlement,
) -> Result<(), Error> {
    let now: DateTime<Utc> = ctx.clock.now();
    let number = frame.number.0;
    db::leaves::insert(conn, number, &settlement.leaves).await?;
    db::invoices::insert(conn, number, &settlement.invoices).await?;
    db::payouts::insert(conn, number, &settlement.payouts).await?;
    db::ledger::post_all(conn, settlement.transfers.clone(), now).await?;
    db::terms::update(conn, &settlement.terms, Some(frame.number)).await?;
    keep_counted(conn, ctx, number, sorted, settlement, now).await?;
    db::epochs::set_closed(conn, frame.number, frame.previous_root, settlement, now).await?;
    announce::epoch_closed(conn, ctx, frame, settlement, now).await?;
    Ok(())
}

/// Leaves in the epoch exactly what it counted, and hands on what nobody can judge yet.
async fn keep_counted(
    conn: &mut PgConnection,
    ctx: &Context,
    number: u64,
    sorted: &Sorted,
    settlement: &Settlement,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut changed: Vec<(Key, IntervalSet)> = sorted
        .refused
        .iter()
        .map(|key| (*key, IntervalSet::default()))
        .collect();
    let mut uncounted = 0;
    let rows = sorted.evidence.iter().zip(&sorted.reported);
    for ((evidence, reported), counted) in rows.zip(&settlement.counted) {
        if counted != reported {
            uncounted += reported.seconds() - counted.seconds();
            let key = Key {
                instance: evidence.instance,
                node: evidence.node,
                assignment_epoch: evidence.assignment_epoch,
            };
            changed.push((key, counted.clone()));
        }
    }
    if !changed.is_empty() {
        db::usage::set_counted(conn, number, &changed, now).await?;
    }
    if !sorted.postponed.is_empty() {
        let accepting = db::epochs::accepting(conn).await?;
        let next = accepting.last().ok_or(Error::NoOpenEpoch)?;
        db::usage::postpone(conn, number, &sorted.postponed, next.epoch).await?;
    }
    let counted = settlement.counted.iter().map(IntervalSet::seconds).sum();
    ctx.metrics.usage_seconds("charged", counted);
    ctx.metrics.usage_seconds("uncharged", uncounted);
    ctx.metrics.usage_seconds("refused", sorted.refused_seconds);
    if sorted.refused_seconds > 0 {
        tracing::warn!(
            epoch.number = number,
            seconds = sorted.refused_seconds,
            "evidence of nodes that were not to run the instance was refused"
        );
    }
    Ok(())
}
