//! What the tiers add up to.

use std::time::Duration;

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    ChainParams,
    fluxnode::{FluxnodeState, Status},
    subsidy::tier_reward,
};

/// Seconds of a day.
const DAY_S: u32 = 86_400;

/// The nodes of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierStatistics {
    pub tier: Tier,
    pub started: u32,
    pub confirmed: u32,
    pub dos: u32,
    /// Collateral of the confirmed nodes.
    pub locked: Sat,
    /// What the next block gives to a node.
    pub reward: Sat,
}

/// All tiers, lowest first.
pub fn statistics(lists: &FluxnodeState) -> [TierStatistics; 3] {
    let next = lists.height().saturating_add(1);
    Tier::ALL.map(|tier| {
        let of = |status: Status| {
            let nodes = lists.nodes();
            nodes.filter(move |entry| entry.tier == tier && entry.status == status)
        };
        let count = |status: Status| u32::try_from(of(status).count()).unwrap_or(u32::MAX);
        let locked: i64 = of(Status::Confirmed).map(|entry| entry.amount.get()).sum();
        let pays = next >= lists.params().nodes.payments_from;
        TierStatistics {
            tier,
            started: count(Status::Started),
            confirmed: count(Status::Confirmed),
            dos: count(Status::Dos),
            locked: Sat::new(locked),
            reward: if pays {
                tier_reward(lists.params(), next, tier)
            } else {
                Sat::ZERO
            },
        }
    })
}

/// Time between blocks at a height.
pub fn spacing(params: &ChainParams, height: u32) -> Duration {
    let seconds = if params.is_pon(height) {
        params.pon.spacing_s
    } else {
        params.pow.spacing_s
    };
    Duration::from_secs(u64::from(seconds.max(1)))
}

/// Blocks of 24 hours at a height.
pub fn blocks_per_day(params: &ChainParams, height: u32) -> u32 {
    let seconds = u32::try_from(spacing(params, height).as_secs()).unwrap_or(DAY_S);
    DAY_S / seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_as_many_blocks_as_fit() {
        let params = ChainParams::main();
        assert_eq!(blocks_per_day(&params, 2_019_999), 720);
        assert_eq!(blocks_per_day(&params, 2_020_000), 2_880);
    }
}
