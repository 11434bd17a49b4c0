//! The first price table. The reason for each number is in `docs/PRICING.md`.

use std::collections::BTreeMap;

use super::{
    amount::Rate,
    discount::{Bracket, Brackets},
    table::{Rates, Table, TierFactors},
    tables::Tables,
};

const DAY: u64 = 86_400;

/// Classes of graphics processors in femto-dollars per second: 0.20, 0.25, 0.40, 0.40, 0.80, 1.20 and 2.00 USD an hour.
const GPUS: [(&str, u64); 7] = [
    ("t4-16", 55_555_555_556),
    ("rtx-3090-24", 69_444_444_444),
    ("l4-24", 111_111_111_111),
    ("rtx-4090-24", 111_111_111_111),
    ("l40s-48", 222_222_222_222),
    ("a100-80", 333_333_333_333),
    ("h100-80", 555_555_555_556),
];

impl Table {
    /// The first table, from epoch 0 on.
    pub fn first() -> Self {
        let rate = Rate::from_femto_usd;
        let gpus = GPUS.map(|(class, femto)| (class.to_owned(), rate(femto)));
        Self {
            version: 1,
            from_epoch: 0,
            rates: Rates {
                cpu_milli: rate(151_515),
                memory_mib: rate(50_505),
                disk_gib: rate(2_020_202),
                gpus: BTreeMap::from(gpus),
                static_ip: rate(202_020_202),
                priced_port: rate(202_020_202),
                egress_gib: None,
            },
            tiers: TierFactors {
                cumulus: 1_000_000,
                nimbus: 1_050_000,
                stratus: 1_100_000,
            },
            term: brackets([(30, 50_000), (90, 100_000), (180, 150_000)]),
            commitment: brackets([(30, 100_000), (90, 150_000), (180, 200_000)]),
            flux_discount_ppm: 50_000,
        }
    }
}

impl Default for Tables {
    /// The first table alone.
    fn default() -> Self {
        Self::new(vec![Table::first()]).expect("a test validates the first table")
    }
}

fn brackets(days: [(u64, u32); 3]) -> Brackets {
    let bracket = |(days, discount_ppm)| Bracket {
        from_seconds: days * DAY,
        discount_ppm,
    };
    let list = days.map(bracket).to_vec();
    Brackets::new(list).expect("days and discounts rise, as a test shows")
}
