//! An index that begins with the fluxnode lists of a daemon goes on like one that begins with the first block.

use std::{sync::Arc, time::Duration};

use fluxplane_chain_indexer::{
    app::queries,
    config::{DevnetRules, NetworkName, StartMode},
    domain::IndexMode,
    source::{ChainSource as _, FluxdRpc, rpc::RpcConfig},
    tasks::follow::Follower,
};
use fluxplane_core::{FixedClock, Tier};
use fluxplane_devnet::{ChainHandle, ChainRules, Devnet, NewNode, Options};
use fluxplane_flux_chain::OutPoint;
use fluxplane_platform::config::Secret;
use serde_json::json;

use crate::support::{
    dump::assert_same_table,
    follower::{Announced, Place, config, height, noon, settle},
};

/// Short periods, so that nodes expire within the test.
fn rules() -> ChainRules {
    ChainRules {
        collateral_depth: 5,
        start_expires_after: Some(12),
        dos_leaves_after: Some(30),
        confirm_expires_after: Some(40),
        update_distance: Some(10),
        ..ChainRules::default()
    }
}

async fn devnet() -> Devnet {
    Devnet::start(Options {
        rules: rules(),
        clock: Arc::new(FixedClock::at(noon())),
        zmq: None,
        ..Options::default()
    })
    .await
    .unwrap()
}

/// Does something with the chain that takes longer than a runtime may be held up.
async fn on<T: Send + 'static>(
    devnet: &Devnet,
    act: impl FnOnce(ChainHandle) -> T + Send + 'static,
) -> T {
    let chain = devnet.chain();
    tokio::task::spawn_blocking(move || act(chain))
        .await
        .unwrap()
}

fn node(tier: Tier, number: u8) -> NewNode {
    NewNode {
        tier,
        ip: format!("192.0.2.{number}:16127"),
        collateral_key: None,
        node_key: None,
        fast: false,
    }
}

/// A place for an index of the devnet.
async fn place(devnet: &Devnet) -> Place {
    let mut params = devnet.chain().call("devnet_params", &[]).unwrap();
    let keys = params.as_object_mut().unwrap();
    assert_eq!(keys.remove("network"), Some(json!("devnet")));
    keys.remove("genesis_hash").unwrap();
    let mut config = config();
    config.chain.network = NetworkName::Devnet;
    config.chain.devnet = serde_json::from_value::<DevnetRules>(params).unwrap();
    config.index.mode = IndexMode::Plane;
    Place::with(config.rules().unwrap()).await
}

async fn follower(place: &Place, devnet: &Devnet, start: StartMode) -> Follower<FluxdRpc> {
    let rpc = RpcConfig {
        url: devnet.rpc_url(),
        user: devnet.credentials().user.clone(),
        password: Secret::new(devnet.credentials().password.clone()),
        timeout: Duration::from_secs(10),
    };
    let source = FluxdRpc::new(rpc, place.chain_metrics.clone()).unwrap();
    let mut follower = place.follower_of(source, 1).await;
    follower.start = start;
    follower
}

/// The lists are the same, row for row.
async fn assert_same_lists(found: &Place, expected: &Place, context: &str) {
    let (found, expected) = (found.dump().await, expected.dump().await);
    for table in ["fluxnode", "fluxnode_delegates"] {
        assert_same_table(
            &found[table],
            &expected[table],
            &format!("{context}: {table}"),
        );
    }
}

