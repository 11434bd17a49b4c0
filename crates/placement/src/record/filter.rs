//! The filters, in the order in which they are applied, and what they removed.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::canonical::Canonical;

/// A reason why a node is no candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// It is cordoned or gone.
    State,
    /// The request names its nodes, and this is none of them.
    Pinned,
    /// The request excludes it.
    Excluded,
    /// It stands where the geolocation rules do not allow.
    Geolocation,
    /// Its address may change.
    StaticIp,
    /// Its country carries as many copies as allowed.
    CountryLimit,
    /// It carries a copy of the application.
    SameApp,
    /// Its operator carries as many copies as allowed.
    OperatorLimit,
    /// Its provider network carries as many copies as allowed.
    NetworkLimit,
    /// A port is taken behind its address.
    Ports,
    Cpu,
    Memory,
    Disk,
}

impl Filter {
    /// The order in which filters are applied. A node is counted for the first one that removes it.
    pub const PIPELINE: [Self; 13] = [
        Self::State,
        Self::Pinned,
        Self::Excluded,
        Self::Geolocation,
        Self::StaticIp,
        Self::CountryLimit,
        Self::SameApp,
        Self::OperatorLimit,
        Self::NetworkLimit,
        Self::Ports,
        Self::Cpu,
        Self::Memory,
        Self::Disk,
    ];

    /// Its place in the pipeline, from 0.
    pub(crate) const fn position(self) -> usize {
        match self {
            Self::State => 0,
            Self::Pinned => 1,
            Self::Excluded => 2,
            Self::Geolocation => 3,
            Self::StaticIp => 4,
            Self::CountryLimit => 5,
            Self::SameApp => 6,
            Self::OperatorLimit => 7,
            Self::NetworkLimit => 8,
            Self::Ports => 9,
            Self::Cpu => 10,
            Self::Memory => 11,
            Self::Disk => 12,
        }
    }

    /// The resource the filter is about: 0 for cpu, 1 for memory, 2 for disk.
    pub(crate) const fn dimension(self) -> Option<usize> {
        match self {
            Self::Cpu => Some(0),
            Self::Memory => Some(1),
            Self::Disk => Some(2),
            Self::State
            | Self::Pinned
            | Self::Excluded
            | Self::Geolocation
            | Self::StaticIp
            | Self::CountryLimit
            | Self::SameApp
            | Self::OperatorLimit
            | Self::NetworkLimit
            | Self::Ports => None,
        }
    }

    /// What is the matter with the nodes it removed, as in "3 nodes …".
    pub const fn complaint(self) -> &'static str {
        match self {
            Self::State => "take no new work",
            Self::Pinned => "are not among the pinned nodes",
            Self::Excluded => "are excluded",
            Self::Geolocation => "stand where the geolocation rules do not allow",
            Self::StaticIp => "have no static address",
            Self::CountryLimit => "are in a country that carries as many copies as allowed",
            Self::SameApp => "carry a copy already",
            Self::OperatorLimit => "belong to an operator that carries as many copies as allowed",
            Self::NetworkLimit => "are in a network that carries as many copies as allowed",
            Self::Ports => "have a wanted port taken",
            Self::Cpu => "lack cpu",
            Self::Memory => "lack memory",
            Self::Disk => "lack disk",
        }
    }
}

/// How many nodes each filter removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterCounts {
    /// All nodes known.
    pub considered: u32,
    /// Filters that removed nothing are left out.
    pub removed: BTreeMap<Filter, u32>,
    /// Nodes that passed every filter.
    pub left: u32,
}

impl FilterCounts {
    pub fn removed_by(&self, filter: Filter) -> u32 {
        self.removed.get(&filter).copied().unwrap_or(0)
    }

    /// The filter that removed the most nodes; of several, the first of the pipeline.
    pub fn strictest(&self) -> Option<Filter> {
        let most = self.removed.values().max()?;
        let mut pipeline = self.removed.iter();
        pipeline.find_map(|(filter, removed)| (removed == most).then_some(*filter))
    }

    pub(super) fn write(&self, form: &mut Canonical) {
        form.number(self.considered).number(self.left);
        for filter in Filter::PIPELINE {
            form.number(self.removed_by(filter));
        }
    }
}

impl fmt::Display for FilterCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "of {} nodes", self.considered)?;
        for (position, (filter, removed)) in self.removed.iter().enumerate() {
            let separator = if position == 0 { ": " } else { ", " };
            write!(f, "{separator}{removed} {}", filter.complaint())?;
        }
        let separator = if self.removed.is_empty() { ": " } else { ", " };
        write!(f, "{separator}{} left", self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_follow_the_pipeline() {
        for (position, filter) in Filter::PIPELINE.into_iter().enumerate() {
            assert_eq!(filter.position(), position);
        }
        assert!(Filter::PIPELINE.is_sorted());
    }
}
