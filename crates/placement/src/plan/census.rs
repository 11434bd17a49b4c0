//! Exact numbers of nodes removed by each filter.
//!
//! Filters of place and address are counted by class, capacity by block; both as if no filter by name existed. Then every
//! node that an earlier filter removed is taken out of the later counts one by one. The cost is that of the nodes
//! removed by name, copy, limit or port, which are few, and not that of the fleet.

use std::{collections::BTreeMap, num::NonZeroU32};

use super::{
    geo::ClassVerdict,
    search::{Search, dimension_filter},
};
use crate::{
    bits::Bits,
    engine::intern::index,
    record::{Filter, FilterCounts},
};

impl Search<'_> {
    /// What each filter removes in the present state.
    pub(crate) fn census(&self) -> FilterCounts {
        let considered = index(self.engine.node_count());
        let mut counts = Counts::default();
        *counts.of(Filter::State) += considered - self.engine.open_nodes();
        if self.pinned.is_some() {
            self.count_pinned(&mut counts);
        } else {
            self.count_classes(&mut counts);
            self.count_named(&mut counts);
        }
        counts.finish(considered)
    }

    fn count_pinned(&self, counts: &mut Counts) {
        let pinned = self.pinned.iter().flat_map(Bits::iter);
        let mut open = 0;
        for slot in pinned.filter(|slot| self.engine.hot(*slot).open) {
            open += 1;
            if let Some(filter) = self.failures(slot).first() {
                *counts.of(filter) += 1;
            }
        }
        *counts.of(Filter::Pinned) += self.engine.open_nodes() - open;
    }

    fn count_classes(&self, counts: &mut Counts) {
        let static_wanted = self.request.static_ip;
        for (class, verdict) in self.engine.classes().iter().zip(&self.verdicts) {
            let open = &class.open;
            match verdict {
                ClassVerdict::Refused => *counts.of(Filter::Geolocation) += index(open.len()),
                ClassVerdict::ByRegion => {
                    for (entry, _) in open.iter() {
                        let hot = self.engine.hot(entry.node);
                        let filter = self.place_filter(hot).or_else(|| self.capacity_filter(hot));
                        if let Some(filter) = filter {
                            *counts.of(filter) += 1;
                        }
                    }
                }
                ClassVerdict::Permitted if self.country_full(class.key.country) => {
                    let changing = open.shortages([0; 3], static_wanted).not_static;
                    *counts.of(Filter::StaticIp) += changing;
                    *counts.of(Filter::CountryLimit) += index(open.len()) - changing;
                }
                ClassVerdict::Permitted => {
                    let shortages = open.shortages(self.need, static_wanted);
                    *counts.of(Filter::StaticIp) += shortages.not_static;
                    for (dimension, lacking) in shortages.lacking.into_iter().enumerate() {
                        *counts.of(dimension_filter(dimension)) += lacking;
                    }
                }
            }
        }
    }

    fn count_named(&self, counts: &mut Counts) {
        let mut seen = Bits::default();
        for slot in self.excluded.iter() {
            self.recount(slot, Filter::Excluded, &mut seen, counts);
        }
        for slot in self.occupied.iter() {
            self.recount(slot, Filter::SameApp, &mut seen, counts);
        }
        let limits = &self.request.limits;
        if let Some(limit) = limits.per_operator.map(NonZeroU32::get) {
            for operator in self.operators.exhausted(limit) {
                for slot in self.engine.operators().members(operator) {
                    self.recount(*slot, Filter::OperatorLimit, &mut seen, counts);
                }
            }
        }
        if let Some(limit) = limits.per_network.map(NonZeroU32::get) {
            for network in self.networks.exhausted(limit) {
                for slot in self.engine.networks().members(network) {
                    self.recount(*slot, Filter::NetworkLimit, &mut seen, counts);
                }
            }
        }
        for slot in self.port_blocked.iter() {
            self.recount(slot, Filter::Ports, &mut seen, counts);
        }
    }

    /// Counts a node for `filter` instead of the later filter it was counted for, unless an earlier one has it.
    fn recount(&self, slot: u32, filter: Filter, seen: &mut Bits, counts: &mut Counts) {
        let hot = self.engine.hot(slot);
        if !hot.open {
            return;
        }
        let by_place = self.place_filter(hot);
        if by_place.is_some_and(|earlier| earlier < filter) || !seen.insert(slot) {
            return;
        }
        *counts.of(filter) += 1;
        if let Some(later) = by_place.or_else(|| self.capacity_filter(hot)) {
            *counts.of(later) -= 1;
        }
    }
}

#[derive(Default)]
struct Counts([u32; Filter::PIPELINE.len()]);

impl Counts {
    fn of(&mut self, filter: Filter) -> &mut u32 {
        &mut self.0[filter.position()]
    }

    fn finish(self, considered: u32) -> FilterCounts {
        let left = considered - self.0.iter().sum::<u32>();
        let removed: BTreeMap<Filter, u32> = Filter::PIPELINE
            .into_iter()
            .zip(self.0)
            .filter(|(_, removed)| *removed > 0)
            .collect();
        FilterCounts {
            considered,
            removed,
            left,
        }
    }
}
