//! A set of filters that remove one node.

use crate::record::Filter;

/// A set of filters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Failures(u16);

impl Failures {
    const fn bit(filter: Filter) -> u16 {
        1 << filter.position()
    }

    pub(super) fn add(&mut self, filter: Filter, fails: bool) {
        self.0 |= u16::from(fails) << filter.position();
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of the pipeline.
    pub(crate) fn iter(self) -> impl Iterator<Item = Filter> {
        let filters = Filter::PIPELINE.into_iter();
        filters.filter(move |filter| self.0 & Self::bit(*filter) != 0)
    }

    pub(crate) fn first(self) -> Option<Filter> {
        self.iter().next()
    }

    /// The filter, when it is the only one.
    pub(crate) fn only(self) -> Option<Filter> {
        self.0.is_power_of_two().then(|| self.first()).flatten()
    }
}
