//! The same decision again, from its record and the state it was made on.

use fluxplane_core::id::NodeId;

use crate::{
    digest::Digest,
    engine::Engine,
    plan::Decision,
    record::{DecisionRecord, RULES},
};

/// Why a record does not lead back to its decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    #[error(
        "the decision follows rules version {recorded}, this engine version {RULES}; replay it with an engine of that version"
    )]
    OtherRules { recorded: u16 },
    #[error(
        "the decision was made on state {recorded}, this is state {found}; load the snapshot of that state"
    )]
    OtherState { recorded: Digest, found: Digest },
    #[error("the record was altered: its inputs have digest {found}, it says {recorded}")]
    InputsAltered { recorded: Digest, found: Digest },
    #[error(
        "the same inputs now give another answer: {replayed:?} instead of {recorded:?}; the record was altered, or the rules changed without a new version"
    )]
    OtherAnswer {
        recorded: Vec<NodeId>,
        replayed: Vec<NodeId>,
    },
}

impl Engine {
    /// Makes a recorded decision again. Succeeds only with the identical record.
    pub fn replay(&self, record: &DecisionRecord) -> Result<Decision, ReplayError> {
        if record.rules != RULES {
            return Err(ReplayError::OtherRules {
                recorded: record.rules,
            });
        }
        let inputs = DecisionRecord::inputs_digest(&record.request, record.seed, record.state);
        if inputs != record.inputs {
            return Err(ReplayError::InputsAltered {
                recorded: record.inputs,
                found: inputs,
            });
        }
        let state = self.state_digest();
        if state != record.state {
            return Err(ReplayError::OtherState {
                recorded: record.state,
                found: state,
            });
        }
        let decision = self.plan(&record.request, record.seed);
        if decision.record != *record {
            let recorded = record.choices.iter().map(|choice| choice.chosen.node);
            return Err(ReplayError::OtherAnswer {
                recorded: recorded.collect(),
                replayed: decision.placements,
            });
        }
        Ok(decision)
    }
}