/// Confirmed nodes of every tier, one that expires later, one that waits for its confirm, one that is in DoS. Gives the one that
/// will expire and the one that waits.
async fn busy(devnet: &Devnet) -> (OutPoint, OutPoint) {
    on(devnet, |chain| {
        let nodes: Vec<OutPoint> = [
            Tier::Cumulus,
            Tier::Nimbus,
            Tier::Stratus,
            Tier::Cumulus,
            Tier::Cumulus,
        ]
        .into_iter()
        .zip(1..)
        .map(|(tier, number)| chain.add_node(node(tier, number)).unwrap().collateral)
        .collect();
        chain.mine(20).unwrap();
        chain.set_node_running(&nodes[3], false).unwrap();
        let unconfirmed = |number| {
            let collateral = chain
                .add_node(node(Tier::Cumulus, number))
                .unwrap()
                .collateral;
            let is_starting = || {
                let nodes = chain.nodes();
                let found = nodes.iter().find(|node| node.collateral == collateral);
                found.is_some_and(|node| node.stage == "starting")
            };
            while !is_starting() {
                chain.mine(1).unwrap();
            }
            // The next block holds its start, and nobody confirms it.
            chain.set_node_running(&collateral, false).unwrap();
            chain.mine(1).unwrap();
            collateral
        };
        let _dos = unconfirmed(6);
        chain.mine(14).unwrap();
        let waiting = unconfirmed(7);
        (nodes[3], waiting)
    })
    .await
}

#[tokio::test]
async fn after_a_snapshot_the_lists_go_on_as_those_of_an_index_from_the_first_block() {
    let devnet = devnet().await;
    let (silent, waiting) = busy(&devnet).await;
    let (whole, begun) = (place(&devnet).await, place(&devnet).await);
    let mut from_genesis = follower(&whole, &devnet, StartMode::Genesis).await;
    let mut from_snapshot = follower(&begun, &devnet, StartMode::Snapshot).await;
    settle(&mut from_genesis).await;
    settle(&mut from_snapshot).await;
    let base = queries::base_height(&begun.ctx()).await.unwrap();
    assert_eq!(base, devnet.chain().height());
    assert_same_lists(&begun, &whole, "at the snapshot").await;
    let statuses = statuses(&begun).await;
    assert!(
        statuses.iter().all(|count| *count > 0),
        "started, dos and confirmed nodes: {statuses:?}"
    );

    // 120 blocks with payouts, confirms, new starts, a late confirm, expiries and a spent collateral.
    for step in 0..12_u8 {
        on(&devnet, move |chain| {
            match step {
                1 => chain.set_node_running(&waiting, true).unwrap(),
                2 | 4 | 7 => drop(chain.add_node(node(Tier::Cumulus, 20 + step)).unwrap()),
                5 => {
                    let first = chain.nodes().remove(0).collateral;
                    chain.remove_node(&first).unwrap();
                }
                8 => chain.set_node_running(&silent, true).unwrap(),
                _ => {}
            }
            chain.mine(10).unwrap();
        })
        .await;
        settle(&mut from_genesis).await;
        settle(&mut from_snapshot).await;
        assert_eq!(height(&from_snapshot), devnet.chain().height());
        assert_same_lists(&begun, &whole, &format!("step {step}")).await;
    }
    let events: Vec<_> = begun.announced().await;
    let changes: std::collections::BTreeSet<i32> = events
        .iter()
        .filter_map(|event| {
            let Announced::Fluxnode(event) = event else {
                return None;
            };
            Some(event.change)
        })
        .collect();
    assert!(changes.len() >= 5, "only {changes:?} happened");
    // Loaded again, it is the same.
    from_snapshot.at = None;
    settle(&mut from_snapshot).await;
    let theirs = from_snapshot.source.node_lists().await.unwrap();
    assert_eq!(theirs.nodes.len(), begun.dump().await["fluxnode"].len());
}

/// Nodes that are started, in DoS, and confirmed.
async fn statuses(place: &Place) -> [i64; 3] {
    let counts = queries::count_fluxnodes(&place.ctx()).await.unwrap();
    [1, 2, 3].map(|status| {
        let of_status = counts.iter().filter(|(_, found, _)| *found == status);
        of_status.map(|(_, _, count)| count).sum()
    })
}

