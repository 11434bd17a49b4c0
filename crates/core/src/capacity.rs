//! How much of a machine applications get: one rule for the agent that offers and the registry that checks.

use crate::Resources;

/// Kept back from applications on every node, as FluxOS does: one thread, 2,000 MB, 60 GB and 20 GB for images
/// (FluxOS `lockedSystemResources`).
const KEPT_BACK: Resources = Resources {
    cpu_milli: 1_000,
    ram_mib: 2_000,
    disk_gib: 80,
};

/// Percent of the measured disk that count at all.
const DISK_PERCENT: u64 = 95;

/// What applications may use of a machine with so many hardware threads, MiB and GiB. The figures come from the machine
/// itself and may be any number.
pub fn usable(threads: u32, ram_mib: u64, disk_gib: u64) -> Resources {
    let measured = Resources {
        cpu_milli: u64::from(threads) * 1_000,
        ram_mib,
        disk_gib: disk_gib.saturating_mul(DISK_PERCENT) / 100,
    };
    measured.saturating_sub(KEPT_BACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_cumulus_offers_what_fluxos_says() {
        let offered = Resources {
            cpu_milli: 3_000,
            ram_mib: 5_000,
            disk_gib: 129,
        };
        assert_eq!(usable(4, 7_000, 220), offered);
    }

    #[test]
    fn a_machine_smaller_than_what_is_kept_back_offers_nothing() {
        assert_eq!(usable(1, 2_000, 80), Resources::ZERO);
        assert_eq!(usable(0, 0, 0), Resources::ZERO);
    }

    #[test]
    fn no_figure_is_too_large() {
        let offered = usable(u32::MAX, u64::MAX, u64::MAX);
        assert_eq!(offered.cpu_milli, (u64::from(u32::MAX) - 1) * 1_000);
        assert_eq!(offered.ram_mib, u64::MAX - 2_000);
        assert_eq!(offered.disk_gib, u64::MAX / 100 - 80);
    }
}
