//! Rules of the fluxnodes, height by height (fluxd `src/fluxnode/fluxnode.h`).

use fluxplane_core::{Sat, Tier};

use crate::params::{HeightTable, TimedKey, Upgrade, Upgrades};

/// Periods, distances, collateral and keys of the nodes of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRules {
    /// First height whose coinbase must pay the nodes.
    pub payments_from: u32,
    /// Blocks after which an unconfirmed start moves to the DoS list.
    pub start_expires_after: HeightTable,
    /// Blocks after its start at which a node leaves the DoS list.
    pub dos_leaves_after: HeightTable,
    /// Blocks a confirm lasts: a node leaves when its last confirm is older.
    pub confirm_expires_after: HeightTable,
    /// An update needs more blocks than this since the last confirm...
    pub update_distance: HeightTable,
    /// ...or, with a changed IP, at least these many (since FLUX).
    pub ip_change_distance: u32,
    /// Depth the collateral needs in the block that holds the transaction.
    pub collateral_depth: u32,
    /// Collateral of Cumulus, Nimbus and Stratus.
    pub transitions: [CollateralTransition; 3],
    /// Keys of the benchmark, ascending by time.
    pub benchmark_keys: Vec<TimedKey>,
    pub foundation_start_keys: Vec<TimedKey>,
}

impl NodeRules {
    /// The tables of every Flux network; only the heights differ.
    pub(super) fn new(upgrades: &Upgrades) -> Self {
        let since = |upgrade: Upgrade| upgrades.get(upgrade).activation_height;
        let (flux, halving, pon) = (
            since(Upgrade::Flux),
            since(Upgrade::Halving),
            since(Upgrade::Pon),
        );
        Self {
            payments_from: 0,
            start_expires_after: HeightTable::constant(60).then(pon, 240),
            dos_leaves_after: HeightTable::constant(180).then(pon, 720),
            confirm_expires_after: HeightTable::constant(60)
                .then(flux, 80)
                .then(halving, 160)
                .then(pon, 640),
            update_distance: HeightTable::constant(40).then(halving, 120).then(pon, 500),
            ip_change_distance: 5,
            collateral_depth: 100,
            transitions: Tier::ALL.map(|tier| CollateralTransition::new(tier, 0, 0)),
            benchmark_keys: Vec::new(),
            foundation_start_keys: Vec::new(),
        }
    }

    pub const fn transition(&self, tier: Tier) -> &CollateralTransition {
        let [cumulus, nimbus, stratus] = &self.transitions;
        match tier {
            Tier::Cumulus => cumulus,
            Tier::Nimbus => nimbus,
            Tier::Stratus => stratus,
        }
    }
}

/// How the collateral of a tier changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollateralTransition {
    pub before: Sat,
    pub after: Sat,
    /// First height at which the new amount counts.
    pub start: u32,
    /// First height at which the old amount no longer counts.
    pub end: u32,
}

impl CollateralTransition {
    pub(super) const fn new(tier: Tier, start: u32, end: u32) -> Self {
        let (before, after) = match tier {
            Tier::Cumulus => (10_000, 1_000),
            Tier::Nimbus => (25_000, 12_500),
            Tier::Stratus => (100_000, 40_000),
        };
        Self {
            before: Sat::from_flux(before),
            after: Sat::from_flux(after),
            start,
            end,
        }
    }

    /// The amounts that count at a height.
    pub fn amounts(&self, height: u32) -> impl Iterator<Item = Sat> {
        let before = (height < self.end).then_some(self.before);
        let after = (height >= self.start).then_some(self.after);
        before.into_iter().chain(after)
    }
}
