//! One walk over a class, and the few candidates worth keeping.

use std::ops::ControlFlow;

use super::{
    geo::PlaceKey,
    search::{Search, full},
};
use crate::{
    engine::{
        blocks::{Entry, Visitor},
        class::ClassKey,
    },
    record::Score,
};

/// How many candidates are kept per copy: the chosen one and two runners-up, enough to see what decided.
const KEPT: usize = 3;

/// A candidate with its full score.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub key: Key,
    pub slot: u32,
}

/// A score in comparable form: the four counts of copies in one number, most weighty first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    spread: u128,
    volume: u64,
    tie: u128,
}

impl Key {
    pub(super) fn new(counts: [u32; 4], volume: u64, tie: u128) -> Self {
        let spread = counts
            .into_iter()
            .fold(0, |high, count| (high << 32) | u128::from(count));
        Self {
            spread,
            volume,
            tie,
        }
    }

    /// The score in readable parts, for a request of the given volume.
    pub(super) fn score(self, request: u64) -> Score {
        let count = |shift: u32| {
            let count = (self.spread >> shift) & u128::from(u32::MAX);
            u32::try_from(count).expect("masked to 32 bits")
        };
        Score {
            operator_copies: count(96),
            network_copies: count(64),
            country_copies: count(32),
            tier_copies: count(0),
            left_over: self.volume.saturating_sub(request),
            tie_break: u64::try_from(self.tie >> 64).expect("64 bits are left"),
        }
    }
}

/// The best candidates so far, best first.
#[derive(Default)]
pub(super) struct Top(Vec<Found>);

impl Top {
    pub(super) fn best(&self) -> Option<&Found> {
        self.0.first()
    }

    pub(super) fn into_found(self) -> Vec<Found> {
        self.0
    }

    pub(super) fn offer(&mut self, found: Found) {
        let position = self.0.partition_point(|other| other.key < found.key);
        if position < KEPT {
            self.0.insert(position, found);
            self.0.truncate(KEPT);
        }
    }

    /// Whether a candidate with this key would be kept.
    fn takes(&self, key: Key) -> bool {
        self.0.len() < KEPT || self.0.last().is_some_and(|last| key < last.key)
    }
}

/// A walk over one class.
pub(super) struct Walk<'s, 'a> {
    pub(super) search: &'s Search<'a>,
    pub(super) top: &'s mut Top,
    pub(super) start: u128,
    /// Copies in the country and the tier of the class.
    pub(super) counts: (u32, u32),
    /// The class, when its nodes must be judged one by one by region.
    pub(super) judged_by: Option<ClassKey>,
}

impl Walk<'_, '_> {
    /// The best key a node of this volume and tie-break could have.
    fn at_best(&self, volume: u64, tie: u128) -> Key {
        let (operator, network) = self.search.floor;
        Key::new(
            [operator, network, self.counts.0, self.counts.1],
            volume,
            tie,
        )
    }

    fn place_refused(&self, entry: &Entry) -> bool {
        (self.search.request.static_ip && !entry.static_ip)
            || self.judged_by.is_some_and(|class| {
                !self.search.rules.permits(PlaceKey {
                    continent: class.continent,
                    country: class.country,
                    region: entry.region,
                })
            })
    }
}

impl Visitor for Walk<'_, '_> {
    fn worth(&self, volume: u64) -> bool {
        self.top.takes(self.at_best(volume, 0))
    }

    fn visit(&mut self, entry: &Entry) -> ControlFlow<()> {
        let tie = entry.salt.wrapping_sub(self.start);
        if !self.top.takes(self.at_best(entry.volume, tie)) {
            return ControlFlow::Break(());
        }
        let search = self.search;
        let limits = &search.request.limits;
        let operator = search.operators.get(entry.operator);
        let network = search.networks.get(entry.network);
        if full(operator, limits.per_operator)
            || full(network, limits.per_network)
            || search.closed.contains(entry.node)
            || self.place_refused(entry)
        {
            return ControlFlow::Continue(());
        }
        let counts = [operator, network, self.counts.0, self.counts.1];
        self.top.offer(Found {
            key: Key::new(counts, entry.volume, tie),
            slot: entry.node,
        });
        ControlFlow::Continue(())
    }
}
