//! The lists, held so that every change and every question of a block costs the logarithm of their size.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use fluxplane_core::Tier;

use crate::{
    fluxnode::{NodeEntry, Status, queue::QueueKey},
    outpoint::OutPoint,
};

/// All entries and the orders in which the rules look at them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NodeIndex {
    nodes: BTreeMap<OutPoint, NodeEntry>,
    /// Confirmed nodes by tier, in payment order.
    queues: [BTreeSet<QueueKey>; 3],
    /// Started nodes and DoS nodes by the height of their start, confirmed nodes by the height of their last confirm.
    by_age: [BTreeSet<(u32, OutPoint)>; 3],
}

impl NodeIndex {
    pub(super) fn get(&self, collateral: &OutPoint) -> Option<&NodeEntry> {
        self.nodes.get(collateral)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &NodeEntry> {
        self.nodes.values()
    }

    /// The queue of a tier in payment order.
    pub(super) fn queue(&self, tier: Tier) -> impl ExactSizeIterator<Item = &NodeEntry> {
        self.queues[tier_slot(tier)].iter().map(|key| {
            self.nodes
                .get(&key.collateral())
                .expect("every queue key belongs to an entry")
        })
    }

    pub(super) fn count(&self, status: Status) -> usize {
        self.by_age[age_slot(status)].len()
    }

    /// Nodes with a status whose age key lies in a range of heights, ascending by height and outpoint.
    pub(super) fn aged(
        &self,
        status: Status,
        heights: RangeInclusive<u32>,
    ) -> impl Iterator<Item = OutPoint> {
        let least = OutPoint::new(crate::hash::Hash256::ZERO, 0);
        let most = OutPoint::new(crate::hash::Hash256::from_wire([0xff; 32]), u32::MAX);
        let (from, to) = heights.into_inner();
        let range = (from <= to).then_some((from, least)..=(to, most));
        range
            .into_iter()
            .flat_map(move |range| self.by_age[age_slot(status)].range(range))
            .map(|(_, collateral)| *collateral)
    }

    /// Puts an entry in, or takes one out. Gives back what was there before.
    pub(super) fn set(
        &mut self,
        collateral: OutPoint,
        entry: Option<NodeEntry>,
    ) -> Option<NodeEntry> {
        let before = self.nodes.remove(&collateral);
        if let Some(before) = &before {
            self.by_age[age_slot(before.status)].remove(&age_key(before));
            if before.status == Status::Confirmed {
                self.queues[tier_slot(before.tier)].remove(&QueueKey::of(before));
            }
        }
        if let Some(entry) = entry {
            self.by_age[age_slot(entry.status)].insert(age_key(&entry));
            if entry.status == Status::Confirmed {
                self.queues[tier_slot(entry.tier)].insert(QueueKey::of(&entry));
            }
            self.nodes.insert(collateral, entry);
        }
        before
    }
}

const fn tier_slot(tier: Tier) -> usize {
    match tier {
        Tier::Cumulus => 0,
        Tier::Nimbus => 1,
        Tier::Stratus => 2,
    }
}

const fn age_slot(status: Status) -> usize {
    match status {
        Status::Started => 0,
        Status::Dos => 1,
        Status::Confirmed => 2,
    }
}

const fn age_key(entry: &NodeEntry) -> (u32, OutPoint) {
    let height = match entry.status {
        Status::Started | Status::Dos => entry.added_height,
        Status::Confirmed => entry.last_confirmed_height,
    };
    (height, entry.collateral)
}
