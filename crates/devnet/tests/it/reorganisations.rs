//! The best branch wins, up to 39 blocks deep, and the state is then that of a chain that never knew another.

use std::{collections::BTreeSet, slice::from_ref};

use fluxplane_core::{Sat, Tier};
use fluxplane_devnet::ChainHandle;
use fluxplane_flux_chain::{Block, Hash256, build::coinbase_outputs, pon::pon_hash_of};
use serde_json::{Value, json};

use crate::ground::{altered, chain, confirmed_node, next_block, payment, refused, sent, submit};

/// Everything a chain tells about itself that does not depend on what lies beside its best branch.
fn portrait(chain: &ChainHandle) -> Vec<String> {
    let mut calls: Vec<(&str, Vec<Value>)> = vec![
        ("getbestblockhash", vec![]),
        ("gettxoutsetinfo", vec![]),
        ("viewdeterministicfluxnodelist", vec![]),
        ("getstartlist", vec![]),
        ("getdoslist", vec![]),
        ("getfluxnodesnapshot", vec![]),
        (
            "getblockhashes",
            vec![json!(u32::MAX), json!(0), json!({"noOrphans": true})],
        ),
    ];
    for account in chain.accounts() {
        let query = json!({"addresses": [account.address.to_string()]});
        for method in ["getaddressbalance", "getaddresstxids", "getaddressdeltas"] {
            calls.push((method, vec![query.clone()]));
        }
        calls.push(("getaddressutxos", vec![query]));
    }
    calls
        .iter()
        .map(|(method, params)| chain.call_text(method, params).unwrap())
        .collect()
}

fn copy_blocks(from: &ChainHandle, to: &ChainHandle, first: u32) -> Vec<Value> {
    (first..=from.height())
        .map(|height| submit(to, &from.block(height).unwrap()))
        .collect()
}

/// Two chains with the same past that have parted: the first is `ours` blocks further, the second `theirs`.
fn parted(ours: u32, theirs: u32) -> (ChainHandle, ChainHandle) {
    let (left, right) = (chain(), chain());
    confirmed_node(&left, Tier::Cumulus, "198.51.100.40");
    copy_blocks(&left, &right, 111);
    assert_eq!(left.tip(), right.tip());
    let fork = left.height();
    sent(&left, &payment(&left, 0, &left.account(1).1)).unwrap();
    sent(&right, &payment(&right, 0, &right.account(2).1)).unwrap();
    left.mine(ours).unwrap();
    right.mine(theirs).unwrap();
    assert_eq!(
        (left.height(), right.height()),
        (fork + ours, fork + theirs)
    );
    (left, right)
}

#[test]
fn a_branch_one_block_longer_wins() {
    let (left, right) = parted(1, 2);
    let fork = left.height() - 1;
    let old = left.tip();
    assert_eq!(
        copy_blocks(&right, &left, fork + 1).last(),
        Some(&Value::Null)
    );
    assert_eq!(left.tip(), right.tip());
    assert_eq!(portrait(&left), portrait(&right));
    let tips = left.call("getchaintips", &[]).unwrap();
    assert_eq!(
        tips[1],
        json!({"height": old.height, "hash": old.hash, "branchlen": 1, "status": "valid-fork"})
    );
    let beside = left.call("getblock", &[json!(old.hash), json!(1)]).unwrap();
    assert_eq!(beside["confirmations"], -1);
}

#[test]
fn thirty_nine_blocks_are_taken_back_and_the_state_is_that_of_the_straight_chain() {
    let (left, right) = parted(39, 40);
    let fork = left.height() - 39;
    let said = copy_blocks(&right, &left, fork + 1);
    assert_eq!(said.last(), Some(&Value::Null));
    // At equal height the lots decide, so the last but one may have won already.
    assert!(
        said[..38].iter().all(|said| said == "inconclusive"),
        "{said:?}"
    );
    assert_eq!(portrait(&left), portrait(&right));
    assert_eq!(left.fluxnodes(), right.fluxnodes());
    // The payment of the left branch conflicts with one that is mined now.
    assert_eq!(left.waiting(), []);
}

#[test]
fn forty_are_not() {
    let (left, right) = parted(40, 41);
    let fork = left.height() - 40;
    let tip = left.tip();
    let said = copy_blocks(&right, &left, fork + 1);
    assert_eq!(said[0], "bad-fork-prior-to-maxreorgdepth");
    // What is built on a block that is not there has no parent.
    assert_eq!(said[40], "bad-prevblk");
    assert_eq!(left.tip(), tip);
}

#[test]
fn of_two_branches_with_equal_work_the_lower_lot_wins_whichever_came_first() {
    let (left, right) = parted(3, 3);
    let lot = |chain: &ChainHandle| {
        let raw = chain.block(chain.height()).unwrap();
        let block = Block::parse(&raw).unwrap();
        pon_hash_of(&chain.params(), &block.header)
            .unwrap()
            .to_string()
    };
    let (left_lot, right_lot) = (lot(&left), lot(&right));
    let winner = if left_lot < right_lot {
        left.tip()
    } else {
        right.tip()
    };
    let rights: Vec<_> = (1..=right.height())
        .map(|height| right.block(height).unwrap())
        .collect();
    copy_blocks(&left, &right, right.height() - 2);
    for raw in rights {
        submit(&left, &raw);
    }
    assert_eq!((left.tip(), right.tip()), (winner, winner));
    assert_eq!(portrait(&left), portrait(&right));
}

