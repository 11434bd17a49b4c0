//! Why here, and why not there, in words.

use std::fmt;

use fluxplane_core::id::NodeId;

use crate::{
    digest::Digest,
    engine::Engine,
    node::NodeState,
    plan::{search::Search, tie_start},
    record::{Candidate, Choice, Criterion, DecisionRecord, Domain, Filter, Score},
};

/// What a decision did with one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub node: NodeId,
    pub verdict: Verdict,
    /// The verdict as a sentence or two.
    pub text: String,
}

/// What a decision did with one node, briefly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It took this copy, counted from 1.
    Chosen { copy: u32 },
    /// It could have taken this copy, counted from 1, but another node was better. Of several copies, the first.
    Outranked {
        copy: u32,
        by: NodeId,
        on: Criterion,
    },
    /// These filters removed it, all of them, in the order of the pipeline.
    Removed { filters: Vec<Filter> },
    /// The decision knew no such node.
    Unknown,
}

/// The record alone does not tell, and the state it was made on is not at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "node {node} is not among the candidates that the record keeps, and the engine is in state {found} instead of {recorded}; load the snapshot of that state"
)]
pub struct StateMoved {
    pub node: NodeId,
    pub recorded: Digest,
    pub found: Digest,
}

impl DecisionRecord {
    /// What the record alone tells of a node: something for chosen nodes and runners-up, nothing for others.
    pub fn explain(&self, node: NodeId) -> Option<Explanation> {
        let chosen = |choice: &&Choice| choice.chosen.node == node;
        if let Some((copy, choice)) = (1..).zip(&self.choices).find(|(_, choice)| chosen(choice)) {
            return Some(Explanation {
                node,
                verdict: Verdict::Chosen { copy },
                text: self.why_chosen(copy, choice),
            });
        }
        (1..).zip(&self.choices).find_map(|(copy, choice)| {
            let runner_up = choice
                .runners_up
                .iter()
                .find(|candidate| candidate.node == node)?;
            Some(outranked(copy, runner_up, &choice.chosen))
        })
    }

    fn why_chosen(&self, copy: u32, choice: &Choice) -> String {
        let filters = if copy == 1 {
            format!(" ({})", self.filters)
        } else {
            String::new()
        };
        let reason = match choice.runners_up.first() {
            None => "no other node passed every filter".to_owned(),
            Some(next) => {
                let on = choice.chosen.score.decided_by(&next.score);
                let compared = compare(on, next.score, choice.chosen.score);
                format!("the next best, {}, was worse: {compared}", next.node)
            }
        };
        let Choice { chosen, .. } = choice;
        format!("Node {} took copy {copy}{filters}: {reason}.", chosen.node)
    }
}

impl Engine {
    /// Explains what a decision did with a node. Complete when the engine is in the state the decision was made on;
    /// otherwise as far as the record goes.
    pub fn explain(
        &self,
        record: &DecisionRecord,
        node: NodeId,
    ) -> Result<Explanation, StateMoved> {
        if let Some(explanation) = record.explain(node) {
            return Ok(explanation);
        }
        let found = self.state_digest();
        if found != record.state {
            return Err(StateMoved {
                node,
                recorded: record.state,
                found,
            });
        }
        let Some(slot) = self.slot(node) else {
            return Ok(Explanation {
                node,
                verdict: Verdict::Unknown,
                text: format!("Node {node} was not known when the decision was made."),
            });
        };
        Ok(self.explain_slot(record, node, slot))
    }

