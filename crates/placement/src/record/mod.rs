//! What is kept of a decision: enough to explain it, to check it, and to make it again.

mod change;
mod filter;
mod score;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::{
    change::{Change, Domain, NodeWanted},
    filter::{Filter, FilterCounts},
    score::{Candidate, Choice, Criterion, Score},
};
use crate::{canonical::Canonical, digest::Digest, request::Request};

/// The version of the rules by which decisions are made. A record of another version cannot be replayed.
pub const RULES: u16 = 1;

/// A decision as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// [`RULES`] when the decision was made.
    pub rules: u16,
    pub request: Request,
    /// Breaks ties.
    pub seed: u64,
    /// The state the decision was made on.
    pub state: Digest,
    /// Fingerprint of rules, request, seed and state together.
    pub inputs: Digest,
    /// What each filter removed before the first copy was placed.
    pub filters: FilterCounts,
    /// One per placed copy, in the order of the decision.
    pub choices: Vec<Choice>,
    /// Why copies are left over, if any are.
    pub pending: Option<PendingReason>,
}

impl DecisionRecord {
    pub(crate) fn inputs_digest(request: &Request, seed: u64, state: Digest) -> Digest {
        let mut form = Canonical::of("fluxplane/placement/inputs/v1");
        form.number(RULES).number(seed).raw(&state.0);
        request.write(&mut form);
        Digest::of(form)
    }

    /// Fingerprint of the whole answer: inputs, filter counts, choices with their scores, copies left over.
    pub fn fingerprint(&self) -> Digest {
        let mut form = Canonical::of("fluxplane/placement/decision/v1");
        form.number(self.rules).raw(&self.inputs.0);
        self.filters.write(&mut form);
        form.length(self.choices.len());
        for choice in &self.choices {
            choice.chosen.write(&mut form);
            form.length(choice.runners_up.len());
            for candidate in &choice.runners_up {
                candidate.write(&mut form);
            }
        }
        match &self.pending {
            None => form.number(0_u32),
            Some(pending) => {
                pending.filters.write(&mut form);
                form.number(pending.copies)
            }
        };
        Digest::of(form)
    }
}

/// Why copies found no node, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReason {
    /// How many copies wait.
    pub copies: u32,
    /// What each filter removed when the first of them was tried, after the copies that were placed.
    pub filters: FilterCounts,
    /// The filter that removed the most; none when there is no node at all.
    pub strictest: Option<Filter>,
    /// The smallest single change after which one more copy finds a node, on top of the copies that were placed.
    /// None when no single change helps.
    pub change: Option<Change>,
}

impl fmt::Display for PendingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let copies = self.copies;
        let noun = if copies == 1 {
            "copy waits"
        } else {
            "copies wait"
        };
        write!(f, "{copies} {noun}; {}. ", self.filters)?;
        match &self.change {
            Some(change) => write!(f, "Smallest change that places one more: {change}"),
            None => write!(f, "No single change would place one more"),
        }
    }
}
