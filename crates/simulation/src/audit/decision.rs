//! One decision, looked at copy by copy and node by node.

use std::collections::{BTreeMap, BTreeSet};

use fluxplane_core::{id::NodeId, place::Network};
use fluxplane_placement::{DecisionRecord, NodeState, Pin, Request};

use super::{
    books::{Booked, Books},
    rule::{Rule, Violation},
};
use crate::journal::short;

/// What stands in the books, and the copies that the decision has placed so far.
struct Scene<'a> {
    books: &'a Books,
    request: &'a Request,
    carriers: BTreeSet<NodeId>,
    operators: BTreeMap<&'a str, u32>,
    networks: BTreeMap<Network, u32>,
    /// Addresses at which this decision has taken the wanted ports.
    ports_taken: BTreeSet<std::net::IpAddr>,
}

/// Everything that is wrong with a decision made on these books.
pub(super) fn check(books: &Books, record: &DecisionRecord) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut scene = Scene::new(books, &record.request);
    let app = short(record.request.app);
    for choice in &record.choices {
        let node = choice.chosen.node;
        let Some(booked) = books.node(node) else {
            found.push(violation(
                Rule::ReadyNodesOnly,
                format!("app {app} goes to node {}, which nobody knows", short(node)),
            ));
            continue;
        };
        if let Some(rule) = scene.objection(booked) {
            found.push(violation(
                rule,
                format!("app {app} goes to node {}", short(node)),
            ));
        }
        let copies = scene.copies_near(booked);
        let score = choice.chosen.score;
        let recorded = (score.operator_copies, score.network_copies);
        if recorded != copies {
            let text = format!(
                "app {app} on node {}: {copies:?} copies at its operator and in its network, the record says {recorded:?}",
                short(node)
            );
            found.push(violation(Rule::Spread, text));
        }
        if let Some(better) = scene.better_spread(copies) {
            let text = format!(
                "app {app} goes to node {} with {copies:?} copies at its operator and in its network; node {} has {:?}",
                short(node),
                short(better.node.id),
                scene.copies_near(better)
            );
            found.push(violation(Rule::Spread, text));
        }
        scene.place(booked);
    }
    let waiting = usize::try_from(record.request.count).unwrap_or(0) - record.choices.len();
    let told = record.pending.as_ref().map_or(0, |pending| pending.copies);
    if usize::try_from(told).ok() != Some(waiting) {
        let text = format!("app {app}: {waiting} copies wait, the record says {told}");
        found.push(violation(Rule::WaitsInVainOnly, text));
    }
    if waiting > 0
        && let Some(free) = scene.candidates().next()
    {
        let text = format!(
            "app {app} waits though node {} could take it",
            short(free.node.id)
        );
        found.push(violation(Rule::WaitsInVainOnly, text));
    }
    found
}

/// A node that would take one more copy now.
pub(super) fn anywhere(books: &Books, request: &Request) -> Option<NodeId> {
    let scene = Scene::new(books, request);
    let free = scene.candidates().next();
    free.map(|booked| booked.node.id)
}

impl<'a> Scene<'a> {
    fn new(books: &'a Books, request: &'a Request) -> Self {
        let mut scene = Self {
            books,
            request,
            carriers: BTreeSet::new(),
            operators: BTreeMap::new(),
            networks: BTreeMap::new(),
            ports_taken: BTreeSet::new(),
        };
        for room in books.rooms(request.app) {
            scene.carriers.insert(room.node);
            // A lost node's copy protects nobody any more.
            let live = books.node(room.node);
            if let Some(booked) = live.filter(|booked| booked.node.state != NodeState::Gone) {
                scene.count(booked);
            }
        }
        scene
    }

    fn count(&mut self, booked: &'a Booked) {
        *self.operators.entry(&booked.node.operator).or_default() += 1;
        *self.networks.entry(booked.node.network).or_default() += 1;
    }

    fn place(&mut self, booked: &'a Booked) {
        self.count(booked);
        self.carriers.insert(booked.node.id);
        if !self.request.ports.is_empty() {
            self.ports_taken.insert(booked.node.ip);
        }
    }

    fn copies_near(&self, booked: &Booked) -> (u32, u32) {
        let operator = self.operators.get(booked.node.operator.as_str());
        let network = self.networks.get(&booked.node.network);
        (
            operator.copied().unwrap_or(0),
            network.copied().unwrap_or(0),
        )
    }

    /// The rule that a copy on this node would break.
    fn objection(&self, booked: &Booked) -> Option<Rule> {
        let (node, request) = (&booked.node, self.request);
        if node.state != NodeState::Schedulable {
            return Some(Rule::ReadyNodesOnly);
        }
        if self.carriers.contains(&node.id) {
            return Some(Rule::OneCopyPerNode);
        }
        let free = node.capacity.saturating_sub(booked.used);
        if !free.covers(request.resources) {
            return Some(Rule::Capacity);
        }
        let named = |pin: &Pin| match pin {
            Pin::Node(id) => *id == node.id,
            Pin::Outpoint(outpoint) => *outpoint == node.outpoint,
            Pin::Ip(ip) => *ip == node.ip,
        };
        let pinned = request.pinned.is_empty() || request.pinned.iter().any(named);
        let placed = request.geo.permits(&node.place);
        if !pinned || !placed || (request.static_ip && !node.static_ip) {
            return Some(Rule::Constraints);
        }
        let taken = |port: &u16| self.books.port_taken(node.ip, *port);
        let ports = self.ports_taken.contains(&node.ip) || request.ports.iter().any(taken);
        ports.then_some(Rule::Ports)
    }

    fn candidates(&self) -> impl Iterator<Item = &'a Booked> {
        let nodes = self.books.nodes.iter();
        nodes.filter(|booked| self.objection(booked).is_none())
    }

    /// A node that could take the copy and stands further from the others.
    fn better_spread(&self, copies: (u32, u32)) -> Option<&'a Booked> {
        if copies == (0, 0) {
            return None;
        }
        let nodes = self.books.nodes.iter();
        let mut better = nodes.filter(|booked| self.copies_near(booked) < copies);
        better.find(|booked| self.objection(booked).is_none())
    }
}

fn violation(rule: Rule, text: String) -> Violation {
    Violation { rule, text }
}