    fn explain_slot(&self, record: &DecisionRecord, node: NodeId, slot: u32) -> Explanation {
        let mut search = Search::new(self, &record.request);
        for (copy, choice) in (1..).zip(&record.choices) {
            if search.failures(slot).is_empty() {
                let start = tie_start(record.seed, copy - 1);
                let key = search.key(slot, start);
                let candidate = Candidate {
                    node,
                    score: search.score(key),
                };
                return outranked(copy, &candidate, &choice.chosen);
            }
            if let Some(chosen) = self.slot(choice.chosen.node) {
                search.place(chosen);
            }
        }
        // Placing copies only adds obstacles, so those of the beginning are the ones to name.
        let search = Search::new(self, &record.request);
        let filters: Vec<Filter> = search.failures(slot).iter().collect();
        let reasons: Vec<String> = filters
            .iter()
            .map(|filter| search.complaint(slot, *filter))
            .collect();
        let text = if reasons.is_empty() {
            format!("Node {node} passed every filter, but no copy was asked for.")
        } else {
            format!("Node {node} was no candidate: {}.", reasons.join("; "))
        };
        Explanation {
            node,
            verdict: Verdict::Removed { filters },
            text,
        }
    }
}

impl Search<'_> {
    /// What a filter has against a node, in words.
    fn complaint(&self, slot: u32, filter: Filter) -> String {
        let node = self.engine().node_at(slot);
        let limit = |domain: Domain, name: &dyn fmt::Display| {
            let copies = self.copies_in(slot, domain);
            format!("its {domain} {name} carries {copies} copies, no more are allowed")
        };
        let lacks = |resource: &str, unit: &str| {
            let dimension = filter.dimension().unwrap_or_default();
            let (asked, free) = self.asked_and_free(slot, dimension);
            format!("it has {free} {unit} {resource} free, {asked} are needed")
        };
        match filter {
            Filter::State => match node.state {
                NodeState::Gone => "it is gone".to_owned(),
                NodeState::Cordoned | NodeState::Schedulable => "it is cordoned".to_owned(),
            },
            Filter::Pinned => "the request names its nodes, and this is none of them".to_owned(),
            Filter::Excluded => "the request excludes it".to_owned(),
            Filter::Geolocation => {
                let place = &node.place;
                format!(
                    "the geolocation rules do not allow {}_{}_{}",
                    place.continent, place.country, place.region
                )
            }
            Filter::StaticIp => "its address may change, a static one is wanted".to_owned(),
            Filter::CountryLimit => limit(Domain::Country, &node.place.country),
            Filter::SameApp => "it carries a copy of the application".to_owned(),
            Filter::OperatorLimit => limit(Domain::Operator, &node.operator),
            Filter::NetworkLimit => limit(Domain::Network, &node.network),
            Filter::Ports => {
                let ports = self.conflicting_ports(slot);
                format!("ports {ports:?} are taken behind its address {}", node.ip)
            }
            Filter::Cpu => lacks("cpu", "thousandths of"),
            Filter::Memory => lacks("memory", "MiB"),
            Filter::Disk => lacks("disk", "GiB"),
        }
    }
}

fn outranked(copy: u32, candidate: &Candidate, chosen: &Candidate) -> Explanation {
    let Candidate { node, score } = *candidate;
    let on = score.decided_by(&chosen.score);
    let compared = compare(on, score, chosen.score);
    Explanation {
        node,
        verdict: Verdict::Outranked {
            copy,
            by: chosen.node,
            on,
        },
        text: format!(
            "Node {node} passed every filter for copy {copy}, but {} was better: {compared}.",
            chosen.node
        ),
    }
}

/// The part of two scores that decided, first the one the sentence is about.
fn compare(on: Criterion, own: Score, other: Score) -> String {
    let copies = |domain: &str, own: u32, other: u32| {
        format!("its {domain} carries {own} copies against {other}")
    };
    match on {
        Criterion::Operator => copies("operator", own.operator_copies, other.operator_copies),
        Criterion::Network => copies("network", own.network_copies, other.network_copies),
        Criterion::Country => copies("country", own.country_copies, other.country_copies),
        Criterion::Tier => copies("tier", own.tier_copies, other.tier_copies),
        Criterion::LeftOver => format!(
            "it would have {} volume left over against {}; less is better",
            own.left_over, other.left_over
        ),
        Criterion::TieBreak => "all else was equal and the seed decided".to_owned(),
    }
}
