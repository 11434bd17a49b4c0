//! Finding the best node without looking at every node.
//!
//! Within a class the nodes come in order of fit, so the first acceptable node at an operator and in a network with as
//! few copies as can be is the best of its class, and the walk ends there. How few that is, is known beforehand: no node
//! is below the operator and the network with the fewest copies, and none below the best node of the copy before,
//! because counts only rise while a request is served.

use std::num::NonZeroU32;

use super::{
    failures::Failures,
    geo::{ClassVerdict, PlaceKey, Rules},
    tally::Tally,
    walk::{Found, Key, Top, Walk},
};
use crate::{
    bits::Bits,
    engine::{
        Engine, Hot, amounts,
        blocks::{Amounts, Visitor, shortage},
        intern::at,
        volume,
    },
    record::{Candidate, Filter, Score},
    request::{Pin, Request},
};

/// The state of a request being served: its rules in numbers, and the copies of its application so far.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    pub(super) engine: &'a Engine,
    pub(super) request: &'a Request,
    pub(super) need: Amounts,
    pub(super) rules: Rules,
    /// Slots the request names, if it names any.
    pub(super) pinned: Option<Bits>,
    pub(super) excluded: Bits,
    /// Slots that carry a copy.
    pub(super) occupied: Bits,
    /// Slots with a wanted port taken.
    pub(super) port_blocked: Bits,
    /// Addresses that a copy of this decision takes all wanted ports of.
    pub(super) own_addresses: Bits,
    /// The union of the three sets of slots that are closed to the request.
    pub(super) closed: Bits,
    pub(super) operators: Tally,
    pub(super) networks: Tally,
    pub(super) countries: Tally,
    tiers: [u32; 3],
    /// What the geolocation rules say of each class.
    pub(super) verdicts: Vec<ClassVerdict>,
    /// Classes that they do not refuse and that are not empty.
    eligible: Vec<Eligible>,
    /// No node has fewer copies at its operator and, among those, in its network.
    pub(super) floor: (u32, u32),
}

/// A class that may hold candidates.
#[derive(Debug, Clone, Copy)]
struct Eligible {
    number: u32,
    country: u32,
    tier: usize,
    /// The smallest free volume of its nodes.
    smallest: u64,
    /// Whether its nodes must be judged one by one by region.
    by_region: bool,
}

impl<'a> Search<'a> {
    pub(crate) fn new(engine: &'a Engine, request: &'a Request) -> Self {
        let mut search = Self {
            engine,
            request,
            need: amounts(request.resources),
            rules: Rules::new(&request.geo, engine.classes()),
            pinned: None,
            excluded: Bits::default(),
            occupied: Bits::default(),
            port_blocked: Bits::default(),
            own_addresses: Bits::default(),
            closed: Bits::default(),
            operators: Tally::new(engine.operators().size()),
            networks: Tally::new(engine.networks().size()),
            countries: Tally::new(engine.classes().countries.len()),
            tiers: [0; 3],
            verdicts: Vec::with_capacity(engine.classes().len()),
            eligible: Vec::with_capacity(engine.classes().len()),
            floor: (0, 0),
        };
        search.judge_classes();
        search.resolve_names();
        search.block_ports();
        let existing = request.existing.iter().filter_map(|id| engine.slot(*id));
        for slot in engine.copy_slots(request.app).chain(existing) {
            search.count_copy(slot);
        }
        search
    }

    fn judge_classes(&mut self) {
        for (number, class) in (0..).zip(self.engine.classes().iter()) {
            let verdict = self.rules.judge_class(class.key);
            self.verdicts.push(verdict);
            if verdict != ClassVerdict::Refused
                && let Some(smallest) = class.open.smallest_volume()
            {
                self.eligible.push(Eligible {
                    number,
                    country: class.key.country,
                    tier: tier_index(class.key.tier),
                    smallest,
                    by_region: verdict == ClassVerdict::ByRegion,
                });
            }
        }
    }

