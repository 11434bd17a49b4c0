//! Candidates and what made one better than another.

use fluxplane_core::id::NodeId;
use serde::{Deserialize, Serialize};

use crate::canonical::Canonical;

/// One placed copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub chosen: Candidate,
    /// The next best, best first.
    pub runners_up: Vec<Candidate>,
}

/// A node that passed every filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub node: NodeId,
    pub score: Score,
}

impl Candidate {
    pub(super) fn write(&self, form: &mut Canonical) {
        let score = self.score;
        form.wide(self.node.uuid().as_u128())
            .number(score.operator_copies)
            .number(score.network_copies)
            .number(score.country_copies)
            .number(score.tier_copies)
            .number(score.left_over)
            .number(score.tie_break);
    }
}

/// The parts of a score in order of weight; a smaller part is better, and a later part counts only when all earlier
/// ones are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Score {
    /// Copies of the application at the operator, before this one.
    pub operator_copies: u32,
    /// In the provider network.
    pub network_copies: u32,
    /// In the country.
    pub country_copies: u32,
    /// On nodes of the tier.
    pub tier_copies: u32,
    /// Free volume after the placement ([`crate::engine::volume`]).
    pub left_over: u64,
    /// Distance from the start that the seed chose; the leading 64 bits.
    pub tie_break: u64,
}

/// A part of a [`Score`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    Operator,
    Network,
    Country,
    Tier,
    LeftOver,
    TieBreak,
}

impl Score {
    /// The part that makes `self` and `other` differ.
    pub fn decided_by(&self, other: &Self) -> Criterion {
        let parts = [
            (
                self.operator_copies != other.operator_copies,
                Criterion::Operator,
            ),
            (
                self.network_copies != other.network_copies,
                Criterion::Network,
            ),
            (
                self.country_copies != other.country_copies,
                Criterion::Country,
            ),
            (self.tier_copies != other.tier_copies, Criterion::Tier),
            (self.left_over != other.left_over, Criterion::LeftOver),
        ];
        let first = parts
            .into_iter()
            .find_map(|(differs, part)| differs.then_some(part));
        first.unwrap_or(Criterion::TieBreak)
    }
}
