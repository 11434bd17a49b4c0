//! What may wait, what the daemon says to what may not, and how the pool follows the chain.

use std::{slice::from_ref, time::Duration};

use fluxplane_core::{FixedClock, Sat, Tier};
use fluxplane_devnet::{ChainHandle, ChainRules};
use fluxplane_flux_chain::{
    OutPoint,
    build::{Built, FeeRate, PaymentBuilder, StartBuilder, StartKind, Utxo},
};
use serde_json::{Value, json};

use crate::ground::{
    account_coin, branch_id, chain, clock, mined_at, next_height, payment, refused, sent,
};

fn hex(built: &Built) -> Value {
    json!(built.hex())
}

/// Code and text `sendrawtransaction` refuses a payment with.
fn refusal(chain: &ChainHandle, built: &Built) -> (i32, String) {
    let error = refused(chain, "sendrawtransaction", &[hex(built)]);
    (error.code, error.message)
}

/// A payment of account 0 with some of its particulars changed.
fn unusual(chain: &ChainHandle, change: impl FnOnce(PaymentBuilder) -> PaymentBuilder) -> Built {
    let (key, coin) = account_coin(chain, 0);
    let builder = PaymentBuilder::new()
        .spend(coin)
        .pay(&chain.account(1).1, Sat::from_flux(5))
        .change_to(chain.account(0).1);
    change(builder)
        .build()
        .unwrap()
        .sign(&[key], branch_id(chain))
        .unwrap()
}

#[test]
fn a_payment_waits_and_is_mined_first_come_first_served() {
    let chain = chain();
    let sent: Vec<_> = (0..5)
        .map(|from| sent(&chain, &payment(&chain, from, &chain.account(9).1)).unwrap())
        .collect();
    assert_eq!(chain.waiting(), sent);
    chain.mine(1).unwrap();
    assert_eq!(mined_at(&chain, chain.height())[1..], sent);
    assert_eq!(chain.waiting(), []);
}

#[test]
fn a_payment_that_waits_may_be_sent_again() {
    let chain = chain();
    let built = payment(&chain, 0, &chain.account(1).1);
    let txid = json!(built.txid);
    for _ in 0..2 {
        assert_eq!(
            chain.call("sendrawtransaction", &[hex(&built)]).unwrap(),
            txid
        );
    }
    assert_eq!(chain.waiting(), [built.txid]);
}

#[test]
fn a_payment_in_a_block_is_known() {
    let chain = chain();
    let built = payment(&chain, 0, &chain.account(1).1);
    sent(&chain, &built).unwrap();
    chain.mine(1).unwrap();
    let expected = (-27, "transaction already in block chain".to_owned());
    assert_eq!(refusal(&chain, &built), expected);
}

#[test]
fn conflicts_and_unknown_coins_are_dropped_without_a_word() {
    let chain = chain();
    sent(&chain, &payment(&chain, 0, &chain.account(1).1)).unwrap();
    let rival = payment(&chain, 0, &chain.account(2).1);
    assert_eq!(refusal(&chain, &rival), (-25, String::new()));

    let (key, mut coin) = account_coin(&chain, 3);
    coin.outpoint = OutPoint::new(fluxplane_flux_chain::Hash256::from_wire([5; 32]), 0);
    let unknown = PaymentBuilder::new()
        .spend(coin)
        .pay(&chain.account(1).1, Sat::from_flux(1))
        .build()
        .unwrap()
        .sign(&[key], branch_id(&chain))
        .unwrap();
    assert_eq!(refusal(&chain, &unknown), (-25, String::new()));
}

