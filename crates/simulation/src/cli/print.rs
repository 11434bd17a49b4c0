//! The result, for people and as JSON.

use std::{
    fmt::Write as _,
    io::{self, Write},
    time::Duration,
};

use clap::ValueEnum as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Args, Output};
use crate::{
    Outcome,
    figures::{Figures, Quantiles, Summary},
};

/// What all seeds came to.
#[derive(Debug, Serialize)]
pub(super) struct Result {
    summary: Summary,
    /// Digest of the digests of all histories, in the order of the seeds.
    digest: String,
    pub(super) failures: Vec<Failed>,
}

/// A seed in which an invariant did not hold.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    seed: u64,
    event: u64,
    violations: Vec<String>,
    /// The last lines of the journal.
    journal: Vec<String>,
    reproduce: String,
}

impl Result {
    pub(super) fn of(args: &Args, outcomes: &[Outcome], wall: Duration) -> Self {
        let mut figures = Figures::default();
        let mut hash = Sha256::new();
        let mut failures = Vec::new();
        for outcome in outcomes {
            figures.add(&outcome.figures);
            hash.update(outcome.digest.as_bytes());
            failures.extend(outcome.failure.as_ref().map(|failure| Failed {
                seed: outcome.settings.seed,
                event: failure.event,
                violations: failure.violations.iter().map(ToString::to_string).collect(),
                journal: failure.tail.clone(),
                reproduce: reproduce(args, outcome.settings.seed),
            }));
        }
        let mut digest = String::with_capacity(64);
        for byte in hash.finalize() {
            // Writing to a string cannot fail.
            write!(digest, "{byte:02x}").ok();
        }
        if let [only] = outcomes {
            digest.clone_from(&only.digest);
        }
        Self {
            summary: figures.summary(wall),
            digest,
            failures,
        }
    }

    pub(super) fn write(&self, output: Output, out: &mut impl Write) -> io::Result<()> {
        match output {
            Output::Json => {
                serde_json::to_writer_pretty(&mut *out, self)?;
                writeln!(out)
            }
            Output::Text => {
                for failed in &self.failures {
                    failed.write(out)?;
                }
                self.write_text(out)
            }
        }
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let summary = &self.summary;
        let pending = summary.pending_per_million;
        let rows = [
            ("seeds", summary.seeds.to_string()),
            ("events", summary.events.to_string()),
            ("virtual hours", summary.virtual_hours.to_string()),
            ("nodes", summary.nodes.to_string()),
            ("apps", summary.apps.to_string()),
            ("decisions", summary.decisions.to_string()),
            ("placements", summary.placements.to_string()),
            ("node losses", summary.node_losses.to_string()),
            ("plane outages", summary.plane_outages.to_string()),
            ("placed again", quantiles(summary.placed_again.as_ref())),
            (
                "- undisturbed",
                quantiles(summary.placed_undisturbed.as_ref()),
            ),
            ("healthy again", quantiles(summary.healthy_again.as_ref())),
            (
                "pending",
                format!(
                    "{}.{:04} % of wanted instance time",
                    pending / 10_000,
                    pending % 10_000
                ),
            ),
            ("wall time", seconds(summary.wall_ms)),
            ("events/s", summary.events_per_second.to_string()),
            ("digest", self.digest.clone()),
        ];
        for (name, value) in rows {
            writeln!(out, "{name:<14} {value}")?;
        }
        let failed = self.failures.len();
        if failed == 0 {
            writeln!(out, "\nevery invariant held after every event")
        } else {
            writeln!(out, "\n{failed} of {} seeds failed", summary.seeds)
        }
    }
}

impl Failed {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "seed {} failed at event {}:", self.seed, self.event)?;
        for violation in &self.violations {
            writeln!(out, "  {violation}")?;
        }
        writeln!(out, "what led to it:")?;
        for line in &self.journal {
            writeln!(out, "  {line}")?;
        }
        writeln!(out, "reproduce it with:\n  {}\n", self.reproduce)
    }
}

/// The command that leads to the same failure.
fn reproduce(args: &Args, seed: u64) -> String {
    let mut command = format!(
        "cargo run --release --locked --package fluxplane-simulation -- --seed {seed} --events {}",
        args.events
    );
    if let Some(nodes) = args.nodes {
        write!(command, " --nodes {nodes}").ok();
    }
    let sabotage = args.sabotage.and_then(|kind| kind.to_possible_value());
    if let Some(kind) = sabotage {
        write!(command, " --sabotage {}", kind.get_name()).ok();
    }
    command
}

fn quantiles(quantiles: Option<&Quantiles>) -> String {
    quantiles.map_or_else(
        || "no instance had to move".to_owned(),
        |quantiles| {
            let ms = [quantiles.p50_ms, quantiles.p99_ms, quantiles.most_ms];
            let [p50, p99, most] = ms.map(|ms| seconds(u128::from(ms.max(0).unsigned_abs())));
            format!(
                "p50 {p50}, p99 {p99}, most {most} ({} instances)",
                quantiles.count
            )
        },
    )
}

fn seconds(ms: u128) -> String {
    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
}
