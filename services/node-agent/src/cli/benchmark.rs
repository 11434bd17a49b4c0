//! `node-agent benchmark`.

use std::{path::Path, process::ExitCode, time::Duration};

use clap::Args;
use fluxplane_core::{Clock as _, SystemClock};

use super::{
    Output,
    console::{self, Progress},
};
use crate::{config::Config, domain::Benchmark, machine, store::DataDir};

/// Longest measurement that can be asked for, seconds.
const MAX_SECONDS: u64 = 300;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) limit: Limit,
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Limit {
    /// How long the measurement takes: half of it hashing, half of it writing.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=MAX_SECONDS)
    )]
    benchmark_seconds: u64,
}

pub(super) async fn run(config: Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let dir = DataDir::open(&config.data_dir)?;
    let benchmark = measure(dir.root(), &arguments.limit).await?;
    match arguments.output {
        Output::Json => console::say_json(&benchmark)?,
        Output::Text => show(&benchmark),
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures with progress.
pub(super) async fn measure(folder: &Path, limit: &Limit) -> anyhow::Result<Benchmark> {
    let (folder, limit) = (
        folder.to_owned(),
        Duration::from_secs(limit.benchmark_seconds),
    );
    tokio::task::spawn_blocking(move || {
        let mut progress = Progress::new();
        let measured = machine::measure(&folder, limit, SystemClock.now(), &mut |stage, share| {
            progress.tell(stage, share);
        });
        progress.done();
        measured
    })
    .await?
}

pub(super) fn show(benchmark: &Benchmark) {
    console::say(&format!("threads        {}", benchmark.threads));
    console::say(&format!("memory         {} MiB", benchmark.ram_mib));
    console::say(&format!("disk           {} GiB free", benchmark.disk_gib));
    console::say(&format!(
        "SHA-256        {} MiB/s on one thread",
        benchmark.hash_mib_s
    ));
    console::say(&format!(
        "write          {} MiB/s with fdatasync",
        benchmark.disk_write_mib_s
    ));
    console::say(&format!("for apps       {}", benchmark.usable()));
}