#[test]
fn what_breaks_a_rule_is_refused_with_the_daemons_code() {
    let chain = chain();
    let mut forged = payment(&chain, 0, &chain.account(1).1);
    forged.bytes[4 + 4 + 1 + 36 + 1 + 20] ^= 1;
    let (code, text) = refusal(&chain, &forged);
    assert_eq!(code, -26);
    assert!(
        text.starts_with("16: mandatory-script-verify-flag-failed ("),
        "{text}"
    );

    let soon = unusual(&chain, |builder| {
        builder.expiry_height(next_height(&chain) + 2)
    });
    let (code, text) = refusal(&chain, &soon);
    assert_eq!(code, -26);
    assert_eq!(
        text,
        "tx-expiring-soon: expiryheight is 113 but should be at least 114 to avoid transaction expiring soon"
    );

    let locked = unusual(&chain, |builder| builder.lock_time(500));
    assert_eq!(refusal(&chain, &locked), (-26, "64: non-final".to_owned()));

    let dev_fund = chain
        .accounts()
        .into_iter()
        .find(|key| key.name == "dev-fund")
        .unwrap();
    let coin = crate::ground::coins(&chain, &dev_fund.address)
        .pop()
        .unwrap();
    let young = PaymentBuilder::new()
        .spend(coin)
        .pay(&dev_fund.address, Sat::from_flux(1))
        .build()
        .unwrap()
        .sign(&[dev_fund.key], branch_id(&chain))
        .unwrap();
    assert_eq!(
        refusal(&chain, &young),
        (-26, "16: bad-txns-premature-spend-of-coinbase".to_owned())
    );
}

#[test]
fn a_spent_output_of_a_known_transaction_is_a_duplicate_spend() {
    let chain = chain();
    // The change keeps the first transaction known while its other output is spent.
    let (first_key, first_address) = chain.account(1);
    let first = payment(&chain, 0, &first_address);
    sent(&chain, &first).unwrap();
    chain.mine(1).unwrap();
    let coin = Utxo {
        outpoint: OutPoint::new(first.txid, 0),
        value: Sat::from_flux(5),
        script: first_address.script(),
    };
    let spend = |to: u32| {
        let unsigned = PaymentBuilder::new()
            .spend(coin.clone())
            .pay(&chain.account(to).1, Sat::from_flux(4))
            .change_to(first_address);
        let unsigned = unsigned.build().unwrap();
        unsigned
            .sign(from_ref(&first_key), branch_id(&chain))
            .unwrap()
    };
    sent(&chain, &spend(2)).unwrap();
    chain.mine(1).unwrap();
    assert_eq!(
        refusal(&chain, &spend(3)),
        (-26, "18: bad-txns-inputs-spent".to_owned())
    );
}

#[test]
fn a_fee_that_looks_like_a_slip_is_refused_unless_asked_for() {
    let chain = chain();
    let (key, coin) = account_coin(&chain, 0);
    let built = PaymentBuilder::new()
        .spend(coin)
        .pay(&chain.account(1).1, Sat::from_flux(5))
        .fee_rate(FeeRate(100))
        .build()
        .unwrap()
        .sign(&[key], branch_id(&chain))
        .unwrap();
    let (code, text) = refusal(&chain, &built);
    assert_eq!(code, -25);
    assert!(text.contains("absurdly high fees"), "{text}");
    chain
        .call("sendrawtransaction", &[hex(&built), json!(true)])
        .unwrap();
}

#[test]
fn bytes_that_are_no_transaction_do_not_decode() {
    let chain = chain();
    for text in ["", "00", "zz"] {
        let error = refused(&chain, "sendrawtransaction", &[json!(text)]);
        assert_eq!((error.code, &*error.message), (-22, "TX decode failed"));
    }
}

#[test]
fn a_mined_rival_takes_a_payment_and_what_builds_on_it_away() {
    let chain = chain();
    let (key, address) = chain.account(1);
    let rival = payment(&chain, 0, &chain.account(2).1);
    let block = crate::ground::with_transaction(&crate::ground::next_block(&chain), &rival);

    let first = payment(&chain, 0, &address);
    sent(&chain, &first).unwrap();
    let onward = PaymentBuilder::new()
        .spend(Utxo {
            outpoint: OutPoint::new(first.txid, 0),
            value: Sat::from_flux(5),
            script: address.script(),
        })
        .pay(&chain.account(3).1, Sat::from_flux(4))
        .change_to(address)
        .build()
        .unwrap()
        .sign(&[key], branch_id(&chain))
        .unwrap();
    sent(&chain, &onward).unwrap();
    let described = chain.call("getrawmempool", &[json!(true)]).unwrap();
    assert_eq!(
        described[onward.txid.to_string()]["depends"],
        json!([first.txid])
    );
    let unrelated = payment(&chain, 4, &address);
    sent(&chain, &unrelated).unwrap();

    assert_eq!(crate::ground::submit(&chain, &block), Value::Null);
    assert_eq!(chain.waiting(), [unrelated.txid]);
}

