//! Machine resources as integers.

use serde::{Deserialize, Serialize};

/// An amount of cpu, memory and disk: what an instance asks for or a node has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resources {
    /// Thousandths of a cpu thread.
    pub cpu_milli: u64,
    /// Memory in MiB.
    pub ram_mib: u64,
    /// Disk in GiB.
    pub disk_gib: u64,
}

impl Resources {
    pub const ZERO: Self = Self {
        cpu_milli: 0,
        ram_mib: 0,
        disk_gib: 0,
    };

    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            cpu_milli: self.cpu_milli.checked_add(other.cpu_milli)?,
            ram_mib: self.ram_mib.checked_add(other.ram_mib)?,
            disk_gib: self.disk_gib.checked_add(other.disk_gib)?,
        })
    }

    /// What is left after taking `other`; a dimension that does not suffice is `None`.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Some(Self {
            cpu_milli: self.cpu_milli.checked_sub(other.cpu_milli)?,
            ram_mib: self.ram_mib.checked_sub(other.ram_mib)?,
            disk_gib: self.disk_gib.checked_sub(other.disk_gib)?,
        })
    }

    /// What is left after taking `other`, at least zero in each dimension.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self {
            cpu_milli: self.cpu_milli.saturating_sub(other.cpu_milli),
            ram_mib: self.ram_mib.saturating_sub(other.ram_mib),
            disk_gib: self.disk_gib.saturating_sub(other.disk_gib),
        }
    }

    /// Whether `self` is at least `other` in every dimension.
    pub const fn covers(self, other: Self) -> bool {
        self.cpu_milli >= other.cpu_milli
            && self.ram_mib >= other.ram_mib
            && self.disk_gib >= other.disk_gib
    }
}

impl std::fmt::Display for Resources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, milli) = (self.cpu_milli / 1_000, self.cpu_milli % 1_000);
        write!(
            f,
            "{whole}.{milli:03} cpu, {} MiB, {} GiB",
            self.ram_mib, self.disk_gib
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Resources = Resources {
        cpu_milli: 100,
        ram_mib: 100,
        disk_gib: 1,
    };

    #[test]
    fn one_short_dimension_is_enough_to_refuse() {
        let free = Resources {
            cpu_milli: 1_000,
            ram_mib: 50,
            disk_gib: 10,
        };
        assert!(!free.covers(SMALL));
        assert_eq!(free.checked_sub(SMALL), None);
        assert_eq!(free.saturating_sub(SMALL).ram_mib, 0);
    }

    #[test]
    fn what_is_taken_can_be_given_back() {
        let free = Resources {
            cpu_milli: 1_000,
            ram_mib: 500,
            disk_gib: 10,
        };
        let left = free.checked_sub(SMALL).unwrap();
        assert_eq!(left.checked_add(SMALL), Some(free));
    }
}
