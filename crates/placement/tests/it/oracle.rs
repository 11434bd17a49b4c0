//! A second implementation of the rules, written for clearness: it looks at every node for every copy.

use std::collections::BTreeMap;

use fluxplane_core::{Resources, Tier, id::NodeId};
use fluxplane_placement::{
    Engine, Filter, Node, NodeState, Pin, Request, Snapshot, engine::volume, record::Score,
};

/// A state and the copies a decision has placed on it so far.
pub(crate) struct Oracle<'a> {
    snapshot: &'a Snapshot,
    request: &'a Request,
    placed: Vec<NodeId>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, request: &'a Request) -> Self {
        Self {
            snapshot,
            request,
            placed: Vec::new(),
        }
    }

    pub(crate) fn place(&mut self, node: NodeId) {
        self.placed.push(node);
    }

    fn node(&self, id: NodeId) -> Option<&'a Node> {
        self.snapshot.nodes.iter().find(|node| node.id == id)
    }

    fn free(&self, node: &Node) -> Resources {
        let reservations = self.snapshot.reservations.iter();
        let own = reservations.filter(|reservation| reservation.node == node.id);
        let used = own.fold(Resources::ZERO, |used, reservation| {
            used.checked_add(reservation.resources).unwrap()
        });
        node.capacity.saturating_sub(used)
    }

    /// Nodes that carry a copy, lost ones included.
    fn carriers(&self) -> Vec<&'a Node> {
        let reservations = self.snapshot.reservations.iter();
        let own = reservations.filter(|reservation| reservation.app == self.request.app);
        let mut ids: Vec<NodeId> = own.map(|reservation| reservation.node).collect();
        ids.extend(&self.request.existing);
        ids.extend(&self.placed);
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|id| self.node(id)).collect()
    }

    fn copies(&self, alike: impl Fn(&Node) -> bool) -> u32 {
        let live = |node: &&&Node| node.state != NodeState::Gone && alike(node);
        self.carriers()
            .iter()
            .filter(live)
            .count()
            .try_into()
            .unwrap()
    }

    fn port_taken(&self, node: &Node) -> bool {
        let wanted = |port: &u16| self.request.ports.contains(port);
        let neighbour = |id: NodeId| self.node(id).is_some_and(|other| other.ip == node.ip);
        let by_nodes = self
            .snapshot
            .nodes
            .iter()
            .filter(|other| other.ip == node.ip);
        let by_nodes = by_nodes.flat_map(|other| &other.ports_in_use).any(wanted);
        let by_reservations =
            self.snapshot.reservations.iter().any(|reservation| {
                neighbour(reservation.node) && reservation.ports.iter().any(wanted)
            });
        let by_placed =
            !self.request.ports.is_empty() && self.placed.iter().copied().any(neighbour);
        by_nodes || by_reservations || by_placed
    }

    /// The first filter of the pipeline that removes a node.
    pub(crate) fn removed_by(&self, node: &Node) -> Option<Filter> {
        let request = self.request;
        let pinned = |pin: &Pin| match pin {
            Pin::Node(id) => *id == node.id,
            Pin::Outpoint(outpoint) => *outpoint == node.outpoint,
            Pin::Ip(ip) => *ip == node.ip,
        };
        let full = |limit: Option<std::num::NonZeroU32>, copies: u32| {
            limit.is_some_and(|limit| copies >= limit.get())
        };
        let limits = &request.limits;
        let (free, need) = (self.free(node), request.resources);
        let fails = |filter: &Filter| match filter {
            Filter::State => node.state != NodeState::Schedulable,
            Filter::Pinned => !request.pinned.is_empty() && !request.pinned.iter().any(pinned),
            Filter::Excluded => request.exclude.contains(&node.id),
            Filter::Geolocation => !request.geo.permits(&node.place),
            Filter::StaticIp => request.static_ip && !node.static_ip,
            Filter::CountryLimit => full(
                limits.per_country,
                self.copies(|other| other.place.country == node.place.country),
            ),
            Filter::SameApp => self.carriers().iter().any(|other| other.id == node.id),
            Filter::OperatorLimit => full(
                limits.per_operator,
                self.copies(|other| other.operator == node.operator),
            ),
            Filter::NetworkLimit => full(
                limits.per_network,
                self.copies(|other| other.network == node.network),
            ),
            Filter::Ports => self.port_taken(node),
            Filter::Cpu => free.cpu_milli < need.cpu_milli,
            Filter::Memory => free.ram_mib < need.ram_mib,
            Filter::Disk => free.disk_gib < need.disk_gib,
        };
        Filter::PIPELINE.into_iter().find(fails)
    }

    /// The score of a node, all but the tie-break.
    pub(crate) fn score(&self, node: &Node) -> Score {
        Score {
            operator_copies: self.copies(|other| other.operator == node.operator),
            network_copies: self.copies(|other| other.network == node.network),
            country_copies: self.copies(|other| other.place.country == node.place.country),
            tier_copies: self.copies(|other: &Node| -> bool { tier(other) == tier(node) }),
            left_over: volume(self.free(node)) - volume(self.request.resources),
            tie_break: 0,
        }
    }

    pub(crate) fn counts(&self) -> (BTreeMap<Filter, u32>, u32) {
        let mut removed = BTreeMap::new();
        let mut left = 0;
        for node in &self.snapshot.nodes {
            match self.removed_by(node) {
                Some(filter) => *removed.entry(filter).or_default() += 1,
                None => left += 1,
            }
        }
        (removed, left)
    }

    /// The scores of all candidates, best first.
    pub(crate) fn ranking(&self) -> Vec<Score> {
        let candidates = self.snapshot.nodes.iter();
        let candidates = candidates.filter(|node| self.removed_by(node).is_none());
        let mut scores: Vec<Score> = candidates.map(|node| self.score(node)).collect();
        scores.sort_unstable();
        scores
    }
}

