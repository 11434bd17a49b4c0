//! The formula: examples by hand, and what holds for every order.

use std::collections::BTreeMap;

use fluxplane_core::Tier;
use fluxplane_pricing::native::{
    Gpus, Item, MicroUsd, Order, Part, Plan, PriceError, Rate, Table, Tally, price,
};
use proptest::prelude::*;

use super::{DAY, orders, standard, total};

fn named(order: &Order) -> BTreeMap<String, u64> {
    let price = price(&Table::first(), order).unwrap();
    let lines = price.lines.iter();
    lines
        .map(|line| (format!("{:?}", line.item), line.amount.get()))
        .collect()
}

#[test]
fn a_month_of_the_standard_application_by_hand() {
    let price = price(&Table::first(), &standard()).unwrap();
    // Copies × seconds × units × femto-dollars / 10^9, rounded.
    let seconds = 3 * 30 * 86_400_u64;
    let by_hand = [
        seconds * 1_000 * 151_515 / 1_000_000_000,
        seconds * 2_000 * 50_505 / 1_000_000_000,
        seconds * 20 * 2_020_202 / 1_000_000_000,
    ];
    assert_eq!(by_hand, [1_178_180, 785_453, 314_181]);
    let amounts: Vec<u64> = price.lines.iter().map(|line| line.amount.get()).collect();
    // The fractions .64, .76 and .82 make two more micro-dollars; they go to the lines that lost most.
    assert_eq!(amounts, [1_178_180, 785_454, 314_182]);
    assert_eq!(price.total, MicroUsd::new(2_277_816));
    assert_eq!(price.list, price.total);
    assert_eq!(price.lines[0].item, Item::Cpu);
    assert_eq!(price.lines[0].rate, Some(Rate::from_femto_usd(151_515)));
    assert_eq!(price.lines[0].part.as_deref(), Some("web"));
}

#[test]
fn nobody_pays_more_than_fluxos_asks_for_small_applications() {
    // FluxOS asks 2.90 USD for three copies in 88,000 blocks of 30 s, less 20 % because they are small: 2.32 USD, before
    // it rounds up.
    let order = Order {
        seconds: 88_000 * 30,
        ..standard()
    };
    let total = total(&order).get();
    assert!((2_319_990..=2_320_000).contains(&total), "{total}");
}

#[test]
fn every_copy_costs_the_same() {
    let cost = |instances| {
        total(&Order {
            instances,
            ..standard()
        })
        .get()
    };
    let steps: Vec<u64> = (1..12).map(|n| cost(n + 1) - cost(n)).collect();
    assert!(
        steps.iter().all(|step| step.abs_diff(cost(1)) <= 1),
        "{steps:?}"
    );
}

#[test]
fn a_term_is_discounted_second_by_second() {
    let cost = |plan, days| {
        let seconds = days * DAY;
        total(&Order {
            plan,
            seconds,
            ..standard()
        })
        .get()
    };
    let full = |days| cost(Plan::PayAsYouGo, days);
    assert_eq!(cost(Plan::Term, 30), full(30));
    assert!(cost(Plan::Term, 90) < full(90));
    // 30 days in full, 60 at 5 %, 90 at 10 %, 185 at 15 % less.
    let year = full(365) * (30_000 + 60 * 950 + 90 * 900 + 185 * 850) / 365_000;
    assert!(cost(Plan::Term, 365).abs_diff(year) <= 1);
    let committed = full(365) * (30_000 + 60 * 900 + 90 * 850 + 185 * 800) / 365_000;
    assert!(cost(Plan::Committed, 365).abs_diff(committed) <= 1);
}

#[test]
fn tiers_raise_machines_only() {
    let order = Order {
        static_ip: true,
        parts: vec![Part {
            gpus: vec![Gpus {
                class: "h100-80".to_owned(),
                count: 2,
            }],
            priced_ports: 1,
            ..standard().parts.remove(0)
        }],
        ..standard()
    };
    let stratus = Order {
        tier: Some(Tier::Stratus),
        ..order.clone()
    };
    let (any, stratus) = (named(&order), named(&stratus));
    for (item, amount) in &any {
        let expected = if ["Cpu", "Memory", "Disk"].contains(&item.as_str()) {
            amount * 11 / 10
        } else {
            *amount
        };
        assert!(stratus[item].abs_diff(expected) <= 2, "{item}");
    }
    // Two dollars an hour, two processors, three copies, 720 hours.
    assert!(any["Gpu(\"h100-80\")"].abs_diff(8_640_000_000) <= 10);
}

#[test]
fn traffic_is_sold_only_where_the_table_says_so() {
    let order = Order {
        egress_gib: 7,
        ..standard()
    };
    assert_eq!(price(&Table::first(), &order), Err(PriceError::NoEgress(7)));
    let mut table = Table::first();
    table.rates.egress_gib = Some(MicroUsd::new(10_000));
    let sold = price(&table, &order).unwrap();
    assert_eq!(sold.total.get(), total(&standard()).get() + 70_000);
    assert_eq!(sold.lines.last().unwrap().item, Item::Egress);
}

