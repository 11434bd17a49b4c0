//! What makes a start or a confirm invalid.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    ChainParams, Hash256, Transaction,
    build::StartKind,
    fluxnode::Status,
    tx::UpdateKind::{Initial, Update},
};

use crate::support::chain::{IP, THOUSAND, TestChain, benchmark_key, devnet, key, status};

#[test]
fn the_signers_must_be_the_right_ones() {
    let mut chain = devnet();
    let node = chain.node(1, THOUSAND);
    chain.block(&[&node.start().bytes]);
    let builder = node.confirm_builder(Initial, IP);
    let wrong_node = builder.sign(&node.owner, &benchmark_key());
    let wrong_benchmark = builder.sign(&node.machine, &node.machine);
    for bad in [wrong_node, wrong_benchmark] {
        assert_eq!(
            chain.reason(&[&bad.bytes]),
            "bad-txns-fluxnode-tx-invalid-signature"
        );
    }
    chain.block(&[&builder.sign_upgraded(&node.machine, &benchmark_key()).bytes]);
    assert_eq!(status(&chain, &node), Some(Status::Confirmed));
}

#[test]
fn the_benchmark_must_reach_the_tier() {
    let mut chain = devnet();
    let node = chain.node(1, Sat::from_flux(12_500));
    chain.block(&[&node.start().bytes]);
    let mut builder = node.confirm_builder(Initial, IP);
    builder.benchmark_tier = Tier::Cumulus;
    let low = builder.sign(&node.machine, &benchmark_key());
    assert_eq!(
        chain.reason(&[&low.bytes]),
        "fluxnode-tx-benchmark-tier-to-low-for-collateral"
    );
    // Higher is fine, and changes nothing.
    builder.benchmark_tier = Tier::Stratus;
    chain.block(&[&builder.sign(&node.machine, &benchmark_key()).bytes]);
    assert_eq!(
        chain.state.node(&node.collateral).unwrap().tier,
        Tier::Nimbus
    );
}

#[test]
fn confirms_fit_the_state_of_the_node() {
    let mut chain = devnet();
    let node = chain.node(1, THOUSAND);
    assert_eq!(
        chain.reason(&[&node.confirm(Initial, IP).bytes]),
        "fluxnode-tx-invalid-confirm-outpoint-not-started"
    );
    assert_eq!(
        chain.reason(&[&node.confirm(Update, IP).bytes]),
        "fluxnode-tx-invalid-update-confirm-outpoint-not-confirmed"
    );
    chain.block(&[&node.start().bytes]);
    assert_eq!(
        chain.reason(&[&node.confirm(Update, IP).bytes]),
        "fluxnode-tx-invalid-update-confirm-outpoint-not-confirmed"
    );
    chain.block(&[&node.confirm(Initial, IP).bytes]);
    assert_eq!(
        chain.reason(&[&node.confirm(Initial, IP).bytes]),
        "fluxnode-tx-invalid-confirm-outpoint-not-started"
    );
    assert_eq!(
        chain.reason(&[&node.start().bytes]),
        "fluxnode-tx-already-in-confirm-chain"
    );
}

#[test]
fn an_address_has_its_longest_length() {
    let mut chain = devnet();
    let node = chain.node(1, THOUSAND);
    chain.block(&[&node.start().bytes]);
    for (time, limit) in [(1_647_262_799, 40), (1_647_262_800, 60)] {
        let mut builder = node.confirm_builder(Initial, &"a".repeat(limit + 1));
        builder.benchmark_sig_time = time;
        let long = builder.sign(&node.machine, &benchmark_key());
        assert_eq!(
            chain.reason(&[&long.bytes]),
            "bad-txns-fluxnode-tx-ip-address-to-large"
        );
        builder.ip = "a".repeat(limit);
        let fits = builder.sign(&node.machine, &benchmark_key());
        chain.clone().block(&[&fits.bytes]);
    }
}

#[test]
fn one_collateral_has_one_transaction_in_a_block() {
    let mut chain = devnet();
    let node = chain.node(1, THOUSAND);
    let start = node.start();
    assert_eq!(
        chain.reason(&[&start.bytes, &start.bytes]),
        "bad-fluxnode-tx-multiple"
    );
}

#[test]
fn transactions_wait_for_their_upgrade() {
    let start_at = |height: u32, amount, upgraded: bool| {
        let mut chain = TestChain::at(ChainParams::main(), height - 1);
        let node = chain.node(1, Sat::from_flux(amount));
        let collateral_key = node.owner.public_key();
        let kind = if upgraded {
            StartKind::Normal { collateral_key }
        } else {
            StartKind::Plain { collateral_key }
        };
        chain.try_block(&[&node.start_kind(kind).bytes])
    };
    let reason =
        |height, amount, upgraded| start_at(height, amount, upgraded).unwrap_err().reason();
    assert_eq!(reason(557_999, 10_000, false), "tx-fluxnodes-not-active");
    start_at(558_000, 10_000, false).unwrap();
    assert_eq!(reason(1_549_499, 1_000, true), "tx-p2shnodes-not-active");
    start_at(1_549_500, 1_000, true).unwrap();
}

#[test]
fn features_of_version_6_wait_for_proof_of_node() {
    let mut chain = TestChain::at(ChainParams::main(), 2_019_997);
    let node = chain.node(1, THOUSAND);
    let mut builder = node.start_builder(StartKind::Normal {
        collateral_key: node.owner.public_key(),
    });
    builder.delegation = Some(fluxplane_flux_chain::build::Delegation::Update(vec![
        key(9).public_key(),
    ]));
    let start = builder.sign(&node.owner);
    assert_eq!(chain.reason(&[&start.bytes]), "tx-bit-features-not-active");
    chain.block(&[&node.start().bytes]);
    // A confirm of version 6 has no flux version, which mining years refuse as well.
    let confirm = node
        .confirm_builder(Initial, IP)
        .sign_upgraded(&node.machine, &benchmark_key());
    assert_eq!(
        chain.reason(&[&confirm.bytes]),
        "tx-bit-features-not-active"
    );
    chain.block_at(2_020_000, &[&confirm.bytes]);
}

#[test]
fn a_relayed_transaction_is_judged_like_one_in_the_next_block() {
    let mut chain = devnet();
    let node = chain.node(1, THOUSAND);
    let start = node.start();
    let transaction = Transaction::parse(&start.bytes).unwrap();
    chain
        .state
        .check_transaction(&transaction, &chain.coins)
        .unwrap();
    chain.block(&[&start.bytes]);
    let fault = chain
        .state
        .check_transaction(&transaction, &chain.coins)
        .unwrap_err();
    assert_eq!(
        fault.reason(),
        "fluxnode-tx-already-in-chain-or-waiting-for-dos-unban"
    );
    assert_ne!(transaction.txid(), Hash256::ZERO);
}
