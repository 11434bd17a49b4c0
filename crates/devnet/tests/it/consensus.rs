//! Blocks that break a rule are refused in the daemon's words, and change nothing.

use fluxplane_core::{Sat, Tier};
use fluxplane_devnet::ChainHandle;
use fluxplane_flux_chain::{
    Block, Hash256, OutPoint, Transaction,
    build::{Output, PaymentBuilder, coinbase_outputs, coinbase_transaction},
    subsidy::block_subsidy,
};
use serde_json::{Value, json};

use crate::ground::{
    account_coin, altered, branch_id, chain, coins, confirmed_node, next_block, next_height,
    payment, submit, with_transaction,
};

fn assert_refused(chain: &ChainHandle, raw: &[u8], reason: &str) {
    let before = (chain.tip(), chain.fluxnodes());
    assert_eq!(submit(chain, raw), reason);
    assert_eq!((chain.tip(), chain.fluxnodes()), before);
}

/// Puts another coinbase into a block.
fn with_coinbase(chain: &ChainHandle, raw: &[u8], outputs: &[Output]) -> Vec<u8> {
    let built = coinbase_transaction(&chain.params(), next_height(chain), outputs);
    altered(raw, |draft| draft.transactions[0] = built.bytes)
}

#[test]
fn an_honest_block_becomes_the_tip() {
    let chain = chain();
    let raw = next_block(&chain);
    assert_eq!(submit(&chain, &raw), Value::Null);
    assert_eq!(chain.block(111).unwrap()[..], raw[..]);
    assert_eq!(submit(&chain, &raw), "duplicate");
}

#[test]
fn a_wrong_signature_is_refused() {
    let chain = chain();
    let (_, to) = chain.account(1);
    let mut built = payment(&chain, 0, &to);
    // The script begins after version, group, count, outpoint and its own length; its first push is the signature.
    let inside_signature = 4 + 4 + 1 + 36 + 1 + 20;
    built.bytes[inside_signature] ^= 1;
    let raw = with_transaction(&next_block(&chain), &built);
    assert_refused(
        &chain,
        &raw,
        "mandatory-script-verify-flag-failed (Script evaluated without error but finished with a false/empty top stack element)",
    );
}

#[test]
fn a_signature_for_another_upgrade_is_refused() {
    let chain = chain();
    let (_, to) = chain.account(1);
    let (key, coin) = account_coin(&chain, 0);
    let unsigned = PaymentBuilder::new()
        .spend(coin)
        .pay(&to, Sat::from_flux(1));
    let built = unsigned
        .build()
        .unwrap()
        .sign(&[key], branch_id(&chain) + 1)
        .unwrap();
    let raw = with_transaction(&next_block(&chain), &built);
    let said = submit(&chain, &raw);
    let said = said.as_str().unwrap();
    assert!(
        said.starts_with("mandatory-script-verify-flag-failed"),
        "{said}"
    );
}

#[test]
fn a_coin_is_spent_once() {
    let chain = chain();
    let spend = payment(&chain, 0, &chain.account(1).1);
    let again = payment(&chain, 0, &chain.account(2).1);
    let both = with_transaction(&next_block(&chain), &spend);
    let both = with_transaction(&both, &again);
    let reason = "bad-txns-inputs-missingorspent";
    assert_refused(&chain, &both, reason);
    let first = with_transaction(&next_block(&chain), &spend);
    assert_eq!(submit(&chain, &first), Value::Null);
    let second = with_transaction(&next_block(&chain), &again);
    assert_refused(&chain, &second, reason);
}

#[test]
fn a_payment_may_spend_one_of_the_same_block() {
    let chain = chain();
    let (key, to) = chain.account(1);
    let first = payment(&chain, 0, &to);
    let onward = PaymentBuilder::new()
        .spend(fluxplane_flux_chain::build::Utxo {
            outpoint: OutPoint::new(first.txid, 0),
            value: Sat::from_flux(5),
            script: to.script(),
        })
        .pay(&chain.account(2).1, Sat::from_flux(4))
        .build()
        .unwrap()
        .sign(&[key], branch_id(&chain))
        .unwrap();
    let empty = next_block(&chain);
    let wrong_order = with_transaction(&with_transaction(&empty, &onward), &first);
    assert_refused(&chain, &wrong_order, "bad-txns-inputs-missingorspent");
    let right_order = with_transaction(&with_transaction(&empty, &first), &onward);
    assert_eq!(submit(&chain, &right_order), Value::Null);
}

