//! Prices per second of a core, by the rules of FluxOS and by the native list.
//!
//! `cargo bench -p fluxplane-pricing --bench price` prints one JSON object.
#![expect(clippy::unwrap_used, reason = "a bench stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "the result")]

use std::{hint::black_box, time::Duration};

use fluxplane_app_spec::{
    json::{Limits, Value, parse},
    legacy::LegacySpec,
};
use fluxplane_core::{Resources, Tier};
use fluxplane_pricing::{
    batch::price_line,
    legacy::{
        FluxUsdRate, QuoteRequest,
        float::{PriceTable, UsdPrices},
        quote,
    },
    native::{FluxUsd, Order, Part, Plan, Table, Tally, price},
};

/// How long each figure is measured, in a core's time.
const TIME: Duration = Duration::from_secs(1);

fn main() {
    let specs = specs();
    let (flux, usd) = (PriceTable::mainnet(), UsdPrices::default());
    let legacy = rate(|round| {
        let (spec, height) = &specs[round % specs.len()];
        let request = QuoteRequest::registration(spec, *height, FluxUsdRate::FALLBACK);
        black_box(quote(&request, &flux, &usd).unwrap());
    });
    let lines = lines();
    let batch = rate(|round| {
        black_box(price_line(lines[round % lines.len()].as_bytes()));
    });
    let (table, order) = (Table::first(), order());
    let flux_usd = FluxUsd::new(51_200, 100_000_000).unwrap();
    let native = rate(|_| {
        let price = price(&table, black_box(&order)).unwrap();
        black_box(price.in_flux(&table, flux_usd).unwrap());
    });
    let mut tally = Tally::default();
    let charges = rate(|round| {
        let from = u64::try_from(round % 1_000_000).unwrap();
        black_box(tally.charge(&table, &order, from, from + 60).unwrap());
    });
    println!(
        "{{\"legacy_quotes_per_s\":{legacy},\"legacy_lines_per_s\":{batch},\"native_prices_per_s\":{native},\"native_charges_per_s\":{charges}}}"
    );
}

/// Rounds per second of a core's time. Other work on the machine takes from the clock on the wall, not from this one.
fn rate(mut round: impl FnMut(usize)) -> u128 {
    /// Rounds between two looks at the clock.
    const STEP: usize = 256;
    let start = core_time();
    let mut rounds = 0;
    let mut spent = Duration::ZERO;
    while spent < TIME {
        for _ in 0..STEP {
            round(rounds);
            rounds += 1;
        }
        spent = core_time().saturating_sub(start);
    }
    u128::try_from(rounds).unwrap() * 1_000_000 / spent.as_micros()
}

/// For how long a core has worked for this thread (Linux, `proc_pid_schedstat`).
fn core_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(
        stat.split_ascii_whitespace()
            .next()
            .unwrap()
            .parse()
            .unwrap(),
    )
}

fn vectors() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/fluxos-price-vectors.json"
    );
    let file = parse(&std::fs::read(path).unwrap(), Limits::default()).unwrap();
    let vectors = file.value.as_object().unwrap().get("vectors").unwrap();
    vectors.as_array().unwrap().to_vec()
}

fn specs() -> Vec<(LegacySpec, u64)> {
    let vectors = vectors();
    let read = vectors.iter().map(|vector| {
        let vector = vector.as_object().unwrap();
        let spec = vector.get("spec").unwrap().clone();
        let height = vector.get("height").unwrap().as_u64().unwrap();
        (LegacySpec::from_value(spec).unwrap(), height)
    });
    read.collect()
}

fn lines() -> Vec<String> {
    let vectors = vectors();
    let line = |vector: &Value| {
        let mut line = vector.as_object().unwrap().clone();
        line.set("fluxUsdRate", 0.6);
        fluxplane_app_spec::json::stringify(&line.into())
    };
    vectors.iter().map(line).collect()
}

/// Three components on three copies for a year.
fn order() -> Order {
    let part = |name: &str| Part {
        name: name.to_owned(),
        resources: Resources {
            cpu_milli: 1_500,
            ram_mib: 4_096,
            disk_gib: 40,
        },
        priced_ports: 1,
        ..Part::default()
    };
    Order {
        instances: 3,
        tier: Some(Tier::Nimbus),
        parts: ["web", "api", "db"].map(part).to_vec(),
        static_ip: true,
        seconds: 31_536_000,
        plan: Plan::Term,
        egress_gib: 0,
    }
}
