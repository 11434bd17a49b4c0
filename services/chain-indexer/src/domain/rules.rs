//! What a deployment decides about the chain it follows.

use std::sync::Arc;

use fluxplane_flux_chain::ChainParams;

use crate::domain::{Thresholds, Watch};

/// Constants of a run. Clones share the parameters.
#[derive(Debug, Clone)]
pub struct Rules {
    pub params: Arc<ChainParams>,
    pub watch: Watch,
    pub thresholds: Thresholds,
    /// First block that is announced; those before it are indexed in silence.
    pub announce_from: u32,
}

impl Rules {
    /// Whether an output of this value can be collateral at some height.
    pub fn collateral_amount(&self, value: fluxplane_core::Sat) -> bool {
        let transitions = &self.params.nodes.transitions;
        transitions
            .iter()
            .any(|tier| tier.before == value || tier.after == value)
    }
}