#[test]
fn a_coinbase_is_mature_at_depth_100() {
    let chain = chain();
    let dev_fund = chain
        .accounts()
        .into_iter()
        .find(|key| key.name == "dev-fund");
    let dev_fund = dev_fund.unwrap();
    let height = next_height(&chain);
    let all = coins(&chain, &dev_fund.address);
    let spend = |made_at: u32| {
        let raw = chain.block(made_at).unwrap();
        let txid = Block::parse(&raw).unwrap().transactions[0].txid();
        let coin = all.iter().find(|coin| coin.outpoint.txid == txid).unwrap();
        let unsigned = PaymentBuilder::new()
            .spend(coin.clone())
            .pay(&dev_fund.address, Sat::from_flux(1));
        let keys = [dev_fund.key.clone()];
        unsigned
            .build()
            .unwrap()
            .sign(&keys, branch_id(&chain))
            .unwrap()
    };
    let empty = next_block(&chain);
    let young = with_transaction(&empty, &spend(height - 99));
    assert_refused(&chain, &young, "bad-txns-premature-spend-of-coinbase");
    let mature = with_transaction(&empty, &spend(height - 100));
    assert_eq!(submit(&chain, &mature), Value::Null);
}

#[test]
fn more_cannot_be_paid_than_is_spent() {
    let chain = chain();
    let (key, coin) = account_coin(&chain, 0);
    let mut unsigned = PaymentBuilder::new()
        .spend(coin.clone())
        .pay(&chain.account(1).1, Sat::from_flux(1))
        .build()
        .unwrap();
    unsigned.outputs[0].value = Sat::new(coin.value.get() + 1);
    let built = unsigned.sign(&[key], branch_id(&chain)).unwrap();
    let raw = with_transaction(&next_block(&chain), &built);
    assert_refused(&chain, &raw, "bad-txns-in-belowout");
}

#[test]
fn the_coinbase_pays_the_nodes_whose_turn_it_is() {
    let chain = chain();
    confirmed_node(&chain, Tier::Cumulus, "198.51.100.1");
    let params = chain.params();
    let height = next_height(&chain);
    let payees = chain.fluxnodes().next_payees();
    assert_eq!(payees.len(), 1);
    let honest = coinbase_outputs(&params, height, &payees, Sat::ZERO);
    let empty = next_block(&chain);

    let mut cheating = honest.clone();
    cheating[1].script = chain.account(3).1.script();
    let raw = with_coinbase(&chain, &empty, &cheating);
    assert_refused(&chain, &raw, "bad-txns-not-paying-correct-fluxnodes");

    let mut stingy = honest.clone();
    stingy[1].value = Sat::new(honest[1].value.get() - 1);
    let raw = with_coinbase(&chain, &empty, &stingy);
    assert_refused(&chain, &raw, "bad-txns-not-paying-correct-fluxnodes");

    let raw = with_coinbase(&chain, &empty, &honest);
    assert_eq!(submit(&chain, &raw), Value::Null);
    let node = chain.nodes().remove(0);
    assert_eq!(node.listed.unwrap().last_paid_height, height);
}

#[test]
fn the_dev_fund_gets_the_rest_and_no_more_than_the_subsidy_is_paid() {
    let chain = chain();
    let params = chain.params();
    let height = next_height(&chain);
    let honest = coinbase_outputs(&params, height, &[], Sat::ZERO);
    let empty = next_block(&chain);

    let mut cheating = honest.clone();
    cheating[0].script = chain.account(3).1.script();
    let raw = with_coinbase(&chain, &empty, &cheating);
    assert_refused(&chain, &raw, "tx-coinbase-missing-dev-funding");

    let mut greedy = honest.clone();
    greedy[0].value = Sat::new(block_subsidy(&params, height).get() + 1);
    let raw = with_coinbase(&chain, &empty, &greedy);
    assert_refused(&chain, &raw, "bad-cb-amount");
}

#[test]
fn fees_may_be_paid_out() {
    let chain = chain();
    let (key, coin) = account_coin(&chain, 0);
    let paying = PaymentBuilder::new()
        .spend(coin.clone())
        .pay(&chain.account(1).1, Sat::new(coin.value.get() - 70_000))
        .build()
        .unwrap()
        .sign(&[key], branch_id(&chain))
        .unwrap();
    let params = chain.params();
    let height = next_height(&chain);
    let block = |fees: i64| {
        let outputs = coinbase_outputs(&params, height, &[], Sat::new(fees));
        let raw = with_coinbase(&chain, &next_block(&chain), &outputs);
        with_transaction(&raw, &paying)
    };
    assert_refused(&chain, &block(70_001), "bad-cb-amount");
    assert_eq!(submit(&chain, &block(70_000)), Value::Null);
}

#[test]
fn headers_follow_their_parent_in_time_and_difficulty() {
    let chain = chain();
    let raw = next_block(&chain);
    let parent = chain.block(chain.height()).unwrap();
    let parent_time = Block::parse(&parent).unwrap().header.time;
    let at = |time: u32| altered(&raw, |draft| draft.time = time);
    assert_refused(&chain, &at(parent_time), "time-too-old");
    assert_refused(&chain, &at(parent_time + 100_000), "time-too-new");
    let easier = altered(&raw, |draft| draft.bits += 1);
    assert_refused(&chain, &easier, "bad-pon-diffbits");
    assert_eq!(submit(&chain, &at(parent_time + 1)), Value::Null);
}

