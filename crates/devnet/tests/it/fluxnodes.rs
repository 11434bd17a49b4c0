//! The rules of starts and confirms, as the chain carries them out.

use fluxplane_core::{Sat, Tier};
use fluxplane_devnet::{ChainHandle, NodeView};
use fluxplane_flux_chain::{
    OutPoint, PrivateKey,
    build::{Built, ConfirmBuilder, StartBuilder, StartKind},
    fluxnode::Status,
    tx::UpdateKind,
};
use serde_json::{Value, json};

use crate::ground::{
    chain, confirmed_node, mined_at, next_block, next_height, refused, sent, submit,
    with_transaction,
};

const TOO_YOUNG: &str =
    "bad-txns-fluxnode-inputs-invalid-spent-or-bad-value-Minimum height requirement not met";

fn now() -> u32 {
    use fluxplane_core::Clock as _;
    u32::try_from(crate::ground::clock().now().timestamp()).unwrap()
}

/// A collateral of account 5 in the block after the tip, and its key.
fn funded(chain: &ChainHandle, tier: Tier) -> (OutPoint, PrivateKey) {
    let (key, address) = chain.account(5);
    let flux = match tier {
        Tier::Cumulus => 1_000,
        Tier::Nimbus => 12_500,
        Tier::Stratus => 40_000,
    };
    let outpoint = chain.faucet(&address, Sat::from_flux(flux)).unwrap();
    chain.mine(1).unwrap();
    (outpoint, key)
}

fn start(collateral: OutPoint, owner: &PrivateKey, node: &PrivateKey, sig_time: u32) -> Built {
    let start = StartBuilder {
        kind: StartKind::Normal {
            collateral_key: owner.public_key(),
        },
        collateral,
        node_key: node.public_key(),
        sig_time,
        delegation: None,
    };
    start.sign(owner)
}

struct Confirm<'c> {
    collateral: OutPoint,
    kind: UpdateKind,
    ip: &'c str,
    sig_time: u32,
    tier: Tier,
}

fn confirm(chain: &ChainHandle, node: &PrivateKey, confirm: &Confirm<'_>) -> Built {
    let builder = ConfirmBuilder {
        collateral: confirm.collateral,
        kind: confirm.kind,
        sig_time: confirm.sig_time,
        benchmark_tier: confirm.tier,
        benchmark_sig_time: confirm.sig_time,
        ip: confirm.ip.to_owned(),
    };
    builder.sign(node, &chain.benchmark_key())
}

fn update(chain: &ChainHandle, node: &NodeView, ip: &str, sig_time: u32) -> Built {
    let wanted = Confirm {
        collateral: node.collateral,
        kind: UpdateKind::Update,
        ip,
        sig_time,
        tier: node.tier,
    };
    confirm(chain, &node.node_key, &wanted)
}

fn status(chain: &ChainHandle, collateral: &OutPoint) -> Option<Status> {
    chain.fluxnodes().node(collateral).map(|node| node.status)
}

#[test]
fn collateral_must_be_100_blocks_deep() {
    let chain = chain();
    let (collateral, owner) = funded(&chain, Tier::Cumulus);
    let made_at = chain.height();
    let (node, _) = chain.account(6);
    chain.mine(made_at + 98 - chain.height()).unwrap();
    let early = start(collateral, &owner, &node, now());
    assert_eq!(next_height(&chain) - made_at, 99);
    let error = sent(&chain, &early).unwrap_err();
    assert_eq!(
        (error.code, error.message),
        (-26, format!("16: {TOO_YOUNG}"))
    );
    let said = submit(&chain, &with_transaction(&next_block(&chain), &early));
    assert_eq!(said, TOO_YOUNG);

    chain.mine(1).unwrap();
    assert_eq!(next_height(&chain) - made_at, 100);
    let txid = sent(&chain, &early).unwrap();
    chain.mine(1).unwrap();
    assert!(mined_at(&chain, made_at + 100).contains(&txid));
    assert_eq!(status(&chain, &collateral), Some(Status::Started));
}

