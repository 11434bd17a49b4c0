//! Charges become operators' earnings.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Sat,
    id::{EpochNumber, NodeId},
};
use fluxplane_ledger::{
    Asset, Transfer,
    account::Party,
    settlement::{
        Salt,
        commitment::{Commitment, Role},
        leaf,
    },
    share::{self, Carried, Distribution, HostingNode, OnlineNode, ShareTable},
};

use super::{Line, NodeFacts, Payout, SettleError};
use crate::domain::posting;

/// What nodes did in the epoch.
#[derive(Debug, Default)]
pub(super) struct Work {
    online: BTreeMap<NodeId, u64>,
    hosted: BTreeMap<NodeId, Hosted>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Hosted {
    seconds: u64,
    charged: i64,
}

impl Work {
    pub(super) fn of(lines: &[Line], online: &BTreeMap<NodeId, u64>) -> Self {
        let mut hosted: BTreeMap<NodeId, Hosted> = BTreeMap::new();
        for line in lines {
            let own = hosted.entry(line.node).or_default();
            own.seconds += line.seconds;
            own.charged += line.amount.get();
        }
        Self {
            online: online.clone(),
            hosted,
        }
    }
}

/// Shares the revenue. A node that hosted is paid whatever became of it; only eligible ones are paid for being online.
pub(super) fn share(
    work: &Work,
    nodes: &BTreeMap<NodeId, NodeFacts>,
    revenue: Sat,
    carried: Carried,
    table: &ShareTable,
    at: DateTime<Utc>,
) -> Result<Distribution, SettleError> {
    let mut online = Vec::with_capacity(work.online.len());
    for (node, seconds) in &work.online {
        if let Some(facts) = nodes.get(node).filter(|facts| facts.eligible) {
            online.push(OnlineNode {
                node: *node,
                operator: facts.operator.clone(),
                tier: facts.tier,
                seconds: u32::try_from(*seconds).unwrap_or(u32::MAX),
            });
        }
    }
    let mut hosting = Vec::with_capacity(work.hosted.len());
    for (node, hosted) in &work.hosted {
        let facts = nodes.get(node).ok_or(SettleError::UnknownNode(*node))?;
        hosting.push(HostingNode {
            node: *node,
            operator: facts.operator.clone(),
            charged: Sat::new(hosted.charged),
        });
    }
    share::distribute(revenue, carried, table, at, &online, &hosting).map_err(SettleError::Share)
}

/// The operators' part leaves the revenue whole; each node's part leaves the pool. What finds nobody stays in the pool.
pub(super) fn transfers(
    epoch: u64,
    shared: &Distribution,
    revenue: Sat,
    at: DateTime<Utc>,
) -> Vec<Transfer> {
    let operators = Sat::new(revenue.get() - shared.platform.get());
    let mut transfers = Vec::with_capacity(shared.earnings.len() + 1);
    if operators > Sat::ZERO {
        transfers.push(posting::share(epoch, operators, at));
    }
    transfers.extend(shared.earnings.iter().map(|earning| {
        let amount = Sat::new(earning.online.get() + earning.hosting.get());
        posting::earn(epoch, earning.node, &earning.operator, amount, at)
    }));
    transfers
}

/// One payout per node that earned, in order of id.
pub(super) fn payouts(
    epoch: u64,
    shared: &Distribution,
    work: &Work,
    salt: &mut dyn FnMut() -> Salt,
) -> Vec<Payout> {
    // One salt per name and epoch.
    let mut salts: BTreeMap<&Party, Salt> = BTreeMap::new();
    let mut payouts: Vec<Payout> = shared
        .earnings
        .iter()
        .map(|earning| Payout {
            id: posting::earning_id(epoch, earning.node),
            operator: earning.operator.clone(),
            salt: *salts.entry(&earning.operator).or_insert_with(&mut *salt),
            node: earning.node,
            online: earning.online,
            hosting: earning.hosting,
            online_seconds: work.online.get(&earning.node).copied().unwrap_or(0),
            hosted_seconds: work
                .hosted
                .get(&earning.node)
                .map_or(0, |hosted| hosted.seconds),
            leaf: 0,
        })
        .collect();
    payouts.sort_unstable_by_key(|payout| payout.id);
    payouts
}

/// Payouts come after the header and the lines.
pub(super) fn number_leaves(payouts: &mut [Payout], lines: u32) {
    for (place, payout) in (u64::from(lines) + 1..).zip(payouts) {
        payout.leaf = place;
    }
}

impl Payout {
    pub(super) fn leaf(&self, epoch: EpochNumber, share_table: u32) -> leaf::Payout {
        leaf::Payout {
            epoch,
            id: self.id,
            operator: Commitment::new(Role::Operator, &self.salt, &self.operator),
            node: self.node,
            share_table,
            online: self.online,
            hosting: self.hosting,
            asset: Asset::FLUX,
            seconds_online: self.online_seconds,
        }
    }
}
