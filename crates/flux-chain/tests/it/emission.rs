//! Subsidy, split, supply and inflation against the published tables, to the sat.

use std::time::Duration;

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    ChainParams,
    emission::{Schedule, emission, pon_year, supply},
    subsidy::{Fund, block_subsidy, coinbase_limit, one_time_outputs, reward_split, tier_reward},
};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::fixture::{list, number, read, small};

/// An amount in FLUX that the file gives as a floating-point number, read with the eight decimals it has.
fn flux(value: &Value, field: &str) -> Sat {
    let number = value[field].as_f64().unwrap();
    format!("{number:.8}").parse().unwrap()
}

/// Floating-point sums in the file are off by a few units of their last digit.
fn nearly(left: Sat, right: Sat) -> bool {
    (left.get() - right.get()).abs() <= 20
}

fn percent_matches(ppm: u64, value: &Value, field: &str) -> bool {
    let expected = value[field].as_f64().unwrap();
    format!("{}.{:04}", ppm / 10_000, ppm % 10_000) == format!("{expected:.4}")
}

#[test]
fn the_eras_of_mining_have_their_subsidy() {
    let params = ChainParams::main();
    let subsidy = |height| block_subsidy(&params, height);
    assert_eq!(subsidy(0), Sat::ZERO);
    assert_eq!(subsidy(1), Sat::from_flux(13_020_000));
    for height in [2, 1_000, 2_499] {
        assert_eq!(subsidy(height), Sat::new(3_000_000 * i64::from(height)));
    }
    for height in [2_500, 4_999] {
        assert_eq!(
            subsidy(height),
            Sat::new(3_000_000 * (i64::from(height) + 1))
        );
    }
    for (from, to, sat) in [
        (5_000, 657_849, 15_000_000_000),
        (657_850, 1_313_199, 7_500_000_000),
        (1_313_200, 2_019_999, 3_750_000_000),
        (2_020_000, 3_071_199, 1_400_000_000),
        (3_071_200, 4_122_399, 1_260_000_000),
        (23_044_000, u32::MAX, 170_207_313),
    ] {
        assert_eq!(subsidy(from), Sat::new(sat));
        assert_eq!(subsidy(to), Sat::new(sat));
    }
}

#[test]
fn tiers_get_their_share_of_every_era() {
    let params = ChainParams::main();
    // A coinbase of height 478,074 paid 5.625, 9.375 and 22.5.
    let shares = |height| Tier::ALL.map(|tier| tier_reward(&params, height, tier).get());
    assert_eq!(shares(478_074), [562_500_000, 937_500_000, 2_250_000_000]);
    assert_eq!(shares(835_553), [281_250_000, 468_750_000, 1_125_000_000]);
    assert_eq!(shares(835_554), [562_500_000, 937_500_000, 2_250_000_000]);
    // The last mined block paid 2.8125, 4.6875 and 11.25.
    assert_eq!(shares(2_019_999), [281_250_000, 468_750_000, 1_125_000_000]);
    for row in list(&read("fluxd-emission.json"), "pon_tier_split_by_year") {
        let height = 2_020_000 + 1_051_200 * small(row, "pon_year");
        let split = reward_split(&params, height);
        let sat = |field| Sat::new(row[field].as_i64().unwrap());
        assert_eq!(split.subsidy, sat("subsidy_sat"));
        assert_eq!(split.cumulus, sat("cumulus_sat"));
        assert_eq!(split.nimbus, sat("nimbus_sat"));
        assert_eq!(split.stratus, sat("stratus_sat"));
        assert_eq!(split.rest, sat("dev_min_sat"));
    }
}

