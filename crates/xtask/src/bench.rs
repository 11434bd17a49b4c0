//! `cargo xtask bench`: the crates' own benches, then a whole plane whose deployments are measured.

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use clap::Args;
use fluxplane_testkit::{
    Durability,
    plane::{
        LocalPlane, Options,
        measure::{self, Deployment, Quotes},
        services::Pace,
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    output::say,
    run::{Terminal, programs, say_stopping},
    with_deps,
};

/// Benches of the crates, which print their figures themselves.
const BENCHES: [(&str, &str); 2] = [
    ("fluxplane-chain-indexer", "catch_up"),
    ("fluxplane-billing", "settlement"),
];

/// Third part of the nodes' addresses: beside a plane that somebody runs.
const LANE: u8 = 254;

#[derive(Args)]
pub(crate) struct Bench {
    /// Deployments to measure, one after another.
    #[arg(long, default_value_t = 20)]
    apps: u32,
    /// Quotes to ask for over REST, one after another.
    #[arg(long, default_value_t = 1_000)]
    quotes: u32,
    /// Only the running plane, not the benches of the crates.
    #[arg(long)]
    plane_only: bool,
    /// Measure the programs that `make run` builds, without optimisations: quicker to have, slower to run.
    #[arg(long)]
    dev: bool,
}

pub(crate) fn run(root: &Path, arguments: &Bench) -> Result<ExitCode> {
    if !arguments.plane_only {
        for (package, bench) in BENCHES {
            let command = [
                "cargo",
                "bench",
                "--locked",
                "--package",
                package,
                "--bench",
                bench,
            ];
            let ended = with_deps::run(root, &command.map(str::to_owned))?;
            if ended != ExitCode::SUCCESS {
                return Ok(ended);
            }
        }
    }
    let programs = programs(root, !arguments.dev)?;
    let dir = root.join("target/bench-plane");
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    let options = Options {
        dir: &dir,
        programs,
        pace: Pace::DEMO,
        durability: Durability::Full,
        otlp_endpoint: String::new(),
        lane: LANE,
        stop: CancellationToken::new(),
    };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let terminal = Terminal::new();
        let plane = LocalPlane::start(options, &terminal).await?;
        let measured = measure::deployments(&plane, arguments.apps, |number, one| {
            say(&format!(
                "{:>4}  placed {:>6} ms, running {:>6} ms after submission",
                number + 1,
                one.submit_to_placed,
                one.submit_to_running
            ));
        });
        let quotes = measure::quotes(&plane, arguments.quotes).await;
        say_stopping();
        plane.stop().await?;
        print(&measured?);
        print_quotes(&quotes?);
        Ok(ExitCode::SUCCESS)
    })
}

/// One figure of a deployment.
type Read = fn(&Deployment) -> u64;

fn print(measured: &[Deployment]) {
    say(&format!(
        "\n{} deployments of 3 copies; a block a second; milliseconds",
        measured.len()
    ));
    say(&format!("{:<22}{:>8}{:>8}", "", "p50", "p99"));
    let rows: [(&str, Read); 4] = [
        ("submit -> placed", |one| one.submit_to_placed),
        ("submit -> running", |one| one.submit_to_running),
        ("funded -> placed", |one| one.funded_to_placed),
        ("funded -> running", |one| one.funded_to_running),
    ];
    for (name, read) in rows {
        let mut values: Vec<u64> = measured.iter().map(read).collect();
        values.sort_unstable();
        let (p50, p99) = (percentile(&values, 50), percentile(&values, 99));
        say(&format!("{name:<22}{p50:>8}{p99:>8}"));
    }
}

fn print_quotes(quotes: &Quotes) {
    say(&format!(
        "\n{} quotes over REST, one after another, 20 a second; microseconds",
        quotes.made.len()
    ));
    say(&format!("{:<22}{:>8}{:>8}", "", "p50", "p99"));
    for (name, values) in [("quoted", &quotes.made), ("read again", &quotes.read)] {
        let mut values = values.clone();
        values.sort_unstable();
        let (p50, p99) = (percentile(&values, 50), percentile(&values, 99));
        say(&format!("{name:<22}{p50:>8}{p99:>8}"));
    }
}

/// The smallest value that `percent` of all do not exceed (nearest rank). 0 of nothing.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<u64> = (1..=20).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (10, 20));
        assert_eq!(percentile(&[], 50), 0);
    }
}
