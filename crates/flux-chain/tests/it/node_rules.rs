//! The life of a node, at the heights of every set of rules.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    ChainParams,
    build::{PaymentBuilder, Utxo},
    fluxnode::{Event, ExpiryReason, Status},
    tx::UpdateKind::{Initial, Update},
};

use crate::support::chain::{IP, THOUSAND, TestChain, TestNode, confirmed, devnet, status};

/// Heights with a rule set of their own, an amount that is collateral there, and its periods: start, DoS, confirm, update.
const ERAS: [(u32, i64, [u32; 4]); 5] = [
    (600_000, 10_000, [60, 180, 60, 40]),
    (900_000, 10_000, [60, 180, 80, 40]),
    (1_200_000, 1_000, [60, 180, 160, 120]),
    (1_600_000, 1_000, [60, 180, 160, 120]),
    (2_100_000, 1_000, [240, 720, 640, 500]),
];

#[test]
fn an_unconfirmed_start_waits_on_the_dos_list_in_every_era() {
    for (height, amount, [start, dos, ..]) in ERAS {
        let mut chain = TestChain::at(ChainParams::main(), height - 1);
        let node = chain.node(1, Sat::from_flux(amount));
        chain.block(&[&node.start().bytes]);
        chain.grow_to(height + start - 1);
        assert_eq!(status(&chain, &node), Some(Status::Started));
        let delta = chain.block(&[]);
        let collateral = node.collateral;
        assert!(delta.events.contains(&Event::DosEntered { collateral }));
        assert_eq!(status(&chain, &node), Some(Status::Dos));
        assert_eq!(
            chain.reason(&[&node.start().bytes]),
            "fluxnode-tx-already-in-chain-or-waiting-for-dos-unban"
        );
        assert_eq!(
            chain.reason(&[&node.confirm(Initial, IP).bytes]),
            "fluxnode-tx-invalid-confirm-outpoint-not-started"
        );
        chain.grow_to(height + dos - 1);
        assert_eq!(status(&chain, &node), Some(Status::Dos));
        let delta = chain.block(&[]);
        assert!(delta.events.contains(&Event::DosLeft { collateral }));
        assert_eq!(status(&chain, &node), None);
        chain.block(&[&node.start().bytes]);
    }
}

#[test]
fn a_start_can_be_confirmed_in_the_last_block_before_the_dos_list() {
    for (height, amount, [start, ..]) in ERAS {
        let mut chain = TestChain::at(ChainParams::main(), height - 1);
        let node = chain.node(1, Sat::from_flux(amount));
        chain.block(&[&node.start().bytes]);
        let delta = chain.block_at(height + start, &[&node.confirm(Initial, IP).bytes]);
        assert!(matches!(delta.events.as_slice(), [Event::Confirmed { .. }]));
        assert_eq!(status(&chain, &node), Some(Status::Confirmed));
    }
}

#[test]
fn a_node_that_does_not_update_leaves_in_every_era() {
    for (height, amount, [_, _, confirm, _]) in ERAS {
        let (mut chain, node) = confirmed(ChainParams::main(), height, amount);
        let last = chain.height();
        chain.grow_to(last + confirm);
        assert_eq!(status(&chain, &node), Some(Status::Confirmed));
        let mut saved = chain.clone();
        let delta = chain.block(&[]);
        assert!(delta.events.contains(&Event::Expired {
            collateral: node.collateral,
            reason: ExpiryReason::NotConfirmed,
        }));
        assert_eq!(status(&chain, &node), None);
        // An update in that very block comes in time.
        saved.block(&[&node.confirm(Update, IP).bytes]);
        assert_eq!(status(&saved, &node), Some(Status::Confirmed));
    }
}

#[test]
fn updates_keep_their_distance_in_every_era() {
    for (height, amount, [.., distance]) in ERAS {
        let (mut chain, node) = confirmed(ChainParams::main(), height, amount);
        let last = chain.height();
        let update = node.confirm(Update, IP);
        chain.grow_to(last + distance - 1);
        assert_eq!(
            chain.reason(&[&update.bytes]),
            "fluxnode-tx-invalid-update-confirm-outpoint-not-confirmed-or-too-soon"
        );
        let delta = chain.block_at(last + distance + 1, &[&update.bytes]);
        assert!(delta.events.iter().any(|event| matches!(
            event,
            Event::Updated {
                moved_from: None,
                ..
            }
        )));
    }
}

#[test]
fn a_new_address_may_be_told_early_since_flux() {
    for (height, amount, _) in ERAS {
        let (mut chain, node) = confirmed(ChainParams::main(), height, amount);
        let last = chain.height();
        let moved = node.confirm(Update, "198.51.100.9:16127");
        chain.grow_to(last + 3);
        assert!(chain.try_block(&[&moved.bytes]).is_err());
        chain.grow_to(last + 4);
        let early = chain.try_block(&[&moved.bytes]);
        assert_eq!(early.is_ok(), height >= 835_554, "{height}");
    }
}

#[test]
fn spending_the_collateral_ends_the_node_in_that_block() {
    let (mut chain, node) = confirmed(ChainParams::regtest_nodes(), 500, 1_000);
    let coin = chain.coins[&node.collateral].clone();
    let payment = PaymentBuilder::new()
        .spend(Utxo {
            outpoint: node.collateral,
            value: coin.value,
            script: coin.script,
        })
        .build()
        .unwrap()
        .sign(std::slice::from_ref(&node.owner), 0x76b8_09bb)
        .unwrap();
    // The node is next in the queue: it is paid by the block that ends it.
    assert_eq!(chain.state.next_payees()[0].collateral, node.collateral);
    let delta = chain.block(&[&payment.bytes]);
    let txid = payment.txid;
    assert_eq!(
        delta.events,
        [
            Event::Paid {
                collateral: node.collateral,
                tier: Tier::Cumulus,
                amount: Sat::from_flux(1),
            },
            Event::Expired {
                collateral: node.collateral,
                reason: ExpiryReason::CollateralSpent { txid },
            }
        ]
    );
    assert!(chain.state.next_payees().is_empty());
}