#[test]
fn one_time_payments_are_due_when_they_are_due() {
    let params = ChainParams::main();
    let due = |height| {
        one_time_outputs(&params, height)
            .map(|owed| owed.fund)
            .collect::<Vec<_>>()
    };
    assert_eq!(due(836_274), [Fund::Exchange]);
    assert_eq!(due(836_994), [Fund::Foundation]);
    let pool: Vec<u32> = (830_000..1_100_000)
        .filter(|height| due(*height).contains(&Fund::SwapPool))
        .collect();
    assert_eq!(pool.len(), 10);
    assert_eq!(
        (pool.first(), pool.last()),
        (Some(&837_714), Some(&1_032_114))
    );
    assert_eq!(
        coinbase_limit(&params, 836_274, Sat::new(7)),
        Some(Sat::new(Sat::from_flux(7_500_075).get() + 7))
    );
    assert_eq!(coinbase_limit(&params, 2, Sat::ZERO), None);
}

#[test]
fn the_supply_before_proof_of_node_is_known() {
    let params = ChainParams::main();
    assert_eq!(supply(&params, 2_019_999).to_string(), "416978749.97000000");
    assert_eq!(supply(&params, 2_996_923).to_string(), "430655685.97000000");
    let funds = Sat::from_flux(230_000_000).get();
    let mined = Sat::new(supply(&params, 2_019_999).get() - funds);
    assert_eq!(mined.to_string(), "186978749.97000000");
    assert_eq!(supply(&params, 0), Sat::ZERO);
    assert_eq!(supply(&params, 1), Sat::from_flux(13_020_000));
}

#[test]
fn the_years_of_proof_of_node_match_the_table() {
    let params = ChainParams::main();
    let schedule = Schedule::main();
    let data = read("fluxd-emission.json");
    let mut seen = 0;
    for row in list(&data, "pon_years") {
        let year = pon_year(&params, small(row, "pon_year")).unwrap();
        assert_eq!(year.first_height, small(row, "first_height"));
        assert_eq!(year.last_height, small(row, "last_height"));
        assert_eq!(
            year.subsidy.get().unsigned_abs(),
            number(row, "block_subsidy_sat")
        );
        assert!(nearly(year.emission, flux(row, "emission_flux")));
        assert!(nearly(
            year.supply_at_start,
            flux(row, "max_issuance_at_start_flux")
        ));
        let ppm = year.inflation().parts_per_million();
        assert!(
            percent_matches(ppm, row, "inflation_pct_on_max_issuance"),
            "{row}"
        );
        let date = row["start_date_at_30s"].as_str().unwrap();
        assert_eq!(date_of(schedule.time_of(year.first_height)), date);
        seen += 1;
    }
    assert!(seen >= 21);
    // The same numbers as exact decimals.
    for (number, emission, supply) in [
        (0, "14716800.00000000", "416978749.97000000"),
        (3, "10728547.20000000", "456861277.97000000"),
        (10, "5131430.85528000", "512832441.29105600"),
        (12, "4156458.98068800", "522582159.91083200"),
        (20, "1789219.27425600", "546254556.58620800"),
    ] {
        let year = pon_year(&params, number).unwrap();
        assert_eq!(year.emission.to_string(), emission, "{number}");
        assert_eq!(year.supply_at_start.to_string(), supply, "{number}");
    }
    assert_eq!(
        pon_year(&params, 4_000).map(|year| year.subsidy),
        Some(Sat::new(170_207_313))
    );
    assert_eq!(pon_year(&params, 5_000), None);
}

#[test]
fn calendar_years_match_the_table() {
    let params = ChainParams::main();
    let data = read("fluxd-emission.json");
    let mut seen = 0;
    for row in list(&data, "calendar_years") {
        let spacing = Duration::from_secs_f64(row["spacing_s"].as_f64().unwrap());
        let schedule = Schedule::main().with_spacing(spacing);
        let year = schedule.year(
            &params,
            i32::try_from(row["year"].as_i64().unwrap()).unwrap(),
        );
        assert_eq!(year.first_height, small(row, "start_height"), "{row}");
        assert_eq!(year.last_height, small(row, "end_height"), "{row}");
        assert!(nearly(year.emission, flux(row, "emission_flux")), "{row}");
        let supply = flux(row, "supply_start_max_issuance_flux");
        assert!(nearly(year.supply_at_start, supply), "{row}");
        let ppm = year.inflation().parts_per_million();
        assert!(
            percent_matches(ppm, row, "inflation_pct_max_issuance"),
            "{row}"
        );
        seen += 1;
    }
    assert_eq!(seen, 32);
}

