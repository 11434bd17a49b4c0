//! Who the coming blocks pay.
//!
//! A block pays the first node of each queue, which then goes to the back. So as long as nobody joins or leaves, the queue as it
//! stands is the order of payments, over and over.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    fluxnode::{FluxnodeState, NodeEntry},
    subsidy::tier_reward,
};

/// A payment that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextPayee<'s> {
    /// Block that pays.
    pub height: u32,
    pub node: &'s NodeEntry,
    pub amount: Sat,
}

/// The payments of the next `blocks` blocks, by height, then tier.
pub fn next_payees(lists: &FluxnodeState, tier: Option<Tier>, blocks: u32) -> Vec<NextPayee<'_>> {
    let params = lists.params();
    let first = lists.height().saturating_add(1);
    let heights = first..=lists.height().saturating_add(blocks);
    let paying = heights.filter(|height| *height >= params.nodes.payments_from);
    let tiers = || {
        Tier::ALL
            .into_iter()
            .filter(|one| tier.is_none_or(|tier| tier == *one))
    };
    let queues: Vec<Vec<&NodeEntry>> = tiers().map(|tier| lists.queue(tier).collect()).collect();
    let mut payees = Vec::new();
    for (turn, height) in paying.enumerate() {
        for queue in queues.iter().filter(|queue| !queue.is_empty()) {
            let node = queue[turn % queue.len()];
            payees.push(NextPayee {
                height,
                node,
                amount: tier_reward(params, height, node.tier),
            });
        }
    }
    payees
}
