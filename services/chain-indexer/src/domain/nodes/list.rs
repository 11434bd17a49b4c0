//! The lists in one order: the payment queues tier by tier, then started nodes, then those in DoS.

use fluxplane_core::Tier;
use fluxplane_flux_chain::fluxnode::{FluxnodeState, NodeEntry, Status};

/// Which nodes are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    pub tier: Option<Tier>,
    pub status: Option<Status>,
}

/// A node, and its place in the payment queue when it is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'s> {
    pub entry: &'s NodeEntry,
    pub rank: Option<u32>,
}

/// The wanted nodes in order.
pub fn list(lists: &FluxnodeState, filter: Filter) -> impl Iterator<Item = Listed<'_>> {
    let queued = lists.ranked().map(|ranked| Listed {
        entry: ranked.node,
        rank: u32::try_from(ranked.rank).ok(),
    });
    let of = |status: Status| {
        let nodes = lists.nodes().filter(move |entry| entry.status == status);
        nodes.map(|entry| Listed { entry, rank: None })
    };
    queued
        .chain(of(Status::Started))
        .chain(of(Status::Dos))
        .filter(move |listed| filter.tier.is_none_or(|tier| listed.entry.tier == tier))
        .filter(move |listed| {
            filter
                .status
                .is_none_or(|status| listed.entry.status == status)
        })
}

/// The rank of a confirmed node.
pub fn rank(lists: &FluxnodeState, entry: &NodeEntry) -> Option<u32> {
    if entry.status != Status::Confirmed {
        return None;
    }
    let mut queue = lists.queue(entry.tier);
    let rank = queue.position(|queued| queued.collateral == entry.collateral)?;
    u32::try_from(rank).ok()
}
