//! The recorded chain of 961 blocks: payees, events, lists and signatures come out as the daemon had them.

use std::collections::HashMap;

use fluxplane_flux_chain::{
    Block, Hash256, OutPoint, Transaction,
    block::merkle_root,
    fluxnode::{Event, ExpiryReason, Mode, Status},
    tx::Body,
    verify::InputVerifier,
};
use serde_json::{Value, json};

use crate::support::{
    fixture::{NODES, list, number, outpoint, small, text},
    recorded::{BLOCKS, Chain, PARAMS, output, tip},
};

#[test]
fn every_recorded_block_is_valid_and_pays_who_it_paid() {
    let mut chain = Chain::genesis(Mode::Validate);
    let coinbases: HashMap<u32, Vec<Value>> = list(&NODES, "coinbase_outputs")
        .iter()
        .map(|entry| {
            let entry = entry.as_array().unwrap();
            let height = u32::try_from(entry[0].as_u64().unwrap()).unwrap();
            (height, entry[1..].to_vec())
        })
        .collect();
    assert_eq!(coinbases.len(), 744);
    let mut payees = 0;
    while chain.height() < tip() {
        let height = chain.height() + 1;
        let expected = chain.state.next_payees();
        payees += expected.len();
        if let Some(outputs) = coinbases.get(&height) {
            for payee in &expected {
                let paid = (payee.amount, payee.script.clone());
                assert!(
                    outputs.iter().any(|out| {
                        output(out[1].as_u64().unwrap(), out[0].as_str().unwrap()) == paid
                    }),
                    "height {height}: {payee:?}"
                );
            }
            // Besides the payees there is the dev fund, and nothing else.
            assert_eq!(outputs.len(), expected.len() + 1, "height {height}");
        }
        chain.forward();
    }
    assert_eq!(payees, 2_006);
    assert_eq!(chain.height(), 960);
}

#[test]
fn the_events_are_the_recorded_ones() {
    let mut chain = Chain::genesis(Mode::Validate);
    chain.forward_to(tip());
    let mut happened: Vec<Value> = chain
        .deltas
        .iter()
        .flat_map(|delta| {
            let shown = delta.events.iter().filter_map(recorded_form);
            shown.map(move |mut event| {
                event["height"] = json!(delta.height);
                event
            })
        })
        .collect();
    let mut expected = list(&NODES, "events").to_vec();
    // Inside a block the record groups by kind; the order among equals is not part of it.
    let key = |event: &Value| (number(event, "height"), event.to_string());
    happened.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(happened, expected);
}

/// An event as the record has it; payments and delegates are not in it.
fn recorded_form(event: &Event) -> Option<Value> {
    let node = |collateral: &OutPoint| json!({"txid": collateral.txid, "n": collateral.n});
    let value = match event {
        Event::Started {
            collateral, txid, ..
        } => {
            json!({"kind": "start", "collateral": node(collateral), "txid": txid})
        }
        Event::Confirmed {
            collateral,
            txid,
            ip,
        } => {
            json!({"kind": "confirm", "collateral": node(collateral), "txid": txid, "ip": ip})
        }
        Event::Updated {
            collateral,
            txid,
            ip,
            ..
        } => {
            json!({"kind": "update", "collateral": node(collateral), "txid": txid, "ip": ip})
        }
        Event::DosEntered { collateral } => {
            json!({"kind": "dos_enter", "collateral": node(collateral)})
        }
        Event::DosLeft { collateral } => {
            json!({"kind": "dos_leave", "collateral": node(collateral)})
        }
        Event::Expired { collateral, reason } => {
            let kind = match reason {
                ExpiryReason::NotConfirmed => "expire_unconfirmed",
                ExpiryReason::CollateralSpent { .. } => "expire_spent",
                ExpiryReason::AmountOutlawed => "expire_outlawed",
            };
            json!({"kind": kind, "collateral": node(collateral)})
        }
        Event::Paid { .. } | Event::DelegatesChanged { .. } => return None,
    };
    Some(value)
}

#[test]
fn a_move_names_the_address_that_was_left() {
    let mut chain = Chain::genesis(Mode::Validate);
    chain.forward_to(tip());
    let moves: Vec<(u32, Option<String>)> = chain
        .deltas
        .iter()
        .flat_map(|delta| {
            delta.events.iter().filter_map(move |event| match event {
                Event::Updated { moved_from, .. } => {
                    Some((delta.height, moved_from.as_ref().map(ToString::to_string)))
                }
                _ => None,
            })
        })
        .collect();
    assert_eq!(
        moves,
        [
            (228, Some("203.0.113.12:16127".to_owned())),
            (233, Some("198.51.100.7".to_owned())),
            (734, None),
        ]
    );
}

