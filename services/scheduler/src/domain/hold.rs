//! Room that is kept for a quote, so that whoever pays for it in time gets it.

use chrono::{DateTime, Utc};
use fluxplane_core::{Resources, id::AppId};
use fluxplane_placement::Reservation;
use uuid::Uuid;

/// What was kept at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HoldId(pub Uuid);

impl HoldId {
    /// The engine knows whose room it is by the id of an application; a hold stands for one that is not there yet.
    pub fn as_app(self) -> AppId {
        AppId::from(self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub id: HoldId,
    /// The application that was submitted with the quote.
    pub app: Option<AppId>,
    /// `None` while the application waits for its payment.
    pub until: Option<DateTime<Utc>>,
    /// One per copy. Those of an instance's id are of nobody: the copy gets another one.
    pub rooms: Vec<Reservation>,
}

impl Hold {
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// How many copies may be kept for one more quote, so that quotes together keep at most so many per cent of what the nodes
/// that take new work have. Quotes are free: without a limit, asking would be enough to leave nobody any room.
pub fn affordable(copy: Resources, kept: Resources, capacity: Resources, percent: u32) -> u32 {
    let part = |of_copy: u64, kept: u64, capacity: u64| {
        let most = u128::from(capacity) * u128::from(percent) / 100;
        let left = most.saturating_sub(u128::from(kept));
        left.checked_div(u128::from(of_copy)).unwrap_or(u128::MAX)
    };
    let copies = part(copy.cpu_milli, kept.cpu_milli, capacity.cpu_milli)
        .min(part(copy.ram_mib, kept.ram_mib, capacity.ram_mib))
        .min(part(copy.disk_gib, kept.disk_gib, capacity.disk_gib));
    u32::try_from(copies).unwrap_or(u32::MAX)
}

/// A sum that stays at the largest number, which no fleet reaches.
pub fn total(parts: impl IntoIterator<Item = Resources>) -> Resources {
    let mut sum = Resources::ZERO;
    for part in parts {
        sum.cpu_milli = sum.cpu_milli.saturating_add(part.cpu_milli);
        sum.ram_mib = sum.ram_mib.saturating_add(part.ram_mib);
        sum.disk_gib = sum.disk_gib.saturating_add(part.disk_gib);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(cpu_milli: u64, ram_mib: u64, disk_gib: u64) -> Resources {
        Resources {
            cpu_milli,
            ram_mib,
            disk_gib,
        }
    }

    #[test]
    fn the_scarcest_resource_decides_how_many_copies_are_kept() {
        let fleet = of(10_000, 20_000, 1_000);
        let copy = of(500, 500, 5);
        assert_eq!(affordable(copy, Resources::ZERO, fleet, 25), 5);
        assert_eq!(affordable(copy, of(1_600, 0, 0), fleet, 25), 1);
        assert_eq!(affordable(copy, of(0, 0, 246), fleet, 25), 0);
        assert_eq!(affordable(copy, of(9_000, 0, 0), fleet, 25), 0);
        assert_eq!(affordable(of(0, 0, 5), of(9_000, 0, 0), fleet, 25), 50);
        assert_eq!(affordable(copy, Resources::ZERO, Resources::ZERO, 25), 0);
    }

    #[test]
    fn a_hold_is_over_with_its_quote_unless_an_application_waits() {
        let now = DateTime::UNIX_EPOCH;
        let hold = |until| Hold {
            id: HoldId(Uuid::nil()),
            app: None,
            until,
            rooms: Vec::new(),
        };
        assert!(hold(Some(now)).is_over(now));
        assert!(!hold(Some(now + chrono::TimeDelta::seconds(1))).is_over(now));
        assert!(!hold(None).is_over(now));
    }
}