#[test]
fn a_branch_that_turns_out_to_be_invalid_is_left_again() {
    let (left, right) = parted(2, 2);
    let fork = left.height() - 2;
    let params = right.params();
    let mut outputs = coinbase_outputs(&params, right.height() + 1, &[], Sat::ZERO);
    outputs[0].value = Sat::from_flux(500);
    let invalid = altered(&next_block(&right), |draft| {
        let height = fork + 3;
        draft.transactions[0] =
            fluxplane_flux_chain::build::coinbase_transaction(&params, height, &outputs).bytes;
    });
    // The two tips have equal work; whichever has the lower lot counts.
    copy_blocks(&right, &left, fork + 1);
    let (tip, before) = (left.tip(), portrait(&left));
    let said = submit(&left, &invalid);
    assert!(said.as_str().unwrap().starts_with("bad-"), "{said}");
    assert_eq!(left.tip(), tip);
    assert_eq!(portrait(&left), before);
    assert_eq!(submit(&left, &invalid), "duplicate-invalid");
    let tips = left.call("getchaintips", &[]).unwrap();
    let invalid_hash = Block::parse(&invalid).unwrap().header.hash();
    assert_eq!(tips[0]["hash"], json!(invalid_hash));
    assert_eq!(tips[0]["status"], "invalid");
}

#[test]
fn the_verb_replaces_blocks_and_their_transactions_wait_again() {
    let chain = chain();
    let paid = payment(&chain, 0, &chain.account(1).1);
    sent(&chain, &paid).unwrap();
    let old = chain.mine(3).unwrap();
    let done = chain.reorganise(3, None).unwrap();
    assert_eq!(done.fork.height, 110);
    assert_eq!(done.new.height, 114);
    assert_eq!(done.new, chain.tip());
    let mut disconnected = done.disconnected.clone();
    disconnected.reverse();
    assert_eq!(disconnected, old);
    assert_eq!(done.connected.len(), 4);
    assert_eq!(chain.waiting(), [paid.txid]);
    chain.mine(1).unwrap();
    assert!(crate::ground::mined_at(&chain, 115).contains(&paid.txid));
}

#[test]
fn the_verb_goes_39_blocks_deep_and_no_further() {
    let chain = chain();
    confirmed_node(&chain, Tier::Nimbus, "198.51.100.41");
    chain.mine(50).unwrap();
    let error = refused(&chain, "devnet_reorg", &[json!(40)]);
    assert_eq!(error.code, -8);
    assert!(error.message.contains("39"), "{error}");
    for (depth, blocks) in [(0, None), (3, Some(3))] {
        chain.reorganise(depth, blocks).unwrap_err();
    }
    let height = chain.height();
    chain.reorganise(39, None).unwrap();
    assert_eq!(chain.height(), height + 1);
    chain.reorganise(1, Some(5)).unwrap();
    assert_eq!(chain.height(), height + 5);
}

#[test]
fn branches_made_by_the_verb_never_repeat() {
    let chain = chain();
    chain.mine(1).unwrap();
    let mut seen: BTreeSet<Hash256> = [chain.tip().hash].into();
    for _ in 0..5 {
        let done = chain.reorganise(1, None).unwrap();
        for hash in done.connected {
            assert!(seen.insert(hash), "{hash} again");
        }
    }
}

#[test]
fn nodes_are_confirmed_again_after_their_confirm_was_taken_back() {
    let chain = chain();
    let node = confirmed_node(&chain, Tier::Cumulus, "198.51.100.42");
    let done = chain.reorganise(2, None).unwrap();
    assert!(done.disconnected.len() == 2);
    assert!(chain.fluxnodes().node(&node.collateral).is_none());
    chain.mine(3).unwrap();
    let listed = chain.nodes().remove(0);
    assert_eq!(listed.stage, "confirmed");
}

#[test]
fn a_block_can_be_declared_invalid_and_valid_again() {
    let chain = chain();
    chain.mine(5).unwrap();
    let tip = chain.tip();
    let before = portrait(&chain);
    let third = chain.call("getblockhash", &[json!(113)]).unwrap();
    chain.call("invalidateblock", from_ref(&third)).unwrap();
    assert_eq!(chain.height(), 112);
    chain.mine(1).unwrap();
    assert_eq!(chain.height(), 113);
    assert_ne!(json!(chain.tip().hash), third);
    chain.call("reconsiderblock", &[third]).unwrap();
    assert_eq!(chain.tip(), tip);
    assert_eq!(portrait(&chain), before);
    let unknown = json!("00".repeat(32));
    assert_eq!(refused(&chain, "invalidateblock", &[unknown]).code, -5);
}