#[test]
fn the_lists_are_the_daemons_lists() {
    let names: HashMap<&str, OutPoint> = list(&NODES, "nodes")
        .iter()
        .map(|node| (text(node, "name"), outpoint(&node["collateral"])))
        .collect();
    let addresses: HashMap<OutPoint, &str> = list(&NODES, "nodes")
        .iter()
        .map(|node| (outpoint(&node["collateral"]), text(node, "payment_address")))
        .collect();
    let mut chain = Chain::genesis(Mode::Validate);
    for snapshot in list(&NODES, "list_snapshots") {
        chain.forward_to(small(snapshot, "height"));
        let expected = list(snapshot, "list");
        let ranked: Vec<_> = chain.state.ranked().collect();
        assert_eq!(ranked.len(), expected.len());
        for (ranked, expected) in ranked.iter().zip(expected) {
            let node = ranked.node;
            assert_eq!(node.tier.name(), text(expected, "tier"));
            assert_eq!(
                u64::try_from(ranked.rank).unwrap(),
                number(expected, "rank")
            );
            assert_eq!(node.collateral, names[text(expected, "name")]);
            assert_eq!(node.confirmed_height, small(expected, "confirmed_height"));
            assert_eq!(node.last_paid_height, small(expected, "last_paid_height"));
            assert_eq!(
                node.last_confirmed_height,
                small(expected, "last_confirmed_height")
            );
            let destination = node.payee().unwrap();
            let address =
                fluxplane_flux_chain::Address::of_destination(destination, PARAMS.addresses);
            assert_eq!(address.to_string(), addresses[&node.collateral]);
            assert_eq!(node.status, Status::Confirmed);
        }
        assert_eq!(chain.state.count(Status::Confirmed), expected.len());
    }
}

#[test]
fn following_on_trust_gives_the_same_state_as_validating() {
    let mut strict = Chain::genesis(Mode::Validate);
    let mut trusting = Chain::genesis(Mode::Follow);
    while strict.height() < tip() {
        strict.forward();
        trusting.forward();
        assert_eq!(strict.state, trusting.state);
    }
    assert_eq!(strict.deltas, trusting.deltas);
}

#[test]
fn every_input_of_the_recording_verifies() {
    let mut coins = crate::support::recorded::Coins::default();
    let mut verified = 0;
    for (height, raw) in (0..).zip(BLOCKS.iter()) {
        let block = Block::parse(raw).unwrap();
        let mut inside: HashMap<OutPoint, _> = HashMap::new();
        for transaction in &block.transactions {
            if !transaction.is_coinbase() && matches!(transaction.body, Body::Transfer(_)) {
                let verifier = InputVerifier::new(transaction, PARAMS.branch_id(height)).unwrap();
                for (index, input) in transaction.inputs().iter().enumerate() {
                    let coin = coins
                        .unspent
                        .get(&input.previous)
                        .or_else(|| inside.get(&input.previous))
                        .unwrap();
                    verifier
                        .verify(index, coin.script.as_script(), coin.value)
                        .unwrap();
                    verified += 1;
                }
            }
            remember(&mut inside, transaction, height);
        }
        coins.connect(&block, height);
    }
    assert_eq!(verified, 7);
}

fn remember(
    coins: &mut HashMap<OutPoint, fluxplane_flux_chain::fluxnode::Collateral>,
    transaction: &Transaction<'_>,
    height: u32,
) {
    let txid = transaction.txid();
    for (n, output) in (0..).zip(transaction.outputs()) {
        let coin = fluxplane_flux_chain::fluxnode::Collateral {
            value: output.value,
            height,
            script: output.script.to_owned(),
        };
        coins.insert(OutPoint::new(txid, n), coin);
    }
}

#[test]
fn the_recorded_blocks_form_a_chain() {
    let mut previous = Hash256::ZERO;
    for (height, raw) in (0_u32..).zip(BLOCKS.iter()) {
        let block = Block::parse(raw).unwrap();
        assert_eq!(block.header.previous, previous);
        previous = block.header.hash();
        assert_eq!(merkle_root(&block.txids()).root, block.header.merkle_root);
        assert_eq!(block.serialize(), *raw);
        if height > 0 {
            assert_eq!(block.claimed_height(), Some(height));
        } else {
            assert_eq!(previous, PARAMS.genesis.hash);
        }
    }
}

#[test]
fn a_state_survives_being_written_down() {
    let mut chain = Chain::genesis(Mode::Validate);
    for height in [0, 217, 218, 300, 457, 860, 960] {
        chain.forward_to(height);
        let written = serde_json::to_string(&chain.state.export()).unwrap();
        let snapshot = serde_json::from_str(&written).unwrap();
        let read = fluxplane_flux_chain::fluxnode::FluxnodeState::import(
            std::sync::Arc::clone(&PARAMS),
            snapshot,
        )
        .unwrap();
        assert_eq!(read, chain.state);
        if let Some(delta) = chain.deltas.last() {
            let written = serde_json::to_string(&(&delta.undo, &delta.events)).unwrap();
            let (undo, events): (fluxplane_flux_chain::fluxnode::Undo, Vec<Event>) =
                serde_json::from_str(&written).unwrap();
            assert_eq!((&undo, &events), (&delta.undo, &delta.events));
        }
    }
}