#[test]
fn what_has_no_price_is_refused_by_name() {
    let refused = |order: Order| price(&Table::first(), &order).unwrap_err().to_string();
    let gpu = Order {
        parts: vec![Part {
            name: "train".to_owned(),
            gpus: vec![Gpus {
                class: "abacus".to_owned(),
                count: 1,
            }],
            ..Part::default()
        }],
        ..standard()
    };
    assert_eq!(
        refused(gpu),
        "parts[train] asks for graphics processors of class `abacus`; table 1 has a100-80, h100-80, l4-24, l40s-48, rtx-3090-24, rtx-4090-24, t4-16"
    );
    let none = Order {
        instances: 0,
        ..standard()
    };
    assert!(refused(none).starts_with("instances is 0"));
    for seconds in [0, Order::MAX_SECONDS + 1] {
        let order = Order {
            seconds,
            ..standard()
        };
        assert!(refused(order).starts_with(&format!("seconds is {seconds}")));
    }
    let mut huge = standard();
    huge.parts[0].resources.cpu_milli = u64::MAX;
    assert!(refused(huge).starts_with("the price is more than any amount"));
    let empty = Order {
        parts: Vec::new(),
        ..standard()
    };
    assert_eq!(total(&empty), MicroUsd::ZERO);
}

#[test]
fn only_seconds_of_the_term_are_charged() {
    let mut tally = Tally::default();
    for (from, to) in [(5, 5), (6, 5), (0, 30 * DAY + 1)] {
        let charged = tally.charge(&Table::first(), &standard(), from, to);
        assert_eq!(charged, Err(PriceError::Stretch { from, to }));
    }
    assert_eq!(tally.charged(), MicroUsd::ZERO);
}

/// The order with one quantity more; `None` where there is nothing to raise.
fn raised(order: &Order, which: usize) -> Option<Order> {
    let mut more = order.clone();
    if which == 0 {
        more.instances += 1;
        return Some(more);
    }
    if which == 1 {
        more.seconds += 1;
        return Some(more);
    }
    if which == 2 {
        more.static_ip = true;
        return Some(more);
    }
    if which == 3 {
        more.tier = match more.tier {
            None | Some(Tier::Cumulus) => Some(Tier::Nimbus),
            Some(Tier::Nimbus | Tier::Stratus) => Some(Tier::Stratus),
        };
        return Some(more);
    }
    let part = more.parts.first_mut()?;
    match which {
        4 => part.resources.cpu_milli += 1,
        5 => part.resources.ram_mib += 1,
        6 => part.resources.disk_gib += 1,
        7 => part.priced_ports += 1,
        _ => part.gpus.first_mut()?.count += 1,
    }
    Some(more)
}

proptest! {
    #[test]
    fn more_never_costs_less(order in orders(), which in 0..9_usize) {
        if let Some(more) = raised(&order, which) {
            prop_assert!(total(&more) >= total(&order));
        }
    }

    #[test]
    fn copies_add_up(order in orders(), first in 1..100_u32, second in 1..100_u32) {
        let cost = |instances| total(&Order { instances, ..order.clone() }).get();
        let apart = cost(first) + cost(second);
        let together = cost(first + second);
        prop_assert!(together == apart || together == apart + 1);
    }

    #[test]
    fn one_second_more_costs_at_most_the_full_second(order in orders()) {
        let second = Order { seconds: 1, plan: Plan::PayAsYouGo, ..order.clone() };
        let longer = Order { seconds: order.seconds + 1, ..order.clone() };
        let step = total(&longer).get() - total(&order).get();
        prop_assert!(step <= total(&second).get() + 1);
    }

    #[test]
    fn who_binds_himself_pays_no_more(order in orders()) {
        let cost = |plan| total(&Order { plan, ..order.clone() });
        prop_assert!(cost(Plan::Committed) <= cost(Plan::Term));
        prop_assert!(cost(Plan::Term) <= cost(Plan::PayAsYouGo));
    }

    #[test]
    fn lines_add_up_to_the_total(order in orders()) {
        let price = price(&Table::first(), &order).unwrap();
        let sum: u64 = price.lines.iter().map(|line| line.amount.get()).sum();
        prop_assert_eq!(MicroUsd::new(sum), price.total);
        prop_assert!(price.total <= price.list);
    }

    #[test]
    fn parts_may_be_priced_apart(order in orders()) {
        let alone = order.parts.iter().map(|part| {
            total(&Order { parts: vec![part.clone()], static_ip: false, ..order.clone() }).get()
        });
        let apart: u64 = alone.sum();
        let together = total(&Order { static_ip: false, ..order.clone() }).get();
        let parts = u64::try_from(order.parts.len()).unwrap();
        prop_assert!(apart <= together && together <= apart + parts);
    }

    #[test]
    fn the_charges_of_a_term_are_its_quote_however_it_is_cut(
        order in orders(),
        copies in 1..4_u32,
        cuts in proptest::collection::btree_set(1..1_000_u64, 0..8),
        backwards in any::<bool>(),
    ) {
        let order = Order { instances: copies, seconds: order.seconds.max(2_000), ..order };
        let last = order.seconds;
        let mut stretches = Vec::new();
        for _ in 0..copies {
            let mut from = 0;
            for cut in cuts.iter().map(|cut| cut * (last / 1_000)).chain([last]) {
                stretches.push((from, cut));
                from = cut;
            }
        }
        if backwards {
            stretches.reverse();
        }
        let mut tally = Tally::default();
        let mut charged = 0;
        for (from, to) in stretches {
            charged += tally.charge(&Table::first(), &order, from, to).unwrap().get();
        }
        prop_assert_eq!(MicroUsd::new(charged), total(&order));
        prop_assert_eq!(tally.charged(), total(&order));
    }

    #[test]
    fn a_term_that_ends_early_costs_what_the_shorter_term_would(order in orders(), part in 1..100_u64) {
        let end = (order.seconds * part / 100).max(1);
        let order = Order { instances: 1, ..order };
        let mut tally = Tally::default();
        tally.charge(&Table::first(), &order, 0, end).unwrap();
        prop_assert_eq!(tally.charged(), total(&Order { seconds: end, ..order }));
    }
}
