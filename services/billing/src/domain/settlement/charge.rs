//! Evidence becomes charged lines: per application, which seconds of which copy belong to which term, and what they cost.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Sat,
    id::{AppId, InstanceId, NodeId},
};
use fluxplane_ledger::{
    Transfer,
    interval::{Interval, IntervalSet},
    settlement::Hash32,
};
use sha2::{Digest as _, Sha256};

use super::{Earlier, Evidence};
use crate::domain::{
    posting,
    sets::{self, Copies},
    term::Term,
};

/// The evidenced time of one instance on one node under one term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Index of the term.
    pub term: usize,
    pub instance: InstanceId,
    pub node: NodeId,
    /// Holds all the seconds.
    pub span: Interval,
    pub seconds: u64,
    pub amount: Sat,
    pub evidence: Hash32,
}

/// What charging gives.
#[derive(Debug, Default)]
pub(super) struct Charged {
    /// By application, term, instance and node.
    pub(super) lines: Vec<Line>,
    /// What was counted of each piece of evidence, in its order.
    pub(super) counted: Vec<IntervalSet>,
}

/// Charges all evidence. `terms` are put in order of application and beginning.
pub(super) fn charge(
    terms: &mut [Term],
    evidence: &[Evidence],
    earlier: &BTreeMap<AppId, Vec<Earlier>>,
) -> Charged {
    terms.sort_unstable_by_key(|term| (term.app, term.starts_at, term.revision));
    let mut order: Vec<usize> = (0..evidence.len()).collect();
    order.sort_unstable_by_key(|row| {
        let one = &evidence[*row];
        (one.app, one.instance, one.node, one.assignment_epoch)
    });
    let mut charged = Charged {
        lines: Vec::with_capacity(evidence.len()),
        counted: vec![IntervalSet::default(); evidence.len()],
    };
    for rows in order.chunk_by(|one, other| evidence[*one].app == evidence[*other].app) {
        let Some(app) = rows.first().map(|row| evidence[*row].app) else {
            continue;
        };
        let first = terms.partition_point(|term| term.app < app);
        let count = terms.get(first..).unwrap_or_default();
        let count = count.partition_point(|term| term.app == app);
        let own = terms.get_mut(first..first + count).unwrap_or_default();
        let known = earlier.get(&app).map(Vec::as_slice).unwrap_or_default();
        charge_app(first, own, evidence, rows, known, &mut charged);
    }
    charged
}

fn charge_app(
    first_term: usize,
    terms: &mut [Term],
    evidence: &[Evidence],
    rows: &[usize],
    earlier: &[Earlier],
    charged: &mut Charged,
) {
    let fresh: Vec<(usize, IntervalSet)> = rows
        .iter()
        .map(|row| (*row, not_counted(&evidence[*row], earlier)))
        .collect();
    for (place, term) in terms.iter_mut().enumerate() {
        let Some(window) = term.window() else {
            continue;
        };
        let mut parts: Vec<(usize, IntervalSet)> = fresh
            .iter()
            .map(|(row, seconds)| (*row, sets::within(seconds, window)))
            .filter(|(_, seconds)| !seconds.intervals().is_empty())
            .collect();
        if is_crowded(term, window, &parts, evidence, earlier) {
            limit_copies(term.instances, window, &mut parts, evidence, earlier);
        }
        let mut lines: BTreeMap<(InstanceId, NodeId), IntervalSet> = BTreeMap::new();
        for (row, seconds) in &parts {
            let key = (evidence[*row].instance, evidence[*row].node);
            sets::add(lines.entry(key).or_default(), seconds);
            sets::add(&mut charged.counted[*row], seconds);
        }
        for ((instance, node), seconds) in lines {
            let Some(span) = sets::span(&seconds) else {
                continue;
            };
            charged.lines.push(Line {
                term: first_term + place,
                instance,
                node,
                span,
                seconds: seconds.seconds(),
                amount: term.charge(seconds.seconds()),
                evidence: evidence_hash(instance, node, &seconds),
            });
        }
    }
}

/// The seconds that no earlier epoch counted for the same instance.
fn not_counted(row: &Evidence, earlier: &[Earlier]) -> IntervalSet {
    let mut seconds = row.seconds.clone();
    for known in earlier
        .iter()
        .filter(|known| known.instance == row.instance)
    {
        seconds = sets::minus(&seconds, &known.seconds);
    }
    seconds
}

/// Whether more instances ran in the window than the term pays for.
fn is_crowded(
    term: &Term,
    window: Interval,
    parts: &[(usize, IntervalSet)],
    evidence: &[Evidence],
    earlier: &[Earlier],
) -> bool {
    let now = parts.iter().map(|(row, _)| evidence[*row].instance);
    let before = earlier
        .iter()
        .filter(|known| known.seconds.seconds_in(window) > 0)
        .map(|known| known.instance);
    let instances: BTreeSet<InstanceId> = now.chain(before).collect();
    instances.len() > usize::try_from(term.instances).unwrap_or(usize::MAX)
}

/// Cuts the parts down to as many copies at any second as are paid for. What earlier epochs counted stays; then the newest
/// assignment goes first, because it is what the plane wanted last.
fn limit_copies(
    limit: u32,
    window: Interval,
    parts: &mut Vec<(usize, IntervalSet)>,
    evidence: &[Evidence],
    earlier: &[Earlier],
) {
    let mut copies = Copies::new(limit);
    for known in earlier {
        copies.add(&sets::within(&known.seconds, window));
    }
    parts.sort_by_key(|(row, _)| {
        let one = &evidence[*row];
        (
            std::cmp::Reverse(one.assigned_at),
            one.instance,
            one.assignment_epoch,
        )
    });
    for (_, seconds) in parts.iter_mut() {
        *seconds = copies.add(seconds);
    }
    parts.retain(|(_, seconds)| !seconds.intervals().is_empty());
}

/// What a line says of the seconds behind it.
///
/// ```text
/// SHA-256( "fluxplane/usage/v1" ‖ instance ‖ node ‖ from ‖ to ‖ from ‖ to ‖ … )
/// ```
///
/// Ids are the 16 bytes of the UUID; times are seconds since 1970, 8 bytes, big-endian, in rising order; intervals
/// neither overlap nor touch.
pub fn evidence_hash(instance: InstanceId, node: NodeId, seconds: &IntervalSet) -> Hash32 {
    let mut hasher = Sha256::new_with_prefix(b"fluxplane/usage/v1");
    hasher.update(instance.uuid().as_bytes());
    hasher.update(node.uuid().as_bytes());
    for interval in seconds.intervals() {
        hasher.update(interval.from().to_be_bytes());
        hasher.update(interval.to().to_be_bytes());
    }
    Hash32(hasher.finalize().into())
}

/// One transfer per term that was charged.
pub(super) fn transfers(
    epoch: u64,
    lines: &[Line],
    terms: &[Term],
    at: DateTime<Utc>,
) -> Vec<Transfer> {
    let of_term = lines.chunk_by(|one, other| one.term == other.term);
    let transfer = |lines: &[Line]| {
        let term = terms.get(lines.first()?.term)?;
        let amount: i64 = lines.iter().map(|line| line.amount.get()).sum();
        let amount = Sat::new(amount);
        (amount > Sat::ZERO).then(|| posting::charge(epoch, term.revision, term.app, amount, at))
    };
    of_term.filter_map(transfer).collect()
}
