//! How fast the chain is read: the parser alone, a whole sync into Postgres in both modes, a new block until its event is on the
//! bus; and what a transaction takes in the database.
//!
//! `cargo bench -p fluxplane-chain-indexer -- 200000` names the blocks of the synthetic chain; 200,000 unless told otherwise.
//! `-- 200000 parse full` measures only the named parts: `parse`, `insert`,
//! `plane`, `full`, `tip`.

mod insert;
mod memory;
mod parse;
mod sync;
mod synthetic;
mod tip;

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::{Context as _, Result};
use fluxplane_chain_indexer::{domain::ledger::IndexMode, tasks::catch_up::Pace};
use memory::Memory;
use synthetic::Synthetic;

/// Blocks of the synthetic chain unless told otherwise.
const BLOCKS: u32 = 200_000;

/// The configuration's defaults.
const PACE: Pace = Pace {
    fetch_batch: 32,
    fetch_parallel: 4,
    blocks_per_transaction: 2_048,
};

fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let blocks = words.iter().find_map(|word| word.parse().ok());
    let parts: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| word.parse::<u32>().is_err())
        .collect();
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        if wanted("tip") {
            for mode in [IndexMode::Plane, IndexMode::Full] {
                let tip = tip::measure(mode, PACE).await?;
                say(&format!(
                    "tip, mode {mode}: announced to event published, {} blocks   p50 {:.1} ms, p99 {:.1} ms",
                    tip.blocks, tip.median_ms, tip.p99_ms
                ));
            }
        }
        if ["parse", "insert", "plane", "full"].into_iter().any(wanted) {
            measure_chain(blocks.unwrap_or(BLOCKS), wanted).await?;
        }
        Ok(())
    })
}

async fn measure_chain(count: u32, wanted: impl Fn(&str) -> bool) -> Result<()> {
    let started = Instant::now();
    let mut chain = synthetic::make(genesis()?, count)?;
    let source = Arc::new(Memory(std::mem::take(&mut chain.blocks)));
    let transactions = transactions(&source)?;
    let bytes: usize = source.0.iter().map(Vec::len).sum();
    say(&format!(
        "synthetic chain: {} blocks, {:.1} transactions and {} bytes a block on average, made in {:.0} s",
        source.0.len(),
        f64::from(transactions) / f64::from(count + 1),
        bytes / source.0.len(),
        started.elapsed().as_secs_f64()
    ));
    if wanted("parse") {
        for (name, parsed) in [
            ("parse, one core", parse::parse(&source)?),
            ("parse, hash, merkle root, one core", parse::check(&source)?),
        ] {
            let seconds = parsed.took.as_secs_f64();
            say(&format!(
                "{name:<44} {:>8.0} blocks/s {:>8.1} MB/s",
                rate(parsed.blocks, seconds),
                rate(parsed.bytes, seconds) / 1e6
            ));
        }
    }
    if wanted("insert") {
        let inserted = insert::measure(&source).await?;
        let rows = |took: std::time::Duration| rate(inserted.rows, took.as_secs_f64());
        say(&format!(
            "{} rows of transactions in batches: {:.0} rows/s by unnest, {:.0} rows/s by COPY",
            inserted.rows,
            rows(inserted.unnest),
            rows(inserted.copy)
        ));
    }
    for mode in [IndexMode::Plane, IndexMode::Full] {
        if wanted(mode.name()) {
            measure_sync(&chain, &source, mode, transactions).await?;
        }
    }
    Ok(())
}

async fn measure_sync(
    chain: &Synthetic,
    source: &Arc<Memory>,
    mode: IndexMode,
    transactions: u32,
) -> Result<()> {
    // Nothing is asked for above the end, so a tip far away only makes every block final.
    let synced = sync::run(source, sync::rules(chain, mode)?, PACE, 1_000_000).await?;
    let seconds = synced.took.as_secs_f64();
    let bytes: i64 = synced.relations.iter().map(|(_, bytes)| bytes).sum();
    say(&format!(
        "into Postgres, mode {mode:<6}  {:>8.0} blocks/s {seconds:>8.1} s, {:.0} MB, {:.0} bytes a transaction",
        rate(source.0.len(), seconds),
        megabytes(bytes),
        megabytes(bytes) * 1e6 / f64::from(transactions)
    ));
    for (relation, bytes) in synced
        .relations
        .iter()
        .filter(|(_, bytes)| *bytes > 1 << 20)
    {
        say(&format!(
            "    {relation:<24} {:>10.1} MB",
            megabytes(*bytes)
        ));
    }
    Ok(())
}

fn transactions(source: &Memory) -> Result<u32> {
    let mut count = 0;
    for raw in &source.0 {
        let block = fluxplane_flux_chain::Block::parse(raw)?;
        count += u32::try_from(block.transactions.len())?;
    }
    Ok(count)
}

/// The genesis block of the development chain, from the recording.
fn genesis() -> Result<Vec<u8>> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/fluxd-regtest-nodes.json");
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let first = record["blocks"][0].as_str().context("blocks")?;
    Ok(hex::decode(first)?)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn rate(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn megabytes(bytes: i64) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::print_stdout, reason = "this is the result")]
fn say(text: &str) {
    println!("{text}");
}
