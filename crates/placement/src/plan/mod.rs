//! The decision: which nodes take the copies of a request.
//!
//! Copies are placed one after the other, each on the best node given the ones before it. "Best" is the smallest
//! [`Score`](crate::record::Score), a total order, so the answer does not depend on how the search goes about it; the
//! search only has to prove that no node it skipped could be better.

mod census;
mod failures;
mod geo;
mod pending;
pub(crate) mod search;
mod tally;
pub(crate) mod walk;

use fluxplane_core::id::NodeId;

use crate::{
    engine::Engine,
    record::{Choice, DecisionRecord, RULES},
    request::Request,
};
use search::Search;

/// What was decided, and the record of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// One node per placed copy, all different. Fewer than were asked for when `record.pending` says why.
    pub placements: Vec<NodeId>,
    pub record: DecisionRecord,
}

impl Engine {
    /// Decides where the copies of a request go. Changes nothing: what is to be kept must be [reserved](Self::reserve).
    pub fn plan(&self, request: &Request, seed: u64) -> Decision {
        let mut search = Search::new(self, request);
        let filters = search.census();
        let mut choices: Vec<Choice> = Vec::new();
        let mut copies = 0;
        while copies < request.count {
            let start = tie_start(seed, copies);
            let best = search.best(start);
            let mut candidates = best.iter().map(|found| search.candidate(found));
            let Some(chosen) = candidates.next() else {
                break;
            };
            let runners_up = candidates.collect();
            choices.push(Choice { chosen, runners_up });
            search.place(best[0].slot);
            copies += 1;
        }
        let waiting = request.count - copies;
        let pending = (waiting > 0).then(|| search.pending(waiting));
        let state = self.state_digest();
        Decision {
            placements: choices.iter().map(|choice| choice.chosen.node).collect(),
            record: DecisionRecord {
                rules: RULES,
                request: request.clone(),
                seed,
                state,
                inputs: DecisionRecord::inputs_digest(request, seed, state),
                filters,
                choices,
                pending,
            },
        }
    }
}

/// Where on the circle of salts the tie-break of a copy starts.
///
/// Among exact ties the chance of a node is its distance to the one before it on the circle. A node that is chosen
/// becomes fuller and so leaves the tie; no node profits from its place on the circle for long.
pub(crate) fn tie_start(seed: u64, copy: u32) -> u128 {
    let mixed = split_mix(seed ^ split_mix(u64::from(copy)));
    (u128::from(mixed) << 64) | u128::from(split_mix(mixed))
}

/// One step of the `SplitMix64` generator (Steele, Lea and Flood, 2014).
const fn split_mix(state: u64) -> u64 {
    let mut bits = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
