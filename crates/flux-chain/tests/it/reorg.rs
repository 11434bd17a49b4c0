//! Taking blocks back and applying them again gives the state of the straight run.

use std::sync::LazyLock;

use fluxplane_flux_chain::fluxnode::{FluxnodeState, Mode};
use proptest::prelude::*;

use crate::support::recorded::{Chain, tip};

/// The state after each block, and the chain at its tip.
static STRAIGHT: LazyLock<(Vec<FluxnodeState>, Chain)> = LazyLock::new(|| {
    // Signatures were verified elsewhere; here the states count.
    let mut chain = Chain::genesis(Mode::Follow);
    let mut states = vec![chain.state.clone()];
    while chain.height() < tip() {
        chain.forward();
        states.push(chain.state.clone());
    }
    (states, chain)
});

fn state_at(height: u32) -> &'static FluxnodeState {
    &STRAIGHT.0[usize::try_from(height).unwrap()]
}

#[test]
fn the_whole_chain_can_be_taken_back_and_run_again() {
    let mut chain = STRAIGHT.1.clone();
    while chain.height() > 0 {
        chain.back();
        assert_eq!(&chain.state, state_at(chain.height()));
    }
    while chain.height() < tip() {
        chain.forward();
        assert_eq!(&chain.state, state_at(chain.height()));
    }
    assert_eq!(chain.deltas, STRAIGHT.1.deltas);
}

#[test]
fn every_depth_up_to_the_limit_leads_back_around_the_expiries() {
    let mut chain = STRAIGHT.1.clone();
    while chain.height() > 948 {
        chain.back();
    }
    for depth in 1..=39 {
        let top = chain.height();
        for _ in 0..depth {
            chain.back();
        }
        assert_eq!(&chain.state, state_at(top - depth));
        chain.forward_to(top);
        assert_eq!(&chain.state, state_at(top));
        chain.back();
    }
}

#[test]
fn a_record_of_another_height_is_refused() {
    let mut chain = STRAIGHT.1.clone();
    let old = chain.deltas[100].undo.clone();
    let error = chain.state.undo_block(&old).unwrap_err();
    assert_eq!((error.record, error.tip), (101, tip()));
    assert_eq!(&chain.state, state_at(tip()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_reorganisation_of_any_depth_leads_to_the_straight_state(
        height in 1_u32..=960,
        depth in 1_u32..=39,
        deeper in 0_u32..=10,
    ) {
        let mut chain = STRAIGHT.1.clone();
        while chain.height() > height {
            chain.back();
        }
        let depth = depth.min(height);
        for _ in 0..depth {
            chain.back();
        }
        prop_assert_eq!(&chain.state, state_at(height - depth));
        // A branch that is itself given up half way.
        chain.forward_to(height - depth / 2);
        for _ in 0..deeper.min(chain.height()) {
            chain.back();
        }
        chain.forward_to(height);
        prop_assert_eq!(&chain.state, state_at(height));
    }
}