#[test]
fn only_confirmed_nodes_produce_blocks() {
    let chain = chain();
    let node = confirmed_node(&chain, Tier::Stratus, "198.51.100.2");
    let raw = next_block(&chain);
    let stranger = altered(&raw, |draft| {
        draft.producer = OutPoint::new(Hash256::from_wire([7; 32]), 0);
    });
    let said = submit(&chain, &stranger);
    assert!(said.is_string(), "{said}");
    assert_eq!(
        chain.tip().hash,
        Block::parse(&raw).unwrap().header.previous
    );

    let block = Block::parse(&raw).unwrap();
    let draft = fluxplane_flux_chain::build::BlockDraft {
        previous: block.header.previous,
        final_sapling_root: block.header.final_sapling_root,
        time: block.header.time,
        bits: block.header.bits,
        producer: node.collateral,
        transactions: vec![block.transactions[0].raw().to_vec()],
    };
    let forged = draft.seal(&node.collateral_key).unwrap();
    let said = submit(&chain, &forged);
    assert!(said.is_string(), "{said}");
    // The hash leaves the signature out, so the honest block bears the refused one's name unless its time differs.
    let later = fluxplane_flux_chain::build::BlockDraft {
        time: block.header.time + 1,
        ..draft
    };
    let signed = later.seal(&node.node_key).unwrap();
    assert_eq!(submit(&chain, &signed), Value::Null);
    let shown = chain
        .call("getblock", &[json!(chain.tip().hash), json!(1)])
        .unwrap();
    assert!(
        shown["collateral"]
            .as_str()
            .unwrap()
            .starts_with("COutPoint(")
    );
}

#[test]
fn a_block_is_what_its_merkle_root_says() {
    let chain = chain();
    let raw = next_block(&chain);
    let mut broken = raw.clone();
    // The root stands behind version and parent.
    broken[4 + 32] ^= 1;
    assert_refused(&chain, &broken, "bad-txnmrklroot");
    let two = altered(&raw, |draft| {
        let coinbase = draft.transactions[0].clone();
        draft.transactions.push(coinbase);
    });
    let said = submit(&chain, &two);
    assert!(
        said == "bad-cb-multiple" || said == "bad-txns-duplicate",
        "{said}"
    );
    let none = altered(&raw, |draft| draft.transactions.clear());
    let said = chain.call("submitblock", &[json!(hex::encode(none))]);
    assert!(
        said.is_err() || said == Ok(json!("bad-blk-length")),
        "{said:?}"
    );
}

#[test]
fn a_coinbase_names_its_height() {
    let chain = chain();
    let raw = next_block(&chain);
    let params = chain.params();
    let outputs = coinbase_outputs(&params, next_height(&chain), &[], Sat::ZERO);
    let other = coinbase_transaction(&params, next_height(&chain) + 1, &outputs);
    let block = altered(&raw, |draft| draft.transactions[0] = other.bytes);
    assert_refused(&chain, &block, "bad-cb-height");
}

#[test]
fn a_block_on_an_unknown_parent_is_refused() {
    let chain = chain();
    let raw = altered(&next_block(&chain), |draft| {
        draft.previous = Hash256::from_wire([9; 32]);
    });
    assert_refused(&chain, &raw, "bad-prevblk");
}

#[test]
fn bytes_that_are_no_block_do_not_decode() {
    let chain = chain();
    let mut raw = next_block(&chain);
    raw.push(0);
    let error = crate::ground::refused(&chain, "submitblock", &[json!(hex::encode(raw))]);
    assert_eq!((error.code, &*error.message), (-22, "Block decode failed"));
}

#[test]
fn data_outputs_never_become_coins() {
    let chain = chain();
    let (key, coin) = account_coin(&chain, 0);
    let built = PaymentBuilder::new()
        .spend(coin)
        .pay(&chain.account(1).1, Sat::from_flux(1))
        .change_to(chain.account(0).1)
        .data(b"a message")
        .unwrap()
        .build()
        .unwrap()
        .sign(&[key], branch_id(&chain))
        .unwrap();
    chain.send(&built.bytes).unwrap();
    chain.mine(1).unwrap();
    let parsed = Transaction::parse(&built.bytes).unwrap();
    let data = parsed
        .outputs()
        .iter()
        .position(|output| output.value == Sat::ZERO)
        .unwrap();
    let shown = chain
        .call("getrawtransaction", &[json!(built.txid), json!(1)])
        .unwrap();
    let script = &shown["vout"][data]["scriptPubKey"];
    assert_eq!(script["type"], "nulldata");
    assert_eq!(
        script["asm"],
        format!("OP_RETURN {}", hex::encode("a message"))
    );
    let coin = chain
        .call("gettxout", &[json!(built.txid), json!(data)])
        .unwrap();
    assert_eq!(coin, Value::Null);
}
