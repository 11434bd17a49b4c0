//! The program: many seeds on all cores, one verdict.

mod print;
mod progress;

use std::{
    io,
    num::NonZeroUsize,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use clap::{Parser, ValueEnum};

use crate::{Outcome, Sabotage, Settings, run};
use progress::Progress;

/// Simulate placement and repair over a synthetic fleet in virtual time, and check the invariants after every event.
///
/// One seed is one history: 300 to 2,000 machines that die, flap, leave and come back, alone and by operator, network or
/// country; customers that deploy, change and cancel; outages of the plane itself. The scheduler's and the registry's own
/// decisions are run on it. After the events of a seed the world comes to rest, and everything must become as wanted.
///
/// The same seed gives the same history on every machine. Exit code 0: every invariant held. 1: one did not; the output
/// names it, shows what led to it and the command that reproduces it. 2: the command line is wrong.
#[derive(Debug, Clone, Parser)]
#[command(name = "simulation", version, after_help = EXAMPLES)]
pub struct Args {
    /// How many seeds, counted from --first
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "seed")]
    pub seeds: u64,

    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 1, conflicts_with = "seed")]
    pub first: u64,

    /// Only this seed, as a failure names it
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,

    /// Events per seed before the world comes to rest
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub events: u64,

    /// Machines at the start [default: 300 to 2,000, drawn from the seed]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub nodes: Option<u32>,

    /// Break the plane on purpose, to see that the invariants notice
    #[arg(long, value_name = "WHAT", value_enum)]
    pub sabotage: Option<Sabotage>,

    /// Run all seeds, even after one has failed
    #[arg(long)]
    pub keep_going: bool,

    /// Seeds at the same time [default: number of cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    /// How to print the result
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,

    /// Show progress on stderr even when it is no terminal
    #[arg(long)]
    pub progress: bool,
}

const EXAMPLES: &str = "\
Examples:
  simulation --seeds 1000                          a thousand histories
  simulation --seed 17                             that one again, with its digest
  simulation --seeds 20 --sabotage overfill        must fail: do the checks see it?
  simulation --seeds 50 --events 50000 --output json | jq .summary";

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Text,
    /// One object
    Json,
}

/// Reads the command line, simulates, prints.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let started = Instant::now();
    let outcomes = simulate(&args);
    let result = print::Result::of(&args, &outcomes, started.elapsed());
    match result.write(args.output, &mut io::stdout().lock()) {
        Ok(()) if result.failures.is_empty() => ExitCode::SUCCESS,
        // A reader that closed the pipe has seen enough.
        Err(_) | Ok(()) => ExitCode::FAILURE,
    }
}

/// Runs the seeds on several threads, and gives what became of them in the order of the seeds.
pub fn simulate(args: &Args) -> Vec<Outcome> {
    let (first, count) = args.seed.map_or((args.first, args.seeds), |seed| (seed, 1));
    let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let jobs = args.jobs.unwrap_or_else(cores).get();
    let taken = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let outcomes = Mutex::new(Vec::new());
    let progress = Progress::new(count, args.progress);
    let work = || {
        while args.keep_going || !failed.load(Ordering::Relaxed) {
            let number = taken.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                break;
            }
            let outcome = run(Settings {
                seed: first.wrapping_add(number),
                events: args.events,
                nodes: args.nodes,
                sabotage: args.sabotage,
            });
            failed.fetch_or(outcome.failure.is_some(), Ordering::Relaxed);
            progress.finished(&outcome);
            let mut all = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(outcome);
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    progress.clear();
    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|outcome| outcome.settings.seed.wrapping_sub(first));
    outcomes
}
