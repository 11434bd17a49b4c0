//! Who may start a node with which collateral.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    ChainParams, PrivateKey, ScriptBuf,
    build::StartKind,
    params::TimedKey,
    script::{multisig, p2pkh, p2sh},
    tx::UpdateKind,
};

use crate::support::chain::{TestChain, key};

const THOUSAND: Sat = Sat::from_flux(1_000);

fn chain() -> TestChain {
    TestChain::at(ChainParams::regtest_nodes(), 500)
}

fn multisig_of(numbers: &[u8]) -> ScriptBuf {
    let keys: Vec<_> = numbers
        .iter()
        .map(|number| key(*number).public_key())
        .collect();
    multisig(2, &keys).unwrap()
}

#[test]
fn collateral_must_be_a_hundred_blocks_deep() {
    let mut chain = chain();
    let script = p2pkh(&key(1).public_key().id());
    // The start is mined at 501.
    let young = chain.node_with(1, THOUSAND, script.clone(), 402);
    assert_eq!(
        chain.reason(&[&young.start().bytes]),
        "bad-txns-fluxnode-inputs-invalid-spent-or-bad-value-Minimum height requirement not met"
    );
    let ripe = chain.node_with(1, THOUSAND, script, 401);
    chain.block(&[&ripe.start().bytes]);
    assert_eq!(
        chain.state.node(&ripe.collateral).unwrap().tier,
        Tier::Cumulus
    );
}

#[test]
fn collateral_must_exist_and_have_an_exact_amount() {
    let mut chain = chain();
    let mut node = chain.node(1, Sat::new(THOUSAND.get() + 1));
    assert_eq!(
        chain.reason(&[&node.start().bytes]),
        "bad-txns-fluxnode-inputs-invalid-spent-or-bad-value-Couldn't get coin tier from amount"
    );
    node.collateral.n += 1;
    assert_eq!(
        chain.reason(&[&node.start().bytes]),
        "fluxnode-tx-coins-not-available"
    );
}

#[test]
fn only_the_owner_can_start() {
    let mut chain = chain();
    let node = chain.node(1, THOUSAND);
    // Signed by somebody else.
    let kind = StartKind::Plain {
        collateral_key: node.owner.public_key(),
    };
    let forged = node.start_builder(kind).sign(&key(2));
    assert_eq!(
        chain.reason(&[&forged.bytes]),
        "bad-txns-fluxnode-tx-invalid-signature"
    );
    // Signed by somebody who names his own key.
    let kind = StartKind::Plain {
        collateral_key: key(2).public_key(),
    };
    let stolen = node.start_builder(kind).sign(&key(2));
    assert_eq!(
        chain.reason(&[&stolen.bytes]),
        "fluxnode-tx-destinations-didn't-match"
    );
}

#[test]
fn a_bare_key_output_is_collateral_for_version_5_only() {
    let mut chain = chain();
    let owner = key(1).public_key();
    let mut bare = vec![33];
    bare.extend_from_slice(owner.as_bytes());
    bare.push(0xac);
    let node = chain.node_with(1, THOUSAND, ScriptBuf::new(bare), 1);
    let normal = StartKind::Normal {
        collateral_key: owner,
    };
    assert_eq!(
        chain.reason(&[&node.start_kind(normal).bytes]),
        "fluxnode-tx-normal-version-not-p2pkh-script"
    );
    chain.block(&[&node.start().bytes]);
    // It is paid to the key hash all the same.
    let entry = chain.state.node(&node.collateral).unwrap();
    assert_eq!(entry.payment_script, p2pkh(&owner.id()));
}

#[test]
fn a_p2sh_node_is_started_by_any_key_of_its_script_and_paid_to_it() {
    let mut chain = chain();
    let redeem = multisig_of(&[21, 22, 23]);
    let script = p2sh(&redeem.as_script().id());
    let node = chain.node_with(1, THOUSAND, script.clone(), 1);
    let kind = StartKind::P2sh {
        redeem_script: redeem.clone(),
    };
    let stranger = node.start_builder(kind.clone()).sign(&key(24));
    assert_eq!(
        chain.reason(&[&stranger.bytes]),
        "bad-txns-fluxnode-tx-invalid-signature"
    );
    let other = StartKind::P2sh {
        redeem_script: multisig_of(&[22, 23]),
    };
    let wrong_script = node.start_builder(other).sign(&key(22));
    assert_eq!(
        chain.reason(&[&wrong_script.bytes]),
        "fluxnode-tx-p2shnodes-destinations-didn't-match"
    );
    let no_multisig = StartKind::P2sh {
        redeem_script: p2pkh(&key(22).public_key().id()),
    };
    let no_multisig = node.start_builder(no_multisig).sign(&key(22));
    assert_eq!(
        chain.reason(&[&no_multisig.bytes]),
        "bad-txns-fluxnode-tx-redeemscript-not-multisig"
    );
    let started = node.start_builder(kind).sign(&key(23));
    chain.block(&[&started.bytes]);
    chain.block(&[&node.confirm(UpdateKind::Initial, "192.0.2.1").bytes]);
    assert_eq!(chain.state.next_payees()[0].script, script);
    let entry = chain.state.node(&node.collateral).unwrap();
    assert_eq!(entry.redeem_script, redeem);
    assert!(entry.collateral_key.is_none());
}

#[test]
fn a_p2sh_start_needs_p2sh_collateral_and_the_other_way_round() {
    let mut chain = chain();
    let keyed = chain.node(1, THOUSAND);
    let kind = StartKind::P2sh {
        redeem_script: multisig_of(&[21, 22]),
    };
    let start = keyed.start_builder(kind).sign(&key(21));
    assert_eq!(
        chain.reason(&[&start.bytes]),
        "fluxnode-tx-p2sh-version-not-p2sh-script"
    );
    let script = p2sh(&multisig_of(&[21, 22]).as_script().id());
    let scripted = chain.node_with(2, THOUSAND, script, 1);
    assert_eq!(
        chain.reason(&[&scripted.start().bytes]),
        "fluxnode-tx-p2sh-publickeys-didn't-match"
    );
}

/// Main with a foundation key the test has.
fn foundation(height: u32) -> (TestChain, PrivateKey) {
    let foundation = PrivateKey::from_bytes(&[0xf0; 32], false).unwrap();
    let mut params = ChainParams::main();
    params.nodes.foundation_start_keys = vec![TimedKey {
        key: foundation.public_key(),
        valid_from: 0,
    }];
    (TestChain::at(params, height), foundation)
}

#[test]
fn the_foundations_key_started_p2sh_nodes_between_two_upgrades() {
    let verdict = |height: u32, amount: i64| {
        let (mut chain, foundation) = foundation(height);
        let script = p2sh(&multisig_of(&[21, 22]).as_script().id());
        let node = chain.node_with(1, Sat::from_flux(amount), script.clone(), 1);
        let kind = StartKind::Plain {
            collateral_key: foundation.public_key(),
        };
        let start = node.start_builder(kind).sign(&foundation);
        chain.try_block(&[&start.bytes]).map(|_| {
            // Payments go to the owner of the collateral, not to the key.
            let entry = chain.state.node(&node.collateral).unwrap();
            assert_eq!(entry.payment_script, script);
        })
    };
    let reason = |height, amount| verdict(height, amount).unwrap_err().reason();
    assert!(reason(1_076_530, 10_000).ends_with("before it is active"));
    verdict(1_076_531, 10_000).unwrap();
    verdict(1_549_498, 1_000).unwrap();
    assert!(reason(1_549_499, 1_000).contains("no longer available"));
}