    fn resolve_names(&mut self) {
        let engine = self.engine;
        for slot in self
            .request
            .exclude
            .iter()
            .filter_map(|id| engine.slot(*id))
        {
            self.excluded.insert(slot);
            self.closed.insert(slot);
        }
        if self.request.pinned.is_empty() {
            return;
        }
        let mut pinned = Bits::default();
        for pin in &self.request.pinned {
            match pin {
                Pin::Node(id) => engine.slot(*id).into_iter().for_each(|slot| {
                    pinned.insert(slot);
                }),
                Pin::Outpoint(outpoint) => {
                    for slot in engine.slots_by_outpoint(outpoint) {
                        pinned.insert(*slot);
                    }
                }
                Pin::Ip(ip) => {
                    for slot in engine.slots_by_address(ip) {
                        pinned.insert(*slot);
                    }
                }
            }
        }
        self.pinned = Some(pinned);
    }

    fn block_ports(&mut self) {
        let engine = self.engine;
        for port in &self.request.ports {
            for address in engine.ports().addresses(*port) {
                self.block_address(address);
            }
        }
    }

    fn block_address(&mut self, address: u32) {
        for slot in self.engine.addresses().members(address) {
            self.port_blocked.insert(*slot);
            self.closed.insert(*slot);
        }
    }

    /// Counts a copy that runs, or is about to. A node counts once, and a lost node not at all.
    fn count_copy(&mut self, slot: u32) {
        let hot = *self.engine.hot(slot);
        self.closed.insert(slot);
        if !self.occupied.insert(slot) || hot.gone {
            return;
        }
        let class = self.engine.classes().get(hot.class).key;
        self.operators.add(hot.operator);
        self.networks.add(hot.network);
        self.countries.add(class.country);
        self.tiers[tier_index(class.tier)] += 1;
    }

    /// Puts a copy on a node, for the copies that follow.
    pub(crate) fn place(&mut self, slot: u32) {
        self.count_copy(slot);
        if !self.request.ports.is_empty() {
            let address = self.engine.hot(slot).address;
            self.own_addresses.insert(address);
            self.block_address(address);
        }
    }

    /// The best candidates, best first; empty when no node passes every filter.
    pub(crate) fn best(&mut self, start: u128) -> Vec<Found> {
        let fewest = (
            self.operators.smallest(self.engine.operators()),
            self.networks.smallest(self.engine.networks()),
        );
        self.floor = self.floor.max(fewest);
        let mut top = Top::default();
        if let Some(pinned) = &self.pinned {
            for slot in pinned.iter().filter(|slot| self.failures(*slot).is_empty()) {
                let key = self.key(slot, start);
                top.offer(Found { key, slot });
            }
        } else {
            self.search_classes(start, &mut top);
        }
        if let Some(found) = top.best() {
            let hot = self.engine.hot(found.slot);
            self.floor = (
                self.operators.get(hot.operator),
                self.networks.get(hot.network),
            );
        }
        top.into_found()
    }

    /// Walks the classes with the fewest copies in country and tier first: what they yield bounds the rest.
    fn search_classes(&self, start: u128, top: &mut Top) {
        let limit = self
            .request
            .limits
            .per_country
            .map_or(u32::MAX, NonZeroU32::get);
        let counts = |class: &Eligible| (self.countries.get(class.country), self.tiers[class.tier]);
        let open = |(country, _): &(u32, u32)| *country < limit;
        let fewest = self.eligible.iter().map(counts).filter(open).min();
        for first in [true, false] {
            for class in &self.eligible {
                let counts = counts(class);
                if open(&counts) && (Some(counts) == fewest) == first {
                    self.search_class(class, counts, start, top);
                }
            }
        }
    }

    fn search_class(&self, class: &Eligible, counts: (u32, u32), start: u128, top: &mut Top) {
        let mut walk = Walk {
            search: self,
            top,
            start,
            counts,
            judged_by: class
                .by_region
                .then(|| self.engine.classes().get(class.number).key),
        };
        if walk.worth(class.smallest) {
            let open = &self.engine.classes().get(class.number).open;
            open.walk(self.need, start, &mut walk);
        }
    }