fn tier(node: &Node) -> Tier {
    node.tier
}

/// Checks a whole decision against the second implementation.
pub(crate) fn check_decision(engine: &Engine, request: &Request, seed: u64) {
    let snapshot = engine.snapshot();
    let decision = engine.plan(request, seed);
    let record = &decision.record;
    let mut oracle = Oracle::new(&snapshot, request);
    let (removed, left) = oracle.counts();
    let nodes: u32 = snapshot.nodes.len().try_into().unwrap();
    assert_eq!(
        (
            &record.filters.removed,
            record.filters.left,
            record.filters.considered
        ),
        (&removed, left, nodes)
    );
    for choice in &record.choices {
        let kept = std::iter::once(&choice.chosen).chain(&choice.runners_up);
        let mut previous = None;
        let mut scores = Vec::new();
        for candidate in kept {
            let node = oracle.node(candidate.node).unwrap();
            assert_eq!(oracle.removed_by(node), None, "{node:?}");
            let score = Score {
                tie_break: 0,
                ..candidate.score
            };
            assert_eq!(score, oracle.score(node));
            assert!(
                previous <= Some(candidate.score),
                "candidates come best first"
            );
            previous = Some(candidate.score);
            scores.push(score);
        }
        let mut ranking = oracle.ranking();
        ranking.truncate(3);
        assert_eq!(scores, ranking, "the three best are the three best");
        oracle.place(choice.chosen.node);
    }
    let placed: u32 = decision.placements.len().try_into().unwrap();
    assert_eq!(
        record.pending.as_ref().map_or(0, |p| p.copies),
        request.count - placed
    );
    if let Some(pending) = &record.pending {
        let (removed, left) = oracle.counts();
        assert_eq!(left, 0, "a copy waits although a node would take it");
        assert_eq!(
            (&pending.filters.removed, pending.filters.left),
            (&removed, 0)
        );
    }
}
