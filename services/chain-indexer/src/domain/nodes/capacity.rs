//! The hardware behind the list. The chain knows tiers, not machines: what is told is what a tier demands at least, times its nodes.

use fluxplane_core::Tier;

/// Hardware, of one machine or of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hardware {
    pub cores: u64,
    pub threads: u64,
    pub ram_gb: u64,
    pub ssd_gb: u64,
}

/// What a node of a tier must have at least (runonflux-docs `fluxnodes/what-are-fluxnodes.md`).
pub const fn minimum(tier: Tier) -> Hardware {
    match tier {
        Tier::Cumulus => Hardware {
            cores: 2,
            threads: 4,
            ram_gb: 8,
            ssd_gb: 220,
        },
        Tier::Nimbus => Hardware {
            cores: 4,
            threads: 8,
            ram_gb: 32,
            ssd_gb: 440,
        },
        Tier::Stratus => Hardware {
            cores: 8,
            threads: 16,
            ram_gb: 64,
            ssd_gb: 880,
        },
    }
}

impl Hardware {
    #[must_use]
    pub const fn times(self, nodes: u64) -> Self {
        Self {
            cores: self.cores * nodes,
            threads: self.threads * nodes,
            ram_gb: self.ram_gb * nodes,
            ssd_gb: self.ssd_gb * nodes,
        }
    }

    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            cores: self.cores + other.cores,
            threads: self.threads + other.threads,
            ram_gb: self.ram_gb + other.ram_gb,
            ssd_gb: self.ssd_gb + other.ssd_gb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_adds_up() {
        let two = minimum(Tier::Cumulus).times(2);
        let all = two.plus(minimum(Tier::Stratus));
        assert_eq!((all.cores, all.threads), (12, 24));
        assert_eq!((all.ram_gb, all.ssd_gb), (80, 1_320));
    }
}