    /// Every filter that removes a node.
    pub(crate) fn failures(&self, slot: u32) -> Failures {
        let hot = self.engine.hot(slot);
        let country = self.engine.classes().get(hot.class).key.country;
        let limits = &self.request.limits;
        let unpinned = self
            .pinned
            .as_ref()
            .is_some_and(|pinned| !pinned.contains(slot));
        let mut failures = Failures::default();
        failures.add(Filter::State, !hot.open);
        failures.add(Filter::Pinned, unpinned);
        failures.add(Filter::Excluded, self.excluded.contains(slot));
        failures.add(Filter::Geolocation, !self.place_permitted(hot));
        failures.add(Filter::StaticIp, self.request.static_ip && !hot.static_ip);
        failures.add(
            Filter::CountryLimit,
            full(self.countries.get(country), limits.per_country),
        );
        failures.add(Filter::SameApp, self.occupied.contains(slot));
        failures.add(
            Filter::OperatorLimit,
            full(self.operators.get(hot.operator), limits.per_operator),
        );
        failures.add(
            Filter::NetworkLimit,
            full(self.networks.get(hot.network), limits.per_network),
        );
        failures.add(Filter::Ports, self.port_blocked.contains(slot));
        failures.add(Filter::Cpu, hot.free[0] < self.need[0]);
        failures.add(Filter::Memory, hot.free[1] < self.need[1]);
        failures.add(Filter::Disk, hot.free[2] < self.need[2]);
        failures
    }

    fn place_permitted(&self, hot: &Hot) -> bool {
        match self.verdicts[at(hot.class)] {
            ClassVerdict::Permitted => true,
            ClassVerdict::Refused => false,
            ClassVerdict::ByRegion => self.rules.permits(self.place_of(hot)),
        }
    }

    pub(super) fn place_of(&self, hot: &Hot) -> PlaceKey {
        let class = self.engine.classes().get(hot.class).key;
        PlaceKey {
            continent: class.continent,
            country: class.country,
            region: hot.region,
        }
    }

    /// The score of a node, whether it passes the filters or not.
    pub(crate) fn key(&self, slot: u32, start: u128) -> Key {
        let hot = self.engine.hot(slot);
        let class = self.engine.classes().get(hot.class).key;
        let counts = [
            self.operators.get(hot.operator),
            self.networks.get(hot.network),
            self.countries.get(class.country),
            self.tiers[tier_index(class.tier)],
        ];
        Key::new(counts, hot.volume, hot.salt.wrapping_sub(start))
    }

    pub(crate) fn candidate(&self, found: &Found) -> Candidate {
        Candidate {
            node: self.engine.node_at(found.slot).id,
            score: self.score(found.key),
        }
    }

    pub(crate) fn score(&self, key: Key) -> Score {
        key.score(volume(self.request.resources))
    }

    /// The first of the filters of place and address that removes a node.
    pub(super) fn place_filter(&self, hot: &Hot) -> Option<Filter> {
        if !self.place_permitted(hot) {
            return Some(Filter::Geolocation);
        }
        if self.request.static_ip && !hot.static_ip {
            return Some(Filter::StaticIp);
        }
        let country = self.engine.classes().get(hot.class).key.country;
        self.country_full(country).then_some(Filter::CountryLimit)
    }

    pub(super) fn country_full(&self, country: u32) -> bool {
        full(self.countries.get(country), self.request.limits.per_country)
    }

    /// The first capacity filter that removes a node.
    pub(super) fn capacity_filter(&self, hot: &Hot) -> Option<Filter> {
        shortage(hot.free, self.need).map(dimension_filter)
    }

    pub(crate) fn engine(&self) -> &'a Engine {
        self.engine
    }
}

pub(super) fn dimension_filter(dimension: usize) -> Filter {
    [Filter::Cpu, Filter::Memory, Filter::Disk][dimension]
}

fn tier_index(tier: fluxplane_core::Tier) -> usize {
    usize::from(tier.number()) - 1
}

/// Whether a failure domain carries as many copies as allowed.
pub(super) fn full(copies: u32, limit: Option<NonZeroU32>) -> bool {
    limit.is_some_and(|limit| copies >= limit.get())
}
