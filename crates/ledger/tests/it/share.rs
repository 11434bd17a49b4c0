//! Sharing the revenue: who receives what, and that nothing is lost.

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, Tier, id::NodeId};
use fluxplane_ledger::share::{
    Carried, Distribution, HostingNode, OnlineNode, ShareError, ShareTable, ShareTableError,
    apportion, distribute,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::samples::party;

fn day(text: &str) -> DateTime<Utc> {
    format!("{text}T00:00:00Z").parse().unwrap()
}

fn table() -> ShareTable {
    ShareTable::first(day("2027-01-01"))
}

fn node_id(number: u128) -> NodeId {
    NodeId::new(Uuid::from_u128(number))
}

fn online(node: u128, tier: Tier, seconds: u32) -> OnlineNode {
    OnlineNode {
        node: node_id(node),
        operator: party("op"),
        tier,
        seconds,
    }
}

fn hosting(node: u128, charged: i64) -> HostingNode {
    HostingNode {
        node: node_id(node),
        operator: party("op"),
        charged: Sat::new(charged),
    }
}

fn total(distribution: &Distribution) -> i64 {
    let earned = distribution
        .earnings
        .iter()
        .map(|e| e.online.get() + e.hosting.get());
    let carried = distribution.carried;
    distribution.platform.get() + earned.sum::<i64>() + carried.online.get() + carried.hosting.get()
}

#[test]
fn the_operators_part_grows_by_two_points_a_year_from_25_to_50_percent() {
    let part = |text| table().operators_part(day(text));
    assert_eq!(part("2026-06-01"), 2_500, "before the start");
    assert_eq!(part("2027-01-01"), 2_500);
    assert_eq!(part("2027-12-31"), 2_500);
    assert_eq!(part("2028-01-01"), 2_700);
    assert_eq!(part("2039-01-01"), 4_900);
    assert_eq!(
        part("2040-01-01"),
        5_000,
        "12 years of two points would be 51 percent"
    );
    assert_eq!(part("2090-01-01"), 5_000);
}

#[test]
fn four_fifths_go_to_all_online_by_tier_and_one_fifth_to_hosts() {
    let nodes = [
        online(1, Tier::Cumulus, 3_600),
        online(2, Tier::Stratus, 3_600),
    ];
    let hosts = [hosting(2, 300), hosting(3, 100)];
    let shared = distribute(
        Sat::new(8_200),
        Carried::default(),
        &table(),
        day("2027-06-01"),
        &nodes,
        &hosts,
    )
    .unwrap();
    // 25 % of 8,200 is 2,050: 1,640 for being online in proportion 1 : 40, and 410 for hosting in proportion 3 : 1,
    // where both exact shares end in .5 and the smaller id receives the sat.
    let earned: Vec<_> = shared
        .earnings
        .iter()
        .map(|e| (e.node.uuid().as_u128(), e.online.get(), e.hosting.get()))
        .collect();
    assert_eq!(earned, [(1, 40, 0), (2, 1_600, 308), (3, 0, 102)]);
    assert_eq!(shared.platform.get(), 6_150);
    assert_eq!(
        (shared.carried, shared.table_version),
        (Carried::default(), 1)
    );
}

#[test]
fn a_part_with_nobody_to_receive_it_is_carried_over() {
    let none = distribute(
        Sat::new(1_000),
        Carried::default(),
        &table(),
        day("2027-06-01"),
        &[],
        &[],
    )
    .unwrap();
    assert_eq!(
        none.carried,
        Carried {
            online: Sat::new(200),
            hosting: Sat::new(50)
        }
    );
    let asleep = [online(1, Tier::Nimbus, 0)];
    let still_none = distribute(
        Sat::ZERO,
        none.carried,
        &table(),
        day("2027-06-02"),
        &asleep,
        &[],
    )
    .unwrap();
    assert_eq!(
        (still_none.carried, still_none.earnings.len()),
        (none.carried, 0)
    );
    let awake = [online(1, Tier::Nimbus, 1)];
    let paid = distribute(
        Sat::ZERO,
        none.carried,
        &table(),
        day("2027-06-02"),
        &awake,
        &[],
    );
    assert_eq!(paid.unwrap().earnings[0].online, Sat::new(200));
}

#[test]
fn input_that_cannot_be_shared_is_refused() {
    let share = |revenue, carried, table, nodes: &[OnlineNode], hosts: &[HostingNode]| {
        distribute(
            Sat::new(revenue),
            carried,
            &table,
            day("2027-06-01"),
            nodes,
            hosts,
        )
    };
    let zero = Carried::default();
    let twice = [online(1, Tier::Cumulus, 1), online(1, Tier::Cumulus, 1)];
    let refused = share(100, zero, table(), &twice, &[]);
    assert_eq!(refused, Err(ShareError::RepeatedNode(node_id(1))));
    let stranger = HostingNode {
        operator: party("other"),
        ..hosting(1, 5)
    };
    let refused = share(100, zero, table(), &twice[..1], &[stranger]);
    assert_eq!(refused, Err(ShareError::TwoOperators(node_id(1))));
    assert!(matches!(
        share(-1, zero, table(), &[], &[]),
        Err(ShareError::Negative { .. })
    ));
    assert!(matches!(
        share(1, zero, table(), &[], &[hosting(1, -5)]),
        Err(ShareError::Negative {
            field: "charged",
            ..
        })
    ));
    let vast = Carried {
        online: Sat::new(i64::MAX),
        ..zero
    };
    assert_eq!(
        share(100, vast, table(), &[], &[]),
        Err(ShareError::TooLarge)
    );
    let greedy = ShareTable {
        last_part: 10_001,
        ..table()
    };
    assert!(matches!(
        share(1, zero, greedy, &[], &[]),
        Err(ShareError::Table(ShareTableError::MoreThanAll {
            field: "last_part",
            ..
        }))
    ));
    let falling = ShareTable {
        first_part: 6_000,
        ..table()
    };
    assert!(matches!(
        falling.validate(),
        Err(ShareTableError::Shrinks { .. })
    ));
}

#[test]
fn the_sat_left_over_goes_to_the_largest_remainder_then_to_the_smaller_key() {
    let shares = |total, weights: &[(u8, u64)]| {
        let shares = apportion(Sat::new(total), weights).unwrap();
        shares.into_iter().map(Sat::get).collect::<Vec<_>>()
    };
    assert_eq!(shares(100, &[(1, 1), (2, 1), (3, 1)]), [34, 33, 33]);
    assert_eq!(shares(100, &[(3, 1), (2, 1), (1, 1)]), [33, 33, 34]);
    assert_eq!(
        shares(10, &[(1, 10), (2, 55), (3, 35)]),
        [1, 6, 3],
        "the tie at .5 goes to 2"
    );
    assert_eq!(shares(0, &[(1, 1)]), [0]);
    assert_eq!(apportion::<u8>(Sat::new(5), &[]), None);
    assert_eq!(apportion(Sat::new(5), &[(1, 0), (2, 0)]), None);
    assert_eq!(apportion(Sat::new(-5), &[(1, 1)]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn apportioning_loses_nothing_and_is_fair_to_the_last_unit(
        total in prop_oneof![0..1_000_i64, 0..=i64::MAX],
        weights in prop::collection::btree_map(
            any::<u16>(), prop_oneof![0..10_u64, any::<u64>()], 1..40),
    ) {
        let weights: Vec<(u16, u64)> = weights.into_iter().collect();
        let sum: u128 = weights.iter().map(|(_, weight)| u128::from(*weight)).sum();
        let Some(shares) = apportion(Sat::new(total), &weights) else {
            prop_assert_eq!(sum, 0);
            return Ok(());
        };
        prop_assert_eq!(Sat::checked_sum(shares.iter().copied()), Some(Sat::new(total)));
        let amount = u128::from(total.unsigned_abs());
        for ((_, weight), share) in weights.iter().zip(&shares) {
            let floor = amount * u128::from(*weight) / sum;
            let exact = amount * u128::from(*weight) % sum == 0;
            let share = u128::from(share.get().unsigned_abs());
            prop_assert!(share == floor || (share == floor + 1 && !exact));
        }
        let mut turned = weights.clone();
        turned.reverse();
        let mut turned = apportion(Sat::new(total), &turned).unwrap();
        turned.reverse();
        prop_assert_eq!(turned, shares, "the order of the list means nothing");
    }

    #[test]
    fn every_sat_of_the_revenue_is_somebodys(
        revenue in prop_oneof![0..1_000_i64, 0..1_i64 << 60],
        carried in (0..1_000_i64, 0..1_000_i64),
        nodes in prop::collection::btree_map(0..50_u128, (0..3_usize, 0..100_000_u32), 0..20),
        hosts in prop::collection::btree_map(0..50_u128, 0..1_000_000_i64, 0..20),
        days in 0..9_000_i64,
    ) {
        let nodes: Vec<OnlineNode> = nodes.into_iter()
            .map(|(node, (tier, seconds))| online(node, Tier::ALL[tier], seconds)).collect();
        let hosts: Vec<HostingNode> =
            hosts.into_iter().map(|(node, charged)| hosting(node, charged)).collect();
        let carried = Carried { online: Sat::new(carried.0), hosting: Sat::new(carried.1) };
        let at = day("2027-01-01") + chrono::TimeDelta::days(days);
        let shared = distribute(Sat::new(revenue), carried, &table(), at, &nodes, &hosts).unwrap();
        prop_assert_eq!(total(&shared), revenue + carried.online.get() + carried.hosting.get());
        prop_assert!(shared.platform.get() >= revenue / 2);
        prop_assert!(shared.earnings.is_sorted_by_key(|earning| earning.node));
        for earning in &shared.earnings {
            prop_assert!(!earning.online.is_negative() && !earning.hosting.is_negative());
        }
    }
}
