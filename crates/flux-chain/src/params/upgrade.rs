//! Network upgrades: when each activated, and what the daemon tells about it.

use crate::{hash::Hash256, sighash::FLUX_BRANCH_ID};

/// The upgrades in the daemon's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Upgrade {
    BaseSprout,
    TestDummy,
    /// Difficulty algorithm.
    Lwma,
    /// Equihash 144,5.
    Equi144_5,
    /// Sapling transactions; ordinary transactions must be version 4 from here on.
    Acadia,
    /// `ZelHash`, Equihash 125,4.
    Kamiooka,
    /// Deterministic nodes: version 5 transactions.
    Kamata,
    /// Node shares doubled, funds; nothing may enter the shielded pools any more.
    Flux,
    /// New collateral amounts, longer confirm period.
    Halving,
    /// Version 6 transactions, P2SH collateral.
    P2shNodes,
    /// Proof of Node.
    Pon,
}

impl Upgrade {
    pub const ALL: [Self; 11] = [
        Self::BaseSprout,
        Self::TestDummy,
        Self::Lwma,
        Self::Equi144_5,
        Self::Acadia,
        Self::Kamiooka,
        Self::Kamata,
        Self::Flux,
        Self::Halving,
        Self::P2shNodes,
        Self::Pon,
    ];

    const fn index(self) -> usize {
        match self {
            Self::BaseSprout => 0,
            Self::TestDummy => 1,
            Self::Lwma => 2,
            Self::Equi144_5 => 3,
            Self::Acadia => 4,
            Self::Kamiooka => 5,
            Self::Kamata => 6,
            Self::Flux => 7,
            Self::Halving => 8,
            Self::P2shNodes => 9,
            Self::Pon => 10,
        }
    }

    /// The branch id. All upgrades after the base share one.
    pub const fn branch_id(self) -> u32 {
        match self {
            Self::BaseSprout => 0,
            Self::TestDummy => 0x7473_6554,
            Self::Lwma
            | Self::Equi144_5
            | Self::Acadia
            | Self::Kamiooka
            | Self::Kamata
            | Self::Flux
            | Self::Halving
            | Self::P2shNodes
            | Self::Pon => FLUX_BRANCH_ID,
        }
    }
}

/// One upgrade on one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpgradeInfo {
    /// `None`: never.
    pub activation_height: Option<u32>,
    pub protocol_version: u32,
    /// Hash of the activating block, where the daemon pins it.
    pub activation_block: Option<Hash256>,
}

/// All upgrades of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrades([UpgradeInfo; 11]);

impl Upgrades {
    /// Heights and protocol versions in the order of [`Upgrade::ALL`].
    pub(super) fn new(entries: [(Option<u32>, u32); 11]) -> Self {
        Self(
            entries.map(|(activation_height, protocol_version)| UpgradeInfo {
                activation_height,
                protocol_version,
                activation_block: None,
            }),
        )
    }

    pub fn get(&self, upgrade: Upgrade) -> &UpgradeInfo {
        &self.0[upgrade.index()]
    }

    pub(super) fn get_mut(&mut self, upgrade: Upgrade) -> &mut UpgradeInfo {
        &mut self.0[upgrade.index()]
    }

    pub fn is_active(&self, upgrade: Upgrade, height: u32) -> bool {
        self.get(upgrade)
            .activation_height
            .is_some_and(|activation| height >= activation)
    }

    /// The branch of the last upgrade that is active.
    pub fn branch_id(&self, height: u32) -> u32 {
        Upgrade::ALL
            .into_iter()
            .rev()
            .find(|upgrade| self.is_active(*upgrade, height))
            .map_or(0, Upgrade::branch_id)
    }
}
