//! What a block creates and who must get it (fluxd `src/main.cpp`: `GetBlockSubsidy`, `GetFluxnodeSubsidy`, `GetMinDevFundAmount`).

use fluxplane_core::{Sat, Tier};

use crate::{
    address::Address,
    params::{ChainParams, Upgrade},
};

/// The first block pays out the coins of the founders (mining years only).
const PREMINE: Sat = Sat::from_flux(13_020_000);

/// Subsidy of a mined block before the first halving.
const POW_SUBSIDY: Sat = Sat::from_flux(150);

/// Halvings after which the subsidy of mined blocks stayed.
const LAST_HALVING: u32 = 2;

/// New coins in the block at `height`, without the payments of [`one_time_outputs`]. Nothing for the first block of the chain
/// on networks that began with mining.
pub fn block_subsidy(params: &ChainParams, height: u32) -> Sat {
    if params.is_pon(height) {
        return pon_subsidy(params, reductions(params, height));
    }
    let rules = &params.pow;
    match height {
        0 => return Sat::ZERO,
        1 => return PREMINE,
        _ => {}
    }
    let full = POW_SUBSIDY.get();
    if height < rules.slow_start_interval {
        // The ramp leaves out its middle step, so that the sum is as if there were no ramp of half the length.
        let steps = if height < rules.slow_start_interval / 2 {
            i64::from(height)
        } else {
            i64::from(height) + 1
        };
        return Sat::new(full / i64::from(rules.slow_start_interval) * steps);
    }
    let shift = rules.slow_start_interval / 2;
    let halvings = height.saturating_sub(shift) / rules.halving_interval;
    Sat::new(full >> halvings.min(LAST_HALVING))
}

/// How often the subsidy has been cut by the block at `height`.
fn reductions(params: &ChainParams, height: u32) -> u32 {
    let since = i64::from(height) - params.pon.activation;
    let cuts = since / i64::from(params.pon.reduction_interval);
    u32::try_from(cuts)
        .unwrap_or(0)
        .min(params.pon.max_reductions)
}

/// The subsidy after so many cuts by a tenth, each rounded down.
pub(crate) fn pon_subsidy(params: &ChainParams, reductions: u32) -> Sat {
    let initial = params.pon.initial_subsidy.get();
    Sat::new((0..reductions).fold(initial, |subsidy, _| subsidy * 9 / 10))
}

/// The part of the subsidy a node of a tier gets.
///
/// In the mining years the daemon computes with floating-point percentages (3.75, 6.25 and 15, doubled since FLUX); on the
/// subsidies there were, its results are these integers.
pub fn tier_reward(params: &ChainParams, height: u32, tier: Tier) -> Sat {
    let subsidy = block_subsidy(params, height);
    let (numerator, denominator) = if params.is_pon(height) {
        let halves = match tier {
            Tier::Cumulus => 2,
            Tier::Nimbus => 7,
            Tier::Stratus => 18,
        };
        (halves, 28)
    } else {
        let basis_points = match tier {
            Tier::Cumulus => 375,
            Tier::Nimbus => 625,
            Tier::Stratus => 1_500,
        };
        let doubled = params.is_active(Upgrade::Flux, height);
        (
            if doubled {
                2 * basis_points
            } else {
                basis_points
            },
            10_000,
        )
    };
    subsidy
        .mul_div(numerator, denominator)
        .expect("a share of the subsidy is not larger than the subsidy")
}

/// How a subsidy is divided when every tier has a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RewardSplit {
    pub subsidy: Sat,
    pub cumulus: Sat,
    pub nimbus: Sat,
    pub stratus: Sat,
    /// What is left: for the dev fund since Proof of Node, for the miner before.
    pub rest: Sat,
}

/// The division of the subsidy at `height`.
pub fn reward_split(params: &ChainParams, height: u32) -> RewardSplit {
    let subsidy = block_subsidy(params, height);
    let [cumulus, nimbus, stratus] = Tier::ALL.map(|tier| tier_reward(params, height, tier));
    let rest = subsidy.get() - cumulus.get() - nimbus.get() - stratus.get();
    RewardSplit {
        subsidy,
        cumulus,
        nimbus,
        stratus,
        rest: Sat::new(rest),
    }
}

/// Which fund a one-time output feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fund {
    Exchange,
    Foundation,
    SwapPool,
}

/// A payment the coinbase owes on top of the subsidy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneTimeOutput {
    pub fund: Fund,
    pub address: Address,
    pub amount: Sat,
}

/// The one-time payments due at `height`, in the order the daemon looks for them.
pub fn one_time_outputs(params: &ChainParams, height: u32) -> impl Iterator<Item = OneTimeOutput> {
    let funds = &params.funds;
    let once = |fund, due: bool, address, amount| {
        due.then_some(OneTimeOutput {
            fund,
            address,
            amount,
        })
    };
    let (exchange, foundation, pool) = (&funds.exchange, &funds.foundation, &funds.swap_pool);
    [
        once(
            Fund::Exchange,
            exchange.height == height,
            exchange.address,
            exchange.amount,
        ),
        once(
            Fund::Foundation,
            foundation.height == height,
            foundation.address,
            foundation.amount,
        ),
        once(
            Fund::SwapPool,
            pool.is_due(height),
            pool.address,
            pool.amount,
        ),
    ]
    .into_iter()
    .flatten()
}

/// The most a coinbase may pay out: subsidy, one-time payments and the fees of the block. `None` when there is no limit, in the
/// first two blocks, or when the sum has no place in an amount.
pub fn coinbase_limit(params: &ChainParams, height: u32, fees: Sat) -> Option<Sat> {
    if height <= 2 {
        return None;
    }
    let owed = one_time_outputs(params, height).map(|output| output.amount);
    Sat::checked_sum(
        [block_subsidy(params, height), fees]
            .into_iter()
            .chain(owed),
    )
}
