//! How many nodes came and went in a block.

use std::collections::BTreeMap;

use fluxplane_core::Tier;
use fluxplane_flux_chain::{
    OutPoint,
    fluxnode::{Event, ExpiryReason, FluxnodeState, Undo},
};

/// Nodes of one tier that came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turnover {
    pub started: u32,
    pub confirmed: u32,
    /// Left for want of a confirm, or because their amount stopped to count.
    pub expired: u32,
    /// Left because the collateral was spent.
    pub spent: u32,
    /// Were not confirmed in time.
    pub dos: u32,
}

/// Counts the events of a block, tier by tier. `after` are the lists with the block, `undo` knows who left.
pub fn count(events: &[Event], after: &FluxnodeState, undo: &Undo) -> BTreeMap<Tier, Turnover> {
    let tier_of = |collateral: OutPoint| {
        let before = || {
            let change = undo.nodes.iter().find(|node| node.collateral == collateral);
            change.and_then(|change| change.before.as_ref())
        };
        after
            .node(&collateral)
            .or_else(before)
            .map(|entry| entry.tier)
    };
    let mut counts = BTreeMap::new();
    for event in events {
        let field: fn(&mut Turnover) -> &mut u32 = match event {
            Event::Started { .. } => |count| &mut count.started,
            Event::Confirmed { .. } => |count| &mut count.confirmed,
            Event::DosEntered { .. } => |count| &mut count.dos,
            Event::Expired {
                reason: ExpiryReason::CollateralSpent { .. },
                ..
            } => |count| &mut count.spent,
            Event::Expired {
                reason: ExpiryReason::NotConfirmed | ExpiryReason::AmountOutlawed,
                ..
            } => |count| &mut count.expired,
            Event::Paid { .. }
            | Event::DelegatesChanged { .. }
            | Event::Updated { .. }
            | Event::DosLeft { .. } => continue,
        };
        if let Some(tier) = tier_of(event.collateral()) {
            *field(counts.entry(tier).or_default()) += 1;
        }
    }
    counts
}
