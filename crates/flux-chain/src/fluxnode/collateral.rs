//! Where the state machine learns about the outputs that nodes are staked with.

use std::collections::{BTreeMap, HashMap};

use fluxplane_core::Sat;

use crate::{outpoint::OutPoint, script::ScriptBuf};

/// An unspent output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collateral {
    pub value: Sat,
    /// Height of the block that created it.
    pub height: u32,
    pub script: ScriptBuf,
}

/// Answers for the outputs that are unspent *after the parent* of the block that is checked. What the block itself spends is
/// taken into account by the state machine.
///
/// A caller that has to fetch answers asks [`BlockView::collaterals`](crate::fluxnode::BlockView::collaterals) first and passes
/// a map.
pub trait CollateralSource {
    fn collateral(&self, outpoint: &OutPoint) -> Option<Collateral>;
}

impl CollateralSource for BTreeMap<OutPoint, Collateral> {
    fn collateral(&self, outpoint: &OutPoint) -> Option<Collateral> {
        self.get(outpoint).cloned()
    }
}

impl<S: std::hash::BuildHasher> CollateralSource for HashMap<OutPoint, Collateral, S> {
    fn collateral(&self, outpoint: &OutPoint) -> Option<Collateral> {
        self.get(outpoint).cloned()
    }
}

impl<T: CollateralSource + ?Sized> CollateralSource for &T {
    fn collateral(&self, outpoint: &OutPoint) -> Option<Collateral> {
        (**self).collateral(outpoint)
    }
}
