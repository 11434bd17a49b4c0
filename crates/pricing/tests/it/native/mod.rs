//! The native price list.

mod formula;
mod rate;
mod table;

use fluxplane_core::{Resources, Tier};
use fluxplane_pricing::native::{Gpus, MicroUsd, Order, Part, Plan, Table, price};
use proptest::prelude::*;

pub(crate) const DAY: u64 = 86_400;

/// One core, 2,000 MiB and 20 GiB, three copies, 30 days.
pub(crate) fn standard() -> Order {
    Order {
        instances: 3,
        tier: None,
        parts: vec![Part {
            name: "web".to_owned(),
            resources: Resources {
                cpu_milli: 1_000,
                ram_mib: 2_000,
                disk_gib: 20,
            },
            ..Part::default()
        }],
        static_ip: false,
        seconds: 30 * DAY,
        plan: Plan::PayAsYouGo,
        egress_gib: 0,
    }
}

pub(crate) fn total(order: &Order) -> MicroUsd {
    price(&Table::first(), order).unwrap().total
}

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    prop_oneof![
        Just(Plan::PayAsYouGo),
        Just(Plan::Term),
        Just(Plan::Committed)
    ]
}

fn tiers() -> impl Strategy<Value = Option<Tier>> {
    prop_oneof![
        Just(None),
        Just(Some(Tier::Cumulus)),
        Just(Some(Tier::Nimbus)),
        Just(Some(Tier::Stratus)),
    ]
}

fn parts() -> impl Strategy<Value = Part> {
    let gpus = proptest::option::of((prop_oneof![Just("t4-16"), Just("h100-80")], 0..9_u32));
    let amounts = (0..128_000_u64, 0..1_000_000_u64, 0..10_000_u64, 0..6_u32);
    (amounts, gpus).prop_map(|((cpu_milli, ram_mib, disk_gib, priced_ports), gpus)| {
        let gpus = gpus.map(|(class, count)| Gpus {
            class: class.to_owned(),
            count,
        });
        Part {
            name: "p".to_owned(),
            resources: Resources {
                cpu_milli,
                ram_mib,
                disk_gib,
            },
            gpus: gpus.into_iter().collect(),
            priced_ports,
        }
    })
}

prop_compose! {
    pub(crate) fn orders()(
        instances in 1..200_u32,
        tier in tiers(),
        parts in proptest::collection::vec(parts(), 0..4),
        static_ip in any::<bool>(),
        seconds in 1..500 * DAY,
        plan in plans(),
    ) -> Order {
        Order { instances, tier, parts, static_ip, seconds, plan, egress_gib: 0 }
    }
}
