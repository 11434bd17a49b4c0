//! That something goes on: a spinner on a terminal, lines with `--progress` elsewhere, always on stderr, and only for what
//! takes longer than a second.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, interval_at, sleep};

/// What takes less needs no explanation.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a spinner turns, and how often a line is written.
const TURN: Duration = Duration::from_millis(120);
const LINE: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Off,
    Spinner,
    Lines,
}

/// Shows progress, or does not.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    mode: Mode,
}

impl Progress {
    pub const fn new(mode: Mode) -> Self {
        Self { mode }
    }

    pub const fn mode(self) -> Mode {
        self.mode
    }

    /// Waits for `work`, and says so when it takes long.
    pub async fn during<F: Future>(self, label: &str, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        if self.mode == Mode::Off {
            return work.await;
        }
        tokio::select! {
            done = &mut work => return done,
            () = sleep(PATIENCE) => {}
        }
        let bar = self.bar(label);
        let since = Instant::now() - PATIENCE;
        let mut ticks = interval_at(Instant::now(), LINE);
        loop {
            tokio::select! {
                done = &mut work => {
                    bar.finish_and_clear();
                    return done;
                }
                _ = ticks.tick(), if self.mode == Mode::Lines => {
                    line(&format!("{label}, {} s", since.elapsed().as_secs()));
                }
            }
        }
    }

    /// A spinner that its owner moves; hidden unless there is a terminal.
    pub fn bar(self, label: &str) -> ProgressBar {
        if self.mode != Mode::Spinner {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner()
            .with_style(style)
            .with_message(label.to_owned());
        bar.enable_steady_tick(TURN);
        bar
    }

    /// A counter for work without an end in sight, such as lines from a pipe.
    pub fn counter(self, what: &'static str) -> Counter {
        Counter {
            progress: self,
            what,
            since: std::time::Instant::now(),
            told: Duration::ZERO,
            bar: None,
        }
    }
}

/// Counts aloud.
#[derive(Debug)]
pub struct Counter {
    progress: Progress,
    what: &'static str,
    since: std::time::Instant,
    told: Duration,
    bar: Option<ProgressBar>,
}

impl Counter {
    /// Takes the count so far.
    pub fn tell(&mut self, count: u64) {
        let elapsed = self.since.elapsed();
        match self.progress.mode {
            Mode::Spinner if elapsed >= PATIENCE => {
                let bar = self.bar.get_or_insert_with(|| self.progress.bar(self.what));
                bar.set_message(format!("{count} {}", self.what));
            }
            Mode::Lines if elapsed >= self.told + LINE => {
                self.told = elapsed;
                line(&format!("{count} {}, {} s", self.what, elapsed.as_secs()));
            }
            Mode::Off | Mode::Spinner | Mode::Lines => {}
        }
    }

    pub fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(text: &str) {
    writeln!(io::stderr().lock(), "{text}").ok();
}
