//! Delegates: recorded transactions of a daemon, and the rules around them.

use std::{collections::HashMap, sync::Arc};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    ChainParams, PublicKey, Transaction,
    build::{Delegation, StartKind},
    fluxnode::{Collateral, Event, FluxnodeState, Snapshot, Status},
    script::p2pkh,
    tx::{Fluxnode, Start},
};

use crate::support::{
    chain::{TestChain, key},
    fixture::{NODES, bytes, hash, outpoint, text},
};

fn start<'t>(transaction: &'t Transaction<'_>) -> &'t Start<'t> {
    match transaction.as_fluxnode() {
        Some(Fluxnode::Start(start)) => start,
        other => panic!("{other:?}"),
    }
}

/// The recorded chain at the height before the first of the transactions, with their collateral.
fn recorded_chain() -> TestChain {
    let data = &NODES["delegate_transactions"];
    let collateral = outpoint(&data["collateral"]);
    let raw = bytes(data, "start_with_delegates_hex");
    let transaction = Transaction::parse(&raw).unwrap();
    let owner = PublicKey::parse(start(&transaction).collateral_key()).unwrap();
    let coin = Collateral {
        value: Sat::from_flux(1_000),
        height: 900,
        script: p2pkh(&owner.id()),
    };
    let snapshot = Snapshot {
        height: 1_040,
        nodes: Vec::new(),
        delegates: Vec::new(),
    };
    let params = Arc::new(ChainParams::regtest_nodes());
    TestChain {
        state: FluxnodeState::import(params, snapshot).unwrap(),
        coins: HashMap::from([(collateral, coin)]),
        deltas: Vec::new(),
    }
}

#[test]
fn the_recorded_delegate_starts_the_node_and_it_confirms() {
    let data = &NODES["delegate_transactions"];
    let collateral = outpoint(&data["collateral"]);
    let delegate: PublicKey = text(data, "delegate_pubkey").parse().unwrap();
    let first = bytes(data, "start_with_delegates_hex");
    let second = bytes(data, "start_signed_by_delegate_hex");
    let confirm = bytes(data, "confirm_v6_hex");
    let mut chain = recorded_chain();

    // Without delegates on record, the delegate cannot sign.
    let mut early = chain.clone();
    assert_eq!(
        early.reason(&[&second]),
        "bad-txns-fluxnode-tx-invalid-signature"
    );

    let delta = chain.block_at(1_041, &[&first]);
    assert!(delta.events.contains(&Event::DelegatesChanged {
        collateral,
        keys: vec![delegate],
    }));
    assert_eq!(chain.state.delegates(&collateral), [delegate]);
    // Never confirmed: on the DoS list at +240, free at +720, and the delegates stay.
    chain.grow_to(1_281);
    assert_eq!(chain.state.node(&collateral).unwrap().status, Status::Dos);
    let mut waiting = chain.clone();
    assert_eq!(
        waiting.reason(&[&second]),
        "fluxnode-tx-already-in-chain-or-waiting-for-dos-unban"
    );
    chain.grow_to(1_761);
    assert_eq!(chain.state.node(&collateral), None);
    assert_eq!(chain.state.delegates(&collateral), [delegate]);

    let transaction = Transaction::parse(&second).unwrap();
    assert_eq!(
        transaction.txid(),
        hash(data, "start_signed_by_delegate_txid")
    );
    chain.block_at(1_762, &[&second]);
    chain.block_at(1_763, &[&confirm]);
    let node = chain.state.node(&collateral).unwrap();
    assert_eq!(node.status, Status::Confirmed);
    assert_eq!(node.start_version, 6);
    assert!(!node.ip.is_empty());
}

#[test]
fn delegates_are_set_replaced_and_removed_and_every_step_undoes() {
    let mut chain = TestChain::at(ChainParams::regtest_nodes(), 500);
    let node = chain.node(1, Sat::from_flux(1_000));
    let normal = StartKind::Normal {
        collateral_key: node.owner.public_key(),
    };
    let (first, second) = (key(11).public_key(), key(12).public_key());
    let with = |delegation| {
        let mut builder = node.start_builder(normal.clone());
        builder.delegation = Some(delegation);
        builder
    };
    chain.block(&[&with(Delegation::Update(vec![first, second]))
        .sign(&node.owner)
        .bytes]);
    assert_eq!(chain.state.delegates(&node.collateral), [first, second]);
    chain.grow_to(501 + 720);

    // A delegate may start, but may not name delegates.
    let usurped = with(Delegation::Update(vec![second])).sign(&key(12));
    assert_eq!(
        chain.reason(&[&usurped.bytes]),
        "bad-txns-fluxnode-tx-invalid-signature"
    );
    let stranger = with(Delegation::Signing).sign(&key(13));
    assert_eq!(
        chain.reason(&[&stranger.bytes]),
        "bad-txns-fluxnode-tx-invalid-signature"
    );
    chain.block(&[&with(Delegation::Signing).sign(&key(12)).bytes]);
    assert_eq!(chain.state.delegates(&node.collateral), [first, second]);
    chain.grow_to(chain.height() + 720);

    let delta = chain.block(&[&with(Delegation::Update(Vec::new())).sign(&node.owner).bytes]);
    assert!(chain.state.delegates(&node.collateral).is_empty());
    chain.state.undo_block(&delta.undo).unwrap();
    assert_eq!(chain.state.delegates(&node.collateral), [first, second]);
}

#[test]
fn a_delegates_part_must_be_whole() {
    let mut chain = TestChain::at(ChainParams::regtest_nodes(), 500);
    let node = chain.node(1, Sat::from_flux(1_000));
    let normal = StartKind::Normal {
        collateral_key: node.owner.public_key(),
    };
    let mut builder = node.start_builder(normal);
    builder.delegation = Some(Delegation::Update(
        (1..=5).map(|number| key(number).public_key()).collect(),
    ));
    let five = builder.sign(&node.owner);
    let long = fluxplane_flux_chain::PrivateKey::from_bytes(&[9; 32], false).unwrap();
    builder.delegation = Some(Delegation::Update(vec![long.public_key()]));
    let uncompressed = builder.sign(&node.owner);
    builder.delegation = Some(Delegation::Update(Vec::new()));
    let removing = builder.sign(&node.owner).bytes;
    // The flag "using" set to 0 leaves no data, which the bit in the version does not allow.
    let mut unused = removing.clone();
    let end = unused.len();
    assert_eq!(unused[end - 4..], [1, 1, 1, 0]);
    unused.truncate(end - 4);
    unused.push(0);
    // A kind nobody knows.
    let mut unknown = removing;
    unknown.truncate(end - 2);
    unknown.push(7);
    for bad in [five.bytes, uncompressed.bytes, unused, unknown] {
        assert_eq!(
            chain.reason(&[&bad]),
            "bad-txns-fluxnode-tx-delegate-data-invalid"
        );
    }
}
