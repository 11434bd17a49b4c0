//! Settles an epoch: evidence becomes charges, charges become invoices and operators' earnings, and all of it becomes
//! the leaves of one tree. A pure function of what the database holds, but for salts and ids, which it is given.

mod bill;
mod charge;
mod pay;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Sat, Tier,
    id::{AppId, EpochNumber, InstanceId, InvoiceId, NodeId, TransferId},
};
use fluxplane_ledger::{
    Asset, Transfer,
    account::Party,
    interval::IntervalSet,
    settlement::{
        Anchor, EpochLeaves, Hash32, Salt,
        epoch::{EpochError, EpochOpening, recompute},
    },
    share::{Carried, ShareError, ShareTable},
};

pub use self::charge::{Line, evidence_hash};

use super::{posting, term::Term};

/// What is known of the epoch itself. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    pub number: EpochNumber,
    /// [`Hash32::ZERO`] for the first.
    pub previous_root: Hash32,
    pub opens_at: u64,
    pub ends_at: u64,
}

/// An instance ran on a node, by the node's own word, as far as the node was to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub app: AppId,
    pub instance: InstanceId,
    pub node: NodeId,
    pub assignment_epoch: u64,
    /// When the node got the instance; the newest assignment goes first where there are more copies than paid for.
    pub assigned_at: u64,
    pub seconds: IntervalSet,
}

/// What earlier epochs counted of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub instance: InstanceId,
    pub seconds: IntervalSet,
}

/// A node as the registry knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    pub operator: Party,
    pub tier: Tier,
    /// May earn for being online.
    pub eligible: bool,
}

/// Everything a settlement rests on.
#[derive(Debug)]
pub struct Input {
    pub frame: Frame,
    pub evidence: Vec<Evidence>,
    /// For applications with late evidence or more copies than paid for.
    pub earlier: BTreeMap<AppId, Vec<Earlier>>,
    /// Of the applications with evidence, and those that ended.
    pub terms: Vec<Term>,
    pub nodes: BTreeMap<NodeId, NodeFacts>,
    /// Seconds of the epoch in which each node was up.
    pub online: BTreeMap<NodeId, u64>,
    pub carried: Carried,
    pub table: ShareTable,
}

/// Salts and ids.
pub struct Sources<'a> {
    pub salt: &'a mut dyn FnMut() -> Salt,
    pub invoice_id: &'a mut dyn FnMut() -> InvoiceId,
}

/// A customer's bill for the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub id: InvoiceId,
    pub owner: Party,
    pub salt: Salt,
    pub total: Sat,
    pub lines: u32,
    /// Leaf of the first line.
    pub first_leaf: u64,
}

/// What a node earned in the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    pub id: TransferId,
    pub operator: Party,
    pub salt: Salt,
    pub node: NodeId,
    pub online: Sat,
    pub hosting: Sat,
    pub online_seconds: u64,
    pub hosted_seconds: u64,
    pub leaf: u64,
}

/// A settled epoch, to be stored whole or not at all.
#[derive(Debug)]
pub struct Settlement {
    pub anchor: Anchor,
    pub charged: Sat,
    pub paid: Sat,
    pub line_count: u32,
    pub payout_count: u32,
    /// Encoded, in tree order.
    pub leaves: Vec<Vec<u8>>,
    pub invoices: Vec<Invoice>,
    pub payouts: Vec<Payout>,
    pub terms: Vec<Term>,
    pub transfers: Vec<Transfer>,
    pub carried: Carried,
    pub share_table: u32,
    /// What was counted of each piece of evidence, in the order of the input.
    pub counted: Vec<IntervalSet>,
}

/// Why an epoch cannot be settled. Each is a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error("share the revenue")]
    Share(#[source] ShareError),
    #[error("make the leaves")]
    Leaves(#[source] EpochError),
    #[error("the published leaves would not recompute")]
    Recompute(#[source] EpochError),
    #[error("node {0} has charged lines but is not known")]
    UnknownNode(NodeId),
    #[error("{0} of the epoch add up to more than any amount")]
    TooLarge(&'static str),
}

/// Settles.
pub fn settle(input: Input, sources: &mut Sources<'_>) -> Result<Settlement, SettleError> {
    let Input {
        frame,
        evidence,
        earlier,
        mut terms,
        nodes,
        online,
        carried,
        table,
    } = input;
    let ended = seconds_to_time(frame.ends_at);
    let charged = charge::charge(&mut terms, &evidence, &earlier);
    let mut transfers = charge::transfers(frame.number.0, &charged.lines, &terms, ended);
    transfers.extend(settle_ended(&mut terms, frame.ends_at, ended));

    let revenue = Sat::checked_sum(charged.lines.iter().map(|line| line.amount));
    let revenue = revenue.ok_or(SettleError::TooLarge("the charges"))?;
    let work = pay::Work::of(&charged.lines, &online);
    let shared = pay::share(&work, &nodes, revenue, carried, &table, ended)?;
    transfers.extend(pay::transfers(frame.number.0, &shared, revenue, ended));

    let mut invoices = bill::invoices(&charged.lines, &terms, sources.invoice_id, sources.salt)?;
    let mut payouts = pay::payouts(frame.number.0, &shared, &work, sources.salt);
    let lines = bill::leaves(frame.number, &charged.lines, &terms, &invoices);
    let paid = payouts
        .iter()
        .map(|payout| payout.leaf(frame.number, table.version));
    let opening = EpochOpening {
        epoch: frame.number,
        previous_root: frame.previous_root,
        opened_at: frame.opens_at,
        closed_at: frame.ends_at,
        asset: Asset::FLUX,
    };
    let leaves = EpochLeaves::new(opening, lines, paid.collect()).map_err(SettleError::Leaves)?;
    let header = *leaves.header();
    let leaves: Vec<Vec<u8>> = leaves.iter().map(|leaf| leaf.encode()).collect();
    // What is published is read back as any stranger would read it, before anybody is told of it.
    let (_, anchor) = recompute(&leaves).map_err(SettleError::Recompute)?;
    bill::number_leaves(&mut invoices);
    pay::number_leaves(&mut payouts, header.lines);
    Ok(Settlement {
        anchor,
        charged: header.charged,
        paid: header.paid,
        line_count: header.lines,
        payout_count: header.payouts,
        leaves,
        invoices: invoices
            .into_iter()
            .map(|invoice| invoice.invoice)
            .collect(),
        payouts,
        terms,
        transfers,
        carried: shared.carried,
        share_table: shared.table_version,
        counted: charged.counted,
    })
}

/// Terms whose time is over give back what nobody proved to have used.
fn settle_ended(terms: &mut [Term], ends_at: u64, at: DateTime<Utc>) -> Vec<Transfer> {
    let over = |term: &&mut Term| !term.settled && term.ends_at <= ends_at;
    let give_back = |term: &mut Term| {
        let left = term.settle();
        let transfer =
            || posting::unused(term.revision, "settled", term.app, &term.owner, left, at);
        (left > Sat::ZERO).then(transfer)
    };
    terms
        .iter_mut()
        .filter(over)
        .filter_map(give_back)
        .collect()
}

fn seconds_to_time(seconds: u64) -> DateTime<Utc> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests;
