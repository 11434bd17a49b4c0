//! Why a copy found no node, and the smallest change that would place it.
//!
//! A node that exactly one filter removes takes the copy once that filter is relaxed; so one pass over the nodes yields
//! every single change that helps. Only a request that cannot be served pays for the pass.

use super::{
    geo::{ClassVerdict, Verdict},
    search::Search,
};
use crate::{
    engine::intern::at,
    record::{Change, Domain, Filter, NodeWanted, PendingReason},
    request::GeoPattern,
};

/// How much a change hurts; less is smaller. Trimming a quarter of a resource is a small matter; beyond that, a rule is
/// dropped sooner than an application is starved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pain {
    SmallTrim,
    Port,
    Exclusion,
    ForbiddingRule,
    StaticIp,
    Limit,
    AllowingRules,
    Pin,
    LargeTrim,
    Fleet,
}

/// The largest trim that still counts as small, in thousandths of what was asked for.
const SMALL_TRIM_PER_MILLE: u64 = 250;

impl Search<'_> {
    /// Explains why the next copy finds no node.
    pub(crate) fn pending(&self, copies: u32) -> PendingReason {
        let filters = self.census();
        PendingReason {
            copies,
            strictest: filters.strictest(),
            filters,
            change: self.smallest_change(),
        }
    }

    fn smallest_change(&self) -> Option<Change> {
        let mut best: Option<(Pain, u64, u128, u32, Filter)> = None;
        for slot in self.engine.occupied_slots() {
            let Some(filter) = self.only_obstacle(slot) else {
                continue;
            };
            let Some((pain, amount)) = self.pain(slot, filter) else {
                continue;
            };
            // Among equals the salt decides, which depends on nothing but the node.
            let salt = self.engine.hot(slot).salt;
            if best.is_none_or(|(p, a, s, ..)| (pain, amount, salt) < (p, a, s)) {
                best = Some((pain, amount, salt, slot, filter));
            }
        }
        match best {
            Some((.., slot, filter)) => self.change(slot, filter),
            None => self.node_wanted().map(Change::AddNode),
        }
    }

    /// The filter that removes a node, if it is only one.
    fn only_obstacle(&self, slot: u32) -> Option<Filter> {
        let hot = self.engine.hot(slot);
        // Most nodes that a request cannot use lack several things; that is seen without asking every filter.
        let lacking = (0..3).filter(|dimension| hot.free[*dimension] < self.need[*dimension]);
        let refused = self.verdicts[at(hot.class)] == ClassVerdict::Refused;
        let changing = self.request.static_ip && !hot.static_ip;
        let others = [!hot.open, refused, changing].map(usize::from);
        if lacking.count() + others.iter().sum::<usize>() > 1 {
            return None;
        }
        self.failures(slot).only()
    }

    /// How much it hurts to relax the only filter that removes a node, and by how much; `None` when it cannot be relaxed.
    fn pain(&self, slot: u32, filter: Filter) -> Option<(Pain, u64)> {
        let limit = |domain| (Pain::Limit, u64::from(self.copies_in(slot, domain)));
        Some(match filter {
            Filter::State => (Pain::Fleet, 0),
            Filter::Pinned => (Pain::Pin, 0),
            Filter::Excluded => (Pain::Exclusion, 0),
            Filter::Geolocation => match self.verdict(slot) {
                Verdict::ForbiddenBy(_) => (Pain::ForbiddingRule, 0),
                Verdict::NotAllowed => (Pain::AllowingRules, 0),
                Verdict::Permitted | Verdict::Hopeless => return None,
            },
            Filter::StaticIp => (Pain::StaticIp, 0),
            Filter::SameApp => return None,
            Filter::CountryLimit => limit(Domain::Country),
            Filter::OperatorLimit => limit(Domain::Operator),
            Filter::NetworkLimit => limit(Domain::Network),
            Filter::Ports => {
                let conflicts = u64::try_from(self.conflicting_ports(slot).len());
                (Pain::Port, conflicts.expect("a length in memory fits u64"))
            }
            Filter::Cpu => return self.pain_of_trim(slot, 0),
            Filter::Memory => return self.pain_of_trim(slot, 1),
            Filter::Disk => return self.pain_of_trim(slot, 2),
        })
    }

    fn pain_of_trim(&self, slot: u32, dimension: usize) -> Option<(Pain, u64)> {
        let (asked, free) = self.asked_and_free(slot, dimension);
        if free == 0 {
            return None;
        }
        let trim = u128::from(asked - free) * 1_000 / u128::from(asked);
        let trim = u64::try_from(trim).expect("a part of a thousand");
        let small = trim <= SMALL_TRIM_PER_MILLE;
        Some((
            if small {
                Pain::SmallTrim
            } else {
                Pain::LargeTrim
            },
            trim,
        ))
    }

    /// The change that relaxes the only filter that removes a node; `None` when it cannot be relaxed.
    fn change(&self, slot: u32, filter: Filter) -> Option<Change> {
        let node = self.engine.node_at(slot).id;
        let limit = |domain| Change::RaiseLimit {
            domain,
            to: self.copies_in(slot, domain) + 1,
        };
        let trim = |dimension| {
            let (asked, free) = self.asked_and_free(slot, dimension);
            asked - free
        };
        Some(match filter {
            Filter::State => Change::ReturnNode { node },
            Filter::Pinned => Change::AlsoPin { node },
            Filter::Excluded => Change::DropExclusion { node },
            Filter::Geolocation => match self.verdict(slot) {
                Verdict::ForbiddenBy(pattern) => Change::DropForbid {
                    pattern: pattern.clone(),
                },
                Verdict::NotAllowed => Change::DropAllow {
                    patterns: self.request.geo.allow.clone(),
                },
                Verdict::Permitted | Verdict::Hopeless => return None,
            },
            Filter::StaticIp => Change::DropStaticIp,
            // One copy per node is not for sale: two copies on one machine fail together.
            Filter::SameApp => return None,
            Filter::CountryLimit => limit(Domain::Country),
            Filter::OperatorLimit => limit(Domain::Operator),
            Filter::NetworkLimit => limit(Domain::Network),
            Filter::Ports => Change::ChangePorts {
                ports: self.conflicting_ports(slot),
            },
            Filter::Cpu => Change::LowerCpu { by_milli: trim(0) },
            Filter::Memory => Change::LowerMemory { by_mib: trim(1) },
            Filter::Disk => Change::LowerDisk { by_gib: trim(2) },
        })
    }

    pub(crate) fn verdict(&self, slot: u32) -> Verdict<'_> {
        self.rules.judge(self.place_of(self.engine.hot(slot)))
    }

    /// Copies in the failure domain of a node.
    pub(crate) fn copies_in(&self, slot: u32, domain: Domain) -> u32 {
        let hot = self.engine.hot(slot);
        match domain {
            Domain::Operator => self.operators.get(hot.operator),
            Domain::Network => self.networks.get(hot.network),
            Domain::Country => {
                let class = self.engine.classes().get(hot.class);
                self.countries.get(class.key.country)
            }
        }
    }

    /// What the request wants of a resource, and what the node has.
    pub(crate) fn asked_and_free(&self, slot: u32, dimension: usize) -> (u64, u64) {
        let asked = self.request.resources;
        let asked = [asked.cpu_milli, asked.ram_mib, asked.disk_gib];
        (
            asked[dimension],
            u64::from(self.engine.hot(slot).free[dimension]),
        )
    }

    /// Wanted ports that are taken behind the address of a node, by others or by a copy of this decision.
    pub(crate) fn conflicting_ports(&self, slot: u32) -> Vec<u16> {
        let address = self.engine.hot(slot).address;
        let wanted = self.request.ports.iter().copied();
        let own = self.own_addresses.contains(address);
        let mut taken: Vec<u16> = wanted
            .filter(|port| own || self.engine.ports().taken(address, *port))
            .collect();
        taken.sort_unstable();
        taken.dedup();
        taken
    }

    /// What a further node must be like; `None` when the request leaves no room for one.
    fn node_wanted(&self) -> Option<NodeWanted> {
        let (engine, request) = (self.engine, self.request);
        let limits = &request.limits;
        let operators = limits.per_operator.into_iter().flat_map(|limit| {
            let exhausted = self.operators.exhausted(limit.get());
            exhausted.filter_map(|number| engine.operators().key(number).cloned())
        });
        let networks = limits.per_network.into_iter().flat_map(|limit| {
            let exhausted = self.networks.exhausted(limit.get());
            exhausted.filter_map(|number| engine.networks().key(number).copied())
        });
        let other_country_than = self.exhausted_countries();
        let open_place = |pattern: &GeoPattern| {
            let forbidden = request.geo.forbid.iter().any(|rule| rule.contains(pattern));
            let full = |country: &String| pattern.country.as_ref() == Some(country);
            !forbidden && !other_country_than.iter().any(full)
        };
        let somewhere = if request.geo.allow.is_empty() {
            open_place(&GeoPattern::default())
        } else {
            request.geo.allow.iter().any(open_place)
        };
        if !somewhere || self.pinned.is_some() {
            return None;
        }
        let mut wanted = NodeWanted {
            resources: request.resources,
            static_ip: request.static_ip,
            geo: request.geo.clone(),
            other_operator_than: operators.collect(),
            other_network_than: networks.collect(),
            other_country_than,
        };
        wanted.other_operator_than.sort_unstable();
        wanted.other_network_than.sort_unstable();
        Some(wanted)
    }

    fn exhausted_countries(&self) -> Vec<String> {
        let Some(limit) = self.request.limits.per_country else {
            return Vec::new();
        };
        let exhausted: Vec<u32> = self.countries.exhausted(limit.get()).collect();
        let slots = self.occupied.iter().filter(|slot| {
            let class = self.engine.hot(*slot).class;
            exhausted.contains(&self.engine.classes().get(class).key.country)
        });
        let mut names: Vec<String> = slots
            .map(|slot| self.engine.node_at(slot).place.country.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