#[test]
fn a_start_needs_the_owner_and_a_confirm_the_machine_and_the_benchmark() {
    let chain = chain();
    let (collateral, owner) = funded(&chain, Tier::Nimbus);
    chain.mine(99).unwrap();
    let (node, _) = chain.account(6);
    let (stranger, _) = chain.account(7);
    let error = sent(&chain, &start(collateral, &stranger, &node, now())).unwrap_err();
    assert_eq!(error.code, -26, "{error}");

    let initial = |sig_time| Confirm {
        collateral,
        kind: UpdateKind::Initial,
        ip: "198.51.100.3",
        sig_time,
        tier: Tier::Nimbus,
    };
    let early = confirm(&chain, &node, &initial(now()));
    let error = sent(&chain, &early).unwrap_err();
    assert_eq!(
        &*error.message,
        "16: fluxnode-tx-invalid-confirm-outpoint-not-started"
    );

    sent(&chain, &start(collateral, &owner, &node, now())).unwrap();
    chain.mine(1).unwrap();
    let forged = confirm(&chain, &stranger, &initial(now()));
    assert_eq!(sent(&chain, &forged).unwrap_err().code, -26);
    let unmeasured = ConfirmBuilder {
        collateral,
        kind: UpdateKind::Initial,
        sig_time: now(),
        benchmark_tier: Tier::Nimbus,
        benchmark_sig_time: now(),
        ip: "198.51.100.3".to_owned(),
    };
    let unmeasured = unmeasured.sign(&node, &stranger);
    assert_eq!(sent(&chain, &unmeasured).unwrap_err().code, -26);
    let weak = Confirm {
        tier: Tier::Cumulus,
        ..initial(now())
    };
    let error = sent(&chain, &confirm(&chain, &node, &weak)).unwrap_err();
    assert_eq!(
        &*error.message,
        "16: fluxnode-tx-benchmark-tier-to-low-for-collateral"
    );

    sent(&chain, &confirm(&chain, &node, &initial(now()))).unwrap();
    chain.mine(1).unwrap();
    assert_eq!(status(&chain, &collateral), Some(Status::Confirmed));
}

#[test]
fn confirms_lie_500_blocks_apart_and_changes_of_address_5() {
    let chain = chain();
    let node = confirmed_node(&chain, Tier::Cumulus, "198.51.100.4");
    chain.set_node_running(&node.collateral, false).unwrap();
    let confirmed_at = chain.height();
    // A change of address.
    chain.mine(3).unwrap();
    let moved = update(&chain, &node, "198.51.100.5", now());
    assert_eq!(next_height(&chain) - confirmed_at, 4);
    let error = sent(&chain, &moved).unwrap_err();
    assert_eq!((error.code, &*error.message), (-25, ""));
    let refused_block = with_transaction(&next_block(&chain), &moved);
    assert!(submit(&chain, &refused_block).is_string());
    chain.mine(1).unwrap();
    sent(&chain, &moved).unwrap();
    chain.mine(1).unwrap();
    let moved_at = chain.height();
    assert_eq!(moved_at - confirmed_at, 5);
    let listed = chain.fluxnodes().node(&node.collateral).unwrap().clone();
    assert_eq!(listed.ip.as_bytes(), b"198.51.100.5");
    assert_eq!(listed.last_confirmed_height, moved_at);
    assert_eq!(listed.confirmed_height, confirmed_at);
    // The same address.
    chain.mine(499).unwrap();
    let same = update(&chain, &node, "198.51.100.5", now() + 1);
    assert_eq!(next_height(&chain) - moved_at, 500);
    assert_eq!(sent(&chain, &same).unwrap_err().code, -25);
    chain.mine(1).unwrap();
    sent(&chain, &same).unwrap();
    chain.mine(1).unwrap();
    let listed = chain.fluxnodes().node(&node.collateral).unwrap().clone();
    assert_eq!(listed.last_confirmed_height, moved_at + 501);
}

#[test]
fn a_node_that_is_not_confirmed_again_expires() {
    let chain = chain();
    let node = confirmed_node(&chain, Tier::Cumulus, "198.51.100.6");
    chain.set_node_running(&node.collateral, false).unwrap();
    let confirmed_at = chain.height();
    chain.mine(640).unwrap();
    assert_eq!(status(&chain, &node.collateral), Some(Status::Confirmed));
    chain.mine(1).unwrap();
    assert_eq!(chain.height() - confirmed_at, 641);
    assert_eq!(status(&chain, &node.collateral), None);
}

