//! Daemons that are away, slow, garbled, on the wrong network, or say things twice.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use fluxplane_chain_indexer::{
    config::{DevnetRules, NetworkName},
    source::{ChainSource as _, SourceError},
    tasks::{catch_up::CatchUp, follow::same_network},
};
use fluxplane_flux_chain::{ChainParams, Network};
use fluxplane_platform::{config::Span, health::State};
use fluxplane_proto::chain_indexer::v1::GetStatusRequest;
use fluxplane_testkit::{eventually, free_address};
use zeromq::{PubSocket, Socket as _, SocketSend as _, ZmqMessage};

use crate::support::{
    chain::{BLOCKS, Branch, LAST, recorded},
    daemon::Daemon,
    follower::{Place, config, height, settle},
    service::{Ground, LIMIT, Running},
};

const PATIENT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn the_client_reads_what_the_daemon_says() {
    let (place, daemon) = (Place::new().await, Daemon::start(&BLOCKS).await);
    let source = place.source(&daemon, PATIENT);
    assert_eq!(
        source.genesis().await.unwrap(),
        ChainParams::of(Network::Regtest).genesis.hash
    );
    let position = source.position(Some(961)).await.unwrap();
    assert_eq!((position.tip.height, position.at), (LAST, None));
    let hashes = source.block_hashes(959..=962).await.unwrap();
    assert_eq!(hashes.iter().flatten().count(), 2);
    let blocks = source.blocks(5..=7).await.unwrap();
    assert_eq!(blocks, [recorded(5), recorded(6), recorded(7)]);
    let error = source.blocks(960..=961).await.unwrap_err();
    assert!(
        matches!(error, SourceError::Rpc { code: -8, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn answers_that_are_too_long_or_too_late_are_asked_for_in_halves() {
    let (place, daemon) = (Place::new().await, Daemon::start(&BLOCKS).await);
    // Room for about three of these blocks.
    let source = place.source(&daemon, PATIENT).with_longest_answer(2_200);
    let blocks = source.blocks(20..=51).await.unwrap();
    assert_eq!(blocks, BLOCKS[20..=51]);
    let error = source.blocks(217..=217).await.unwrap_err();
    assert!(matches!(error, SourceError::TooLong { .. }), "{error}");

    daemon.world().most_calls = Some(4);
    let source = place.source(&daemon, Duration::from_millis(100));
    assert_eq!(source.blocks(20..=35).await.unwrap(), BLOCKS[20..=35]);
    assert!(daemon.world().largest_batch <= 32);
}

#[tokio::test]
async fn every_kind_of_absence_has_its_name() {
    let (place, daemon) = (Place::new().await, Daemon::start(&BLOCKS).await);
    let source = place.source(&daemon, Duration::from_millis(200));
    daemon.world().loading = true;
    let error = source.position(None).await.unwrap_err();
    assert!(error.to_string().contains("Loading block index"), "{error}");
    daemon.world().loading = false;
    daemon.world().status = Some(503);
    assert!(matches!(
        source.position(None).await.unwrap_err(),
        SourceError::Status(503)
    ));
    daemon.world().status = None;
    daemon.world().delay = PATIENT;
    assert!(matches!(
        source.position(None).await.unwrap_err(),
        SourceError::Timeout(_)
    ));
    let gone = Daemon::start(&BLOCKS[..1]).await;
    let source = place.source(&gone, PATIENT);
    drop(gone);
    eventually(LIMIT, async || match source.position(None).await {
        Err(SourceError::Unreachable(_)) => Ok(()),
        other => Err(other.map(|position| position.tip)),
    })
    .await;
    let text = place.metrics.encode();
    for outcome in ["error", "status", "timeout", "unreachable"] {
        assert!(
            text.contains(&format!("outcome=\"{outcome}\"")),
            "{outcome}"
        );
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_apart() {
    let (place, daemon) = (Place::new().await, Daemon::start(&BLOCKS).await);
    let config = fluxplane_chain_indexer::source::rpc::RpcConfig {
        url: daemon.url(),
        user: "indexer".to_owned(),
        password: fluxplane_platform::config::Secret::new("a guess"),
        timeout: PATIENT,
    };
    let metrics = place.chain_metrics.clone();
    let source = fluxplane_chain_indexer::source::FluxdRpc::new(config, metrics).unwrap();
    let error = source.genesis().await.unwrap_err();
    assert!(error.to_string().contains("rpc.password"), "{error}");
    assert!(!format!("{error:?}").contains("a guess"));
}

#[tokio::test]
async fn a_daemon_that_is_away_is_waited_for_and_followed_when_it_is_back() {
    let (place, daemon) = (Place::new().await, Daemon::start(&BLOCKS[..=50]).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    daemon.set_chain(&BLOCKS[..=60]);
    daemon.world().loading = true;
    let summary = settle(&mut follower).await;
    assert!(summary.contains("cannot be asked"), "{summary}");
    daemon.world().loading = false;
    settle(&mut follower).await;
    assert_eq!(height(&follower), 60);
}

#[tokio::test]
async fn a_garbled_block_is_not_applied_and_stops_nothing_for_good() {
    let (place, daemon) = (Place::new().await, Daemon::start(&BLOCKS[..=300]).await);
    daemon.world().garbled = Some(150);
    let mut follower = place.follower(&daemon).await;
    let summary = settle(&mut follower).await;
    assert!(summary.contains("block 150 is garbled"), "{summary}");
    assert!(height(&follower) < 150);
    assert!(place.chain_metrics.garbled.get() >= 1);
    daemon.world().garbled = None;
    settle(&mut follower).await;
    assert_eq!(height(&follower), 300);
}

#[tokio::test]
async fn a_branch_change_in_the_middle_of_a_catch_up_is_noticed_by_the_parent_hash() {
    let (place, daemon) = (Place::new().await, Daemon::start(&BLOCKS[..=300]).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let at = follower.at.take().unwrap();
    // The daemon answered with its old tip, then changed its chain before it was asked for blocks.
    let mut branch = Branch::leave_at(295, 1);
    branch.grow_by(20);
    daemon.set_chain(&branch.blocks);
    let (ctx, source) = (place.ctx(), Arc::new(place.source(&daemon, PATIENT)));
    let work = CatchUp {
        ctx: &ctx,
        token: follower.token,
        source: &source,
        pace: place.pace,
    };
    let theirs = source.position(None).await.unwrap().tip;
    let ended = work
        .run(at.state, at.mempool, theirs, |_| ())
        .await
        .unwrap();
    assert_eq!(ended.state.tip().unwrap().height, 300);
    assert!(format!("{:?}", ended.ended).contains("Detached"));
    settle(&mut follower).await;
    assert_eq!(height(&follower), 315);
}

#[tokio::test]
async fn a_daemon_of_another_network_is_refused_at_start_with_both_genesis_hashes() {
    let daemon = Daemon::start(&BLOCKS[..1]).await;
    let ground = Ground::new().await;
    let mut config = ground.config(&daemon);
    config.chain.network = NetworkName::Main;
    config.chain.devnet = DevnetRules::default();
    config.payments.addresses = Vec::new();
    let error = Running::with(ground, config).await.err().unwrap();
    let text = format!("{error:#}");
    for network in [Network::Main, Network::Regtest] {
        let hash = ChainParams::of(network).genesis.hash.to_string();
        assert!(text.contains(&hash), "{text}");
    }
}

#[tokio::test]
async fn a_database_of_another_network_is_refused() {
    let (place, daemon) = (Place::new().await, Daemon::start(&BLOCKS[..=5]).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let mut config = config();
    config.chain.network = NetworkName::Test;
    config.chain.devnet = DevnetRules::default();
    config.payments.addresses = Vec::new();
    let mut ctx = place.ctx();
    ctx.rules = config.rules().unwrap();
    let error = fluxplane_chain_indexer::app::load::load(&ctx)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("devnet") && text.contains("test"), "{text}");
    let main = ChainParams::of(Network::Main).genesis.hash;
    assert!(same_network(&ctx, main).is_err());
}

#[test]
fn contradictions_in_the_configuration_are_named() {
    let mut on_main = config();
    on_main.chain.network = NetworkName::Main;
    let error = on_main.rules().unwrap_err().to_string();
    assert!(error.contains("chain.devnet"), "{error}");
    on_main.chain.devnet = DevnetRules::default();
    let error = on_main.rules().unwrap_err().to_string();
    assert!(error.contains("payments.addresses"), "{error}");
    on_main.payments.addresses = Vec::new();
    on_main.payments.thresholds = vec![1, 39].try_into().unwrap();
    let error = on_main.rules().unwrap_err().to_string();
    assert!(error.contains("payments.thresholds ends at 39"), "{error}");
    on_main.payments.thresholds = vec![1, 40].try_into().unwrap();
    assert_eq!(on_main.rules().unwrap().watch.at(2_000_000).count(), 3);
    on_main.follow.fetch_batch = 0;
    assert!(on_main.rules().is_err());
}

#[tokio::test]
async fn an_announcement_wakes_the_follower_long_before_it_would_look() {
    let endpoint = format!("tcp://{}", free_address());
    let announcer = tokio::sync::Mutex::new(PubSocket::new());
    announcer.lock().await.bind(&endpoint).await.unwrap();
    let daemon = Daemon::start(&BLOCKS[..=10]).await;
    let ground = Ground::new().await;
    let mut config = ground.config(&daemon);
    config.zmq.endpoint = endpoint;
    config.follow.poll_interval = Span(Duration::from_hours(1));
    let service = Running::with(ground, config).await.unwrap();
    let client = service.client("gateway");
    let at = async |height: u32| {
        let status = client.clone().get_status(GetStatusRequest {}).await;
        match status.unwrap().into_inner().height {
            found if found == height => Ok(()),
            other => Err(other),
        }
    };
    eventually(LIMIT, async || at(10).await).await;
    daemon.set_chain(&BLOCKS[..=11]);
    // The subscription is not there at once, and what nobody subscribed to is lost.
    eventually(LIMIT, async || {
        let frames = [&b"hashblock"[..], &[0; 32], &[0; 4]];
        let frames: Vec<Bytes> = frames.map(Bytes::from_static).into();
        let message = ZmqMessage::try_from(frames).unwrap();
        announcer.lock().await.send(message).await.unwrap();
        at(11).await
    })
    .await;
    assert!(
        service
            .metrics
            .encode()
            .contains("fluxplane_chain_tip_seconds_count 1")
    );
}

#[tokio::test]
async fn a_block_nobody_announced_is_found_by_polling() {
    let endpoint = format!("tcp://{}", free_address());
    let mut silent = PubSocket::new();
    silent.bind(&endpoint).await.unwrap();
    let daemon = Daemon::start(&BLOCKS[..=10]).await;
    let ground = Ground::new().await;
    let mut config = ground.config(&daemon);
    config.zmq.endpoint = endpoint;
    let service = Running::with(ground, config).await.unwrap();
    let client = service.client("gateway");
    for height in [10, 14] {
        daemon.set_chain(&BLOCKS[..=usize::try_from(height).unwrap()]);
        eventually(LIMIT, async || {
            let status = client.clone().get_status(GetStatusRequest {}).await;
            match status.unwrap().into_inner().height {
                found if found == height => Ok(()),
                other => Err(other),
            }
        })
        .await;
    }
}

#[tokio::test]
async fn health_and_metrics_tell_halted_from_away_from_well() {
    let daemon = Daemon::start(&BLOCKS[..=300]).await;
    let service = Running::start(&daemon).await;
    let health = service.health.clone();
    let component = |name: &str| health.report().components[name].clone();
    eventually(LIMIT, async || {
        let report = health.report();
        let well = report
            .components
            .values()
            .all(|state| *state == State::Ready);
        if well { Ok(()) } else { Err(report) }
    })
    .await;
    // Nodes are counted now and then.
    eventually(LIMIT, async || {
        let text = service.metrics.encode();
        let shown = [
            "fluxplane_chain_height 300",
            "fluxplane_chain_fluxnodes{tier=\"CUMULUS\",status=\"confirmed\"} 3",
            "fluxplane_chain_halted 0",
        ];
        let all = shown.iter().all(|line| text.contains(line));
        if all { Ok(()) } else { Err(text) }
    })
    .await;

    let mut branch = Branch::leave_at(200, 1);
    branch.grow_by(150);
    daemon.set_chain(&branch.blocks);
    eventually(LIMIT, async || match component("chain") {
        State::NotReady(reason) if reason.contains("final") => Ok(()),
        other => Err(other),
    })
    .await;
    assert!(!health.report().ready);
    let status = service
        .client("gateway")
        .get_status(GetStatusRequest {})
        .await;
    assert!(
        status
            .unwrap()
            .into_inner()
            .halted_reason
            .contains("height 300")
    );
    assert!(
        service
            .metrics
            .encode()
            .contains("fluxplane_chain_halted 1")
    );

    daemon.set_chain(&BLOCKS[..=300]);
    eventually(LIMIT, async || match component("chain") {
        State::Ready => Ok(()),
        other => Err(other),
    })
    .await;
    daemon.world().status = Some(503);
    eventually(LIMIT, async || match component("daemon") {
        State::Affected(reason) if reason.contains("503") => Ok(()),
        other => Err(other),
    })
    .await;
    assert!(
        health.report().ready,
        "what is indexed can still be asked for"
    );
}