async fn started(devnet: &Devnet) {
    on(devnet, |chain| {
        for (tier, number) in [(Tier::Cumulus, 1), (Tier::Cumulus, 2), (Tier::Stratus, 3)] {
            chain.add_node(node(tier, number)).unwrap();
        }
        chain.mine(20).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_reorganisation_after_the_snapshot_is_undone_as_ever() {
    let devnet = devnet().await;
    started(&devnet).await;
    let (whole, begun) = (place(&devnet).await, place(&devnet).await);
    let mut from_genesis = follower(&whole, &devnet, StartMode::Genesis).await;
    let mut from_snapshot = follower(&begun, &devnet, StartMode::Snapshot).await;
    settle(&mut from_snapshot).await;
    on(&devnet, |chain| {
        chain.mine(15).unwrap();
    })
    .await;
    settle(&mut from_genesis).await;
    settle(&mut from_snapshot).await;
    // To the very block it began at.
    on(&devnet, |chain| {
        chain.reorganise(15, None).unwrap();
    })
    .await;
    settle(&mut from_genesis).await;
    settle(&mut from_snapshot).await;
    assert_eq!(height(&from_snapshot), devnet.chain().height());
    assert_same_lists(&begun, &whole, "after 15 blocks were undone").await;
}

#[tokio::test]
async fn when_the_chain_leaves_the_snapshot_it_is_thrown_away_and_taken_anew() {
    let devnet = devnet().await;
    started(&devnet).await;
    let (whole, begun) = (place(&devnet).await, place(&devnet).await);
    let mut from_snapshot = follower(&begun, &devnet, StartMode::Snapshot).await;
    settle(&mut from_snapshot).await;
    let old = queries::base_height(&begun.ctx()).await.unwrap();
    on(&devnet, |chain| {
        chain.mine(3).unwrap();
    })
    .await;
    settle(&mut from_snapshot).await;
    begun.announced().await;
    on(&devnet, |chain| {
        chain.reorganise(10, None).unwrap();
    })
    .await;
    settle(&mut from_snapshot).await;
    let new = queries::base_height(&begun.ctx()).await.unwrap();
    assert!(new > old && new == devnet.chain().height(), "{old} {new}");
    // Whoever heard of the blocks hears that they are gone.
    let gone: Vec<u32> = begun
        .announced()
        .await
        .iter()
        .filter_map(|event| {
            let Announced::Disconnected(event) = event else {
                return None;
            };
            Some(event.height)
        })
        .collect();
    assert_eq!(gone, [old + 3, old + 2, old + 1]);
    let mut from_genesis = follower(&whole, &devnet, StartMode::Genesis).await;
    on(&devnet, |chain| {
        chain.mine(5).unwrap();
    })
    .await;
    settle(&mut from_genesis).await;
    settle(&mut from_snapshot).await;
    assert_same_lists(&begun, &whole, "after the new snapshot").await;
}

#[tokio::test]
async fn once_the_snapshot_is_final_a_deeper_reorganisation_halts() {
    let devnet = devnet().await;
    started(&devnet).await;
    let begun = place(&devnet).await;
    let mut from_snapshot = follower(&begun, &devnet, StartMode::Snapshot).await;
    settle(&mut from_snapshot).await;
    on(&devnet, |chain| {
        chain.mine(45).unwrap();
    })
    .await;
    settle(&mut from_snapshot).await;
    let at = height(&from_snapshot);
    // The lower blocks of the new chain are those of another devnet.
    let other = self::devnet().await;
    on(&other, |chain| {
        chain.mine(80).unwrap();
    })
    .await;
    let mut elsewhere = follower(&begun, &other, StartMode::Snapshot).await;
    let summary = settle(&mut elsewhere).await;
    assert!(summary.contains("halted"), "{summary}");
    assert_eq!(height(&elsewhere), at);
}

#[tokio::test]
async fn a_replica_whose_term_is_over_begins_nothing() {
    let devnet = devnet().await;
    started(&devnet).await;
    let begun = place(&devnet).await;
    let mut late = follower(&begun, &devnet, StartMode::Snapshot).await;
    // A term that is over writes nothing.
    late.token -= 1;
    let error = fluxplane_platform::reconciler::Reconciler::reconcile(&mut late)
        .await
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("another replica"),
        "{error:#}"
    );
    assert!(begun.dump().await["fluxnode"].is_empty());
    assert_eq!(queries::base_height(&begun.ctx()).await.unwrap(), 0);
    let mut follower = follower(&begun, &devnet, StartMode::Snapshot).await;
    settle(&mut follower).await;
    assert_eq!(begun.dump().await["fluxnode"].len(), 3);
}