#[test]
fn calendar_years_are_exact_to_the_sat() {
    let params = ChainParams::main();
    let schedule = Schedule::main();
    for (year, emission, supply) in [
        (2025, "10750742.00000000", "408939499.97000000"),
        (2026, "14445650.80000000", "419690241.97000000"),
        (2030, "9475146.09468000", "469395289.02320000"),
        (2036, "5046728.07466924", "513805997.51909570"),
        (2040, "3310235.87978380", "531127406.13372056"),
    ] {
        let row = schedule.year(&params, year);
        assert_eq!(row.emission.to_string(), emission, "{year}");
        assert_eq!(row.supply_at_start.to_string(), supply, "{year}");
    }
}

#[test]
fn inflation_first_falls_below_one_percent_in_2036() {
    let params = ChainParams::main();
    let schedule = Schedule::main();
    let year = schedule
        .first_year_below(&params, 10_000, 2025..=2060)
        .unwrap();
    assert_eq!(year.year, 2036);
    assert_eq!(year.inflation().parts_per_million(), 9_822);
    let pon = (0..40)
        .filter_map(|number| pon_year(&params, number))
        .find(|year| year.inflation().below(10_000))
        .unwrap();
    assert_eq!(pon.number, 11);
    assert_eq!(schedule.first_year_below(&params, 0, 2025..=2060), None);
    // No rule caps the supply; the announced 560 million pass in 2053.
    let announced = Sat::from_flux(560_000_000);
    assert!(schedule.year(&params, 2053).supply_at_start < announced);
    assert!(schedule.year(&params, 2054).supply_at_start > announced);
}

#[test]
fn regtest_counts_from_before_its_genesis() {
    let params = ChainParams::regtest();
    assert_eq!(block_subsidy(&params, 98), Sat::from_flux(14));
    assert_eq!(block_subsidy(&params, 99), Sat::new(1_260_000_000));
    assert_eq!(block_subsidy(&params, 204), Sat::new(1_134_000_000));
    let nodes = ChainParams::regtest_nodes();
    assert_eq!(block_subsidy(&nodes, 1_000), Sat::from_flux(14));
    assert_eq!(block_subsidy(&nodes, 1_001), Sat::new(1_260_000_000));
}

/// Day of a moment as `2025-10-25`, by counting days.
fn date_of(unix: i64) -> String {
    let mut days = unix.div_euclid(86_400);
    let mut year = 1970;
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [
        31,
        28 + i64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

proptest! {
    #[test]
    fn the_supply_grows_by_what_each_block_creates(height in 1_u32..6_000_000) {
        let params = ChainParams::main();
        let owed: i64 = one_time_outputs(&params, height).map(|owed| owed.amount.get()).sum();
        let created = block_subsidy(&params, height).get() + owed;
        prop_assert_eq!(emission(&params, height, height), Sat::new(created));
    }

    #[test]
    fn the_supply_of_any_network_is_the_sum_of_its_blocks(height in 0_u32..1_500) {
        for params in [ChainParams::main(), ChainParams::test(), ChainParams::regtest(), ChainParams::regtest_nodes()] {
            let sum: i64 = (1..=height)
                .map(|height| {
                    let owed = one_time_outputs(&params, height).map(|owed| owed.amount.get());
                    block_subsidy(&params, height).get() + owed.sum::<i64>()
                })
                .sum();
            prop_assert_eq!(supply(&params, height), Sat::new(sum));
        }
    }
}
