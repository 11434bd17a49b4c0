//! A line on stderr that says how far it is, for work that takes longer than a second.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Outcome;

/// Work that is shorter is not worth a line.
const QUIET: Duration = Duration::from_secs(1);

/// Time between two lines where lines cannot be overwritten.
const PAUSE: Duration = Duration::from_secs(10);

/// How far it is.
#[derive(Debug)]
pub(super) struct Progress {
    total: u64,
    /// The line is overwritten instead of followed by another.
    terminal: bool,
    shown: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    seeds: u64,
    events: u64,
    started: Instant,
    wrote: Option<Instant>,
}

impl Progress {
    pub(super) fn new(total: u64, always: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let state = State {
            seeds: 0,
            events: 0,
            started: Instant::now(),
            wrote: None,
        };
        Self {
            total,
            terminal,
            shown: terminal || always,
            state: Mutex::new(state),
        }
    }

    pub(super) fn finished(&self, outcome: &Outcome) {
        if !self.shown {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seeds += 1;
        state.events += outcome.figures.events;
        let pause = if self.terminal {
            Duration::from_millis(100)
        } else {
            PAUSE
        };
        let recent = state.wrote.is_some_and(|at| at.elapsed() < pause);
        if state.started.elapsed() < QUIET || recent {
            return;
        }
        state.wrote = Some(Instant::now());
        let (seeds, total, events) = (state.seeds, self.total, state.events);
        let (before, after) = if self.terminal {
            ("\r", "\x1b[K")
        } else {
            ("", "\n")
        };
        let line = format!("{before}{seeds} of {total} seeds, {events} events{after}");
        // Progress that cannot be shown is no failure.
        io::stderr().write_all(line.as_bytes()).ok();
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.terminal && state.wrote.is_some() {
            io::stderr().write_all(b"\r\x1b[K").ok();
        }
    }
}