#[test]
fn collateral_spent_earlier_in_the_block_starts_nothing() {
    let mut chain = devnet();
    let node = chain.node(1, THOUSAND);
    let coin = chain.coins[&node.collateral].clone();
    let payment = PaymentBuilder::new()
        .spend(Utxo {
            outpoint: node.collateral,
            value: coin.value,
            script: coin.script,
        })
        .build()
        .unwrap()
        .sign(std::slice::from_ref(&node.owner), 0x76b8_09bb)
        .unwrap();
    let start = node.start();
    assert_eq!(
        chain.reason(&[&payment.bytes, &start.bytes]),
        "fluxnode-tx-coins-not-available"
    );
    // The other way round the start counts, and the chain notices the loss when the node wants to confirm.
    chain.block(&[&start.bytes, &payment.bytes]);
    assert_eq!(status(&chain, &node), Some(Status::Started));
    assert_eq!(
        chain.reason(&[&node.confirm(Initial, IP).bytes]),
        "fluxnode-tx-coins-not-available"
    );
}

#[test]
fn old_amounts_end_with_their_window() {
    // Height of the end of each window, and the amount that ends.
    for (tier, end, before, after) in [
        (Tier::Cumulus, 1_086_612, 10_000, 1_000),
        (Tier::Nimbus, 1_092_372, 25_000, 12_500),
        (Tier::Stratus, 1_097_412, 100_000, 40_000),
    ] {
        let mut chain = TestChain::at(ChainParams::main(), end - 20);
        let old = chain.node(1, Sat::from_flux(before));
        let new = chain.node(2, Sat::from_flux(after));
        chain.block(&[&old.start().bytes, &new.start().bytes]);
        chain.block(&[
            &old.confirm(Initial, IP).bytes,
            &new.confirm(Initial, IP).bytes,
        ]);
        assert_eq!(chain.state.queue(tier).count(), 2);
        chain.grow_to(end - 1);
        assert_eq!(chain.state.queue(tier).count(), 2);
        let delta = chain.block(&[]);
        assert!(delta.events.contains(&Event::Expired {
            collateral: old.collateral,
            reason: ExpiryReason::AmountOutlawed,
        }));
        assert_eq!(status(&chain, &old), None);
        assert_eq!(status(&chain, &new), Some(Status::Confirmed));
    }
}

#[test]
fn the_queue_pays_by_age_and_breaks_ties_by_outpoint() {
    let mut chain = devnet();
    let nodes: Vec<TestNode> = [7, 3, 5]
        .map(|number| chain.node(number, THOUSAND))
        .to_vec();
    let starts: Vec<_> = nodes.iter().map(TestNode::start).collect();
    let confirms: Vec<_> = nodes.iter().map(|node| node.confirm(Initial, IP)).collect();
    let raw = |built: &[fluxplane_flux_chain::build::Built]| {
        built
            .iter()
            .map(|built| built.bytes.clone())
            .collect::<Vec<_>>()
    };
    let starts = raw(&starts);
    chain.block(&starts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let confirms = raw(&confirms);
    chain.block(&confirms.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut paid = Vec::new();
    for _ in 0..4 {
        paid.push(chain.state.next_payees()[0].collateral.n);
        chain.block(&[]);
    }
    assert_eq!(paid, [3, 5, 7, 3]);
    // A node confirmed in the block that pays another goes before it: never paid beats paid at equal height.
    let late = chain.node(9, THOUSAND);
    chain.block(&[&late.start().bytes]);
    let height = chain.height() + 1;
    let front = chain.state.next_payees()[0].collateral;
    chain.block(&[&late.confirm(Initial, IP).bytes]);
    let order: Vec<_> = chain
        .state
        .queue(Tier::Cumulus)
        .map(|node| node.collateral)
        .collect();
    assert_eq!(chain.state.node(&front).unwrap().last_paid_height, height);
    let place = |collateral| order.iter().position(|other| *other == collateral).unwrap();
    assert_eq!(place(late.collateral) + 1, place(front));
}

#[test]
fn the_periods_change_with_proof_of_node_for_nodes_that_are_there() {
    // Started 50 blocks before the fork: the new, longer period counts.
    let mut chain = TestChain::at(ChainParams::main(), 2_019_949);
    let node = chain.node(1, THOUSAND);
    chain.block(&[&node.start().bytes]);
    chain.grow_to(2_019_950 + 239);
    assert_eq!(status(&chain, &node), Some(Status::Started));
    chain.block(&[]);
    assert_eq!(status(&chain, &node), Some(Status::Dos));
    // On the DoS list 10 blocks before the fork: stays for the longer time.
    let mut chain = TestChain::at(ChainParams::main(), 2_019_929);
    let node = chain.node(1, THOUSAND);
    chain.block(&[&node.start().bytes]);
    chain.grow_to(2_019_990);
    assert_eq!(status(&chain, &node), Some(Status::Dos));
    chain.grow_to(2_019_930 + 719);
    assert_eq!(status(&chain, &node), Some(Status::Dos));
    chain.block(&[]);
    assert_eq!(status(&chain, &node), None);
}
