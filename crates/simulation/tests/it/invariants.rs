//! Every invariant holds after every event of a few dozen histories.

use fluxplane_simulation::{Settings, figures::Figures, run};

use crate::small;

#[test]
fn every_invariant_holds_in_a_few_dozen_small_histories() {
    let mut all = Figures::default();
    for seed in 1..=30 {
        let outcome = run(small(seed));
        assert!(outcome.failure.is_none(), "seed {seed}: {outcome:#?}");
        all.add(&outcome.figures);
    }
    // Nothing holds where nothing happens.
    assert!(all.node_losses > 100, "{all:?}");
    assert!(all.plane_outages > 3, "{all:?}");
    assert!(all.placed_again.len() > 20, "{all:?}");
    assert!(
        all.waiting_ms > 0 && all.waiting_ms < all.wanted_ms,
        "{all:?}"
    );
}

#[test]
fn every_invariant_holds_in_a_history_of_full_size() {
    let outcome = run(Settings {
        nodes: None,
        events: 1_000,
        ..small(1)
    });
    assert!(outcome.failure.is_none(), "{outcome:#?}");
    assert!(outcome.figures.nodes >= 300 && outcome.figures.events >= 1_000);
}

#[test]
fn a_node_that_dies_alone_is_replaced_within_twenty_seconds() {
    // Fifteen seconds after the last beat it is suspect, two later the probe has failed, the rest is messages. A machine
    // that answers the probe gets thirty seconds.
    let times: Vec<i64> = (1..=8)
        .flat_map(|seed| run(small(seed)).figures.placed_undisturbed)
        .collect();
    let quick = times.iter().filter(|time| **time <= 20_000).count();
    assert!(times.len() > 10 && quick * 2 > times.len(), "{times:?}");
    assert!(times.iter().all(|time| *time <= 35_000), "{times:?}");
}
