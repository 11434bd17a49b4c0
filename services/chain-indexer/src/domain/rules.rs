//! What a deployment decides about the chain it follows.

use std::sync::Arc;

use fluxplane_flux_chain::{Address, ChainParams, tx::TxOut};

use crate::domain::{IndexMode, Thresholds, Watch};

/// Constants of a run. Clones share the parameters.
#[derive(Debug, Clone)]
pub struct Rules {
    pub params: Arc<ChainParams>,
    pub watch: Watch,
    pub thresholds: Thresholds,
    /// First block that is announced; those before it are indexed in silence.
    pub announce_from: u32,
    /// How much of each block is kept.
    pub mode: IndexMode,
    /// Who sets prices by writing to itself.
    pub foundation: Vec<Address>,
}

impl Rules {
    /// Whether an output is kept to be looked up later: as collateral, or because spending it proves to be the foundation.
    pub fn kept_output(&self, output: &TxOut<'_>) -> bool {
        let foundation = || {
            let mut addresses = self.foundation.iter();
            addresses.any(|address| address.script() == output.script)
        };
        self.collateral_amount(output.value) || (output.value.get() > 0 && foundation())
    }

    /// Whether an output of this value can be collateral at some height.
    pub fn collateral_amount(&self, value: fluxplane_core::Sat) -> bool {
        let transitions = &self.params.nodes.transitions;
        transitions
            .iter()
            .any(|tier| tier.before == value || tier.after == value)
    }
}
