//! What the simulation promises: histories repeat, invariants hold, and no invariant is one that cannot fail.

#![expect(clippy::unwrap_used, reason = "tests")]

mod determinism;
mod invariants;
mod program;
mod sabotage;

use fluxplane_simulation::Settings;

/// A small history: it is over in a moment, and everything happens in some seed.
fn small(seed: u64) -> Settings {
    Settings {
        seed,
        events: 500,
        nodes: Some(40),
        sabotage: None,
    }
}
