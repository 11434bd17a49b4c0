//! Signed usage reports become evidence, each once, in the epochs that still take it.

use sqlx::PgConnection;

use super::{Context, Error, seconds};
use crate::{
    db::{self, online, reports::SignedReport, usage},
    domain::usage::{Report, spread},
};

/// A report in both forms: as signed, and as read.
#[derive(Debug, Clone)]
pub struct Taken {
    pub signed: SignedReport,
    pub report: Report,
}

/// What became of reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    pub stored: u64,
    /// Counted before.
    pub repeated: u64,
    /// Intervals of instances that were added.
    pub intervals: u64,
}

/// Takes any number of reports, whose signatures were checked, in one step. Which node was to run which instance is judged
/// when the epoch is settled, because the assignment may be heard of later than the evidence.
pub async fn take_usage(
    conn: &mut PgConnection,
    ctx: &Context,
    taken: Vec<Taken>,
) -> Result<Outcome, Error> {
    let accepting = db::epochs::accepting(conn).await?;
    if accepting.is_empty() {
        return Err(Error::NoOpenEpoch);
    }
    let offered = taken.len();
    let (signed, read): (Vec<SignedReport>, Vec<Report>) = taken
        .into_iter()
        .map(|one| (one.signed, one.report))
        .unzip();
    let new = db::reports::insert(conn, &signed).await?;
    let mut ran = Vec::new();
    let mut up = Vec::new();
    for place in &new {
        let (Some(signed), Some(report)) = (signed.get(*place), read.get(*place)) else {
            continue;
        };
        let present = seconds(signed.received_at + ctx.rules.clock_tolerance);
        let report = report.clone().up_to(present);
        for part in &report.ran {
            for (epoch, seconds) in spread(part.seconds, &accepting) {
                ran.push(usage::Part {
                    epoch,
                    instance: part.instance,
                    node: report.node,
                    assignment_epoch: part.assignment_epoch,
                    seconds,
                });
            }
        }
        for (epoch, seconds) in report.up.iter().flat_map(|up| spread(*up, &accepting)) {
            let node = report.node;
            up.push(online::Part {
                epoch,
                node,
                seconds,
            });
        }
    }
    let now = ctx.clock.now();
    if !ran.is_empty() {
        usage::add(conn, &ran, now).await?;
    }
    if !up.is_empty() {
        online::add(conn, &up).await?;
    }
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    Ok(Outcome {
        stored: count(new.len()),
        repeated: count(offered - new.len()),
        intervals: count(ran.len()),
    })
}