#[test]
fn a_start_that_is_not_confirmed_becomes_a_dos_entry_and_goes_later() {
    let chain = chain();
    let (collateral, owner) = funded(&chain, Tier::Cumulus);
    chain.mine(99).unwrap();
    let (node, _) = chain.account(6);
    sent(&chain, &start(collateral, &owner, &node, now())).unwrap();
    chain.mine(1).unwrap();
    let started_at = chain.height();
    let listed = chain.call("getstartlist", &[]).unwrap();
    assert_eq!(listed[0]["expires_in"], 240);
    chain.mine(239).unwrap();
    assert_eq!(status(&chain, &collateral), Some(Status::Started));
    chain.mine(1).unwrap();
    assert_eq!(status(&chain, &collateral), Some(Status::Dos));
    let dos = chain.call("getdoslist", &[]).unwrap();
    assert_eq!(dos.as_array().unwrap().len(), 1);
    let again = start(collateral, &owner, &node, now() + 1);
    let error = sent(&chain, &again).unwrap_err();
    assert_eq!(
        &*error.message,
        "16: fluxnode-tx-already-in-chain-or-waiting-for-dos-unban"
    );
    chain.mine(started_at + 720 - chain.height()).unwrap();
    assert_eq!(status(&chain, &collateral), None);
    sent(&chain, &again).unwrap();
}

#[test]
fn spending_the_collateral_ends_the_node_in_that_block() {
    let chain = chain();
    let node = confirmed_node(&chain, Tier::Cumulus, "198.51.100.7");
    chain.remove_node(&node.collateral).unwrap();
    assert_eq!(status(&chain, &node.collateral), Some(Status::Confirmed));
    chain.mine(1).unwrap();
    assert_eq!(status(&chain, &node.collateral), None);
    assert_eq!(chain.nodes(), []);
}

#[test]
fn the_tiers_share_a_block_by_turns() {
    let chain = chain();
    let nodes: Vec<NodeView> = [
        (Tier::Cumulus, "198.51.100.10"),
        (Tier::Cumulus, "198.51.100.11"),
        (Tier::Nimbus, "198.51.100.12"),
        (Tier::Stratus, "198.51.100.13"),
    ]
    .into_iter()
    .map(|(tier, ip)| confirmed_node(&chain, tier, ip))
    .collect();
    chain.mine(10).unwrap();
    let height = chain.height();
    let paid = |node: &NodeView| {
        let listed = chain.fluxnodes().node(&node.collateral).unwrap().clone();
        listed.last_paid_height
    };
    // Alone in its tier means every block; two take turns.
    assert_eq!(paid(&nodes[2]), height);
    assert_eq!(paid(&nodes[3]), height);
    let mut cumulus = [paid(&nodes[0]), paid(&nodes[1])];
    cumulus.sort_unstable();
    assert_eq!(cumulus, [height - 1, height]);
    let block = chain
        .call("getblock", &[json!(height.to_string()), json!(2)])
        .unwrap();
    let values: Vec<i64> = block["tx"][0]["vout"]
        .as_array()
        .unwrap()
        .iter()
        .map(|output| output["valueSat"].as_i64().unwrap())
        .collect();
    // 14 FLUX: half to the dev fund, 1, 3.5 and 9 to the tiers.
    assert_eq!(values, [50_000_000, 100_000_000, 350_000_000, 900_000_000]);
    let winner = chain.call("fluxnodecurrentwinner", &[]).unwrap();
    chain.mine(1).unwrap();
    let listed = chain.call("viewdeterministicfluxnodelist", &[]).unwrap();
    let paid_now: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["last_paid_height"] == height + 1)
        .collect();
    assert_eq!(paid_now.len(), 3);
    for node in paid_now {
        let key = format!("{} Winner", node["tier"].as_str().unwrap());
        assert_eq!(winner[&key]["collateral"], node["collateral"]);
    }
}

#[test]
fn lists_can_be_filtered() {
    let chain = chain();
    let node = confirmed_node(&chain, Tier::Cumulus, "198.51.100.20");
    confirmed_node(&chain, Tier::Nimbus, "198.51.100.21");
    let count = |filter: &str| {
        let found = chain
            .call("viewdeterministicfluxnodelist", &[json!(filter)])
            .unwrap();
        found.as_array().unwrap().len()
    };
    assert_eq!(count("198.51.100.21"), 1);
    assert_eq!(count("198.51.100.2"), 2);
    assert_eq!(count(&node.payment_address.to_string()), 1);
    assert_eq!(count("nobody"), 0);
    let old_name = chain.call("listzelnodes", &[]).unwrap();
    assert_eq!(old_name, chain.call("listfluxnodes", &[]).unwrap());
}

#[test]
fn a_machine_that_is_no_node_says_so() {
    let chain = chain();
    for method in [
        "getfluxnodestatus",
        "getbenchmarks",
        "getbenchstatus",
        "getzelnodestatus",
    ] {
        let error = refused(&chain, method, &[]);
        assert_eq!(
            (error.code, &*error.message),
            (-1, "This is not a Flux Node")
        );
    }
}