#[test]
fn a_payment_leaves_when_it_expires() {
    let chain = chain();
    let built = unusual(&chain, |builder| builder.expiry_height(114));
    sent(&chain, &built).unwrap();
    // Blocks that do not take it up.
    let twin = crate::ground::chain();
    for height in 111..=114 {
        assert_eq!(chain.waiting(), [built.txid], "height {height}");
        twin.mine(1).unwrap();
        let raw = twin.block(height).unwrap();
        assert_eq!(crate::ground::submit(&chain, &raw), Value::Null);
    }
    assert_eq!(chain.waiting(), []);
}

/// A collateral of the first block that no node has: the second of its tier.
fn free_collateral(chain: &ChainHandle) -> OutPoint {
    let node = crate::ground::confirmed_node(chain, Tier::Cumulus, "198.51.100.30");
    chain.set_node_running(&node.collateral, false).unwrap();
    let free = OutPoint::new(node.collateral.txid, node.collateral.n + 1);
    let coin = chain
        .call("gettxout", &[json!(free.txid), json!(free.n)])
        .unwrap();
    assert_eq!(coin["value"], 1000.0);
    free
}

fn sign_start(chain: &ChainHandle, collateral: OutPoint, sig_time: u32) -> Built {
    let ready = fluxplane_flux_chain::PrivateKey::from_bytes(
        fluxplane_flux_chain::Hash256::sha256d(b"fluxplane-devnet/fluxplane/ready-cumulus-1/0")
            .as_wire(),
        true,
    )
    .unwrap();
    let builder = StartBuilder {
        kind: StartKind::Normal {
            collateral_key: ready.public_key(),
        },
        collateral,
        node_key: chain.account(8).0.public_key(),
        sig_time,
        delegation: None,
    };
    builder.sign(&ready)
}

fn seconds(clock: &FixedClock) -> u32 {
    use fluxplane_core::Clock as _;
    u32::try_from(clock.now().timestamp()).unwrap()
}

#[test]
fn one_transaction_of_a_node_waits_and_a_newer_one_takes_its_place() {
    let chain = chain();
    let now = seconds(&clock());
    let collateral = free_collateral(&chain);
    let first = sign_start(&chain, collateral, now - 10);
    sent(&chain, &first).unwrap();
    let older = sign_start(&chain, collateral, now - 11);
    assert_eq!(
        refusal(&chain, &older),
        (
            -26,
            "18: fluxnode-tx-outpoint-sigTime-older-cant-replace".to_owned()
        )
    );
    let newer = sign_start(&chain, collateral, now);
    sent(&chain, &newer).unwrap();
    assert_eq!(chain.waiting(), [newer.txid]);
    chain.mine(1).unwrap();
    // A fluxnode transaction has no outputs, so the daemon does not find it among the coins.
    assert_eq!(refusal(&chain, &newer), (-25, String::new()));
}

#[test]
fn signatures_are_an_hour_old_at_most_and_starts_wait_half_an_hour() {
    let clock = clock();
    let shared = std::sync::Arc::new(clock.clone());
    let chain = ChainHandle::grown(ChainRules::default(), shared).unwrap();
    let now = seconds(&clock);
    let collateral = free_collateral(&chain);
    let stale = sign_start(&chain, collateral, now - 3_601);
    assert_eq!(
        refusal(&chain, &stale),
        (-26, "18: fluxnode-tx-sig-to-old".to_owned())
    );
    let fresh = sign_start(&chain, collateral, now - 3_600);
    sent(&chain, &fresh).unwrap();

    let twin = ChainHandle::grown(ChainRules::default(), std::sync::Arc::new(clock.clone()));
    let twin = twin.unwrap();
    // An empty block half an hour later, and one a second after that.
    for wait in [1_800, 1] {
        assert_eq!(chain.waiting(), [fresh.txid]);
        clock.advance(Duration::from_secs(wait));
        for height in twin.height() + 1..=chain.height() {
            crate::ground::submit(&twin, &chain.block(height).unwrap());
        }
        twin.mine(1).unwrap();
        let raw = twin.block(twin.height()).unwrap();
        assert_eq!(crate::ground::submit(&chain, &raw), Value::Null);
    }
    assert_eq!(chain.waiting(), []);
}
