//! Several daemons: what enough of them have is believed, wherever it is fetched from; one that lies, lags or hangs is named.

use std::time::Duration;

use fluxplane_chain_indexer::{
    app::queries,
    config::{DevnetRules, MoreRpc, NetworkName},
    source::{ChainSource as _, SourceError},
    tasks::follow::Follower,
};
use fluxplane_flux_chain::{ChainParams, Network};
use fluxplane_platform::{
    config::{Secret, Span},
    health::State,
    reconciler::Reconciler as _,
};
use fluxplane_proto::chain_indexer::v1::GetStatusRequest;
use fluxplane_testkit::eventually;
use tokio::time::Instant;

use crate::support::{
    chain::{BLOCKS, Branch, LAST, recorded, up_to},
    daemon::{Daemon, PASSWORD, USER},
    dump::assert_same_rows,
    follower::{Place, SOURCE_PATIENCE, config, height, settle},
    service::{Ground, LIMIT, Running},
};

/// A chain that leaves the recording and grows beyond it.
fn other_chain(fork: u32, blocks: u32) -> Vec<Vec<u8>> {
    let mut branch = Branch::leave_at(fork, 5);
    branch.grow_by(blocks);
    branch.blocks
}

/// Looks once.
async fn look<S: fluxplane_chain_indexer::source::ChainSource>(
    follower: &mut Follower<S>,
) -> String {
    follower.reconcile().await.unwrap().summary
}

#[tokio::test]
async fn the_majority_is_followed_and_a_daemon_on_another_branch_is_named() {
    let place = Place::new().await;
    let (a, c) = (
        Daemon::start(up_to(300)).await,
        Daemon::start(up_to(301)).await,
    );
    let b = Daemon::start(&other_chain(270, 60)).await;
    let mut follower = place.follower_of(place.quorum(&[&a, &b, &c], 2), 2).await;
    settle(&mut follower).await;
    assert_eq!(
        height(&follower),
        300,
        "both have block 300, only one has 301"
    );

    let status = queries::status(&place.ctx()).await.unwrap();
    assert_eq!((status.daemon_height, status.quorum), (300, 2));
    assert!(
        status.daemon_problem.is_empty(),
        "{}",
        status.daemon_problem
    );
    let said: Vec<_> = status
        .sources
        .iter()
        .map(|source| {
            (
                source.name.as_str(),
                source.tip.unwrap().height,
                source.agrees,
            )
        })
        .collect();
    assert_eq!(
        said,
        [("a", 300, true), ("b", 330, false), ("c", 301, true)]
    );
    assert!(
        status.sources[1].problem.contains("disagrees"),
        "{:?}",
        status.sources[1]
    );

    let (straight, honest) = (Place::new().await, Daemon::start(up_to(300)).await);
    settle(&mut straight.follower(&honest).await).await;
    assert_same_rows(&place.db.pool, &straight.db.pool, "majority").await;
}

#[tokio::test]
async fn a_minority_is_never_followed_and_following_goes_on_with_the_quorum() {
    let place = Place::new().await;
    let (a, b) = (
        Daemon::start(up_to(300)).await,
        Daemon::start(up_to(300)).await,
    );
    let mut follower = place.follower_of(place.quorum(&[&a, &b], 2), 2).await;
    settle(&mut follower).await;
    assert_eq!(height(&follower), 300);

    // One goes on alone, on our branch or on another.
    a.set_chain(up_to(320));
    settle(&mut follower).await;
    assert_eq!(height(&follower), 300);
    b.set_chain(&other_chain(290, 40));
    let summary = settle(&mut follower).await;
    assert!(
        summary.contains("behind"),
        "they agree on block 290 alone: {summary}"
    );
    assert_eq!(height(&follower), 300);

    // One is gone.
    b.world().status = Some(503);
    let summary = settle(&mut follower).await;
    assert!(
        summary.contains("2 of 2 sources must agree")
            && summary.contains("b: ")
            && summary.contains("503"),
        "{summary}"
    );
    assert_eq!(height(&follower), 300);
    let status = queries::status(&place.ctx()).await.unwrap();
    assert!(
        status.daemon_problem.contains("503"),
        "{}",
        status.daemon_problem
    );

    b.world().status = None;
    b.set_chain(up_to(320));
    settle(&mut follower).await;
    assert_eq!(height(&follower), 320);
}

#[tokio::test]
async fn both_branches_move_to_the_longer_one_and_so_do_we() {
    let place = Place::new().await;
    let daemons = [
        Daemon::start(up_to(300)).await,
        Daemon::start(up_to(300)).await,
        Daemon::start(up_to(300)).await,
    ];
    let [a, b, c] = &daemons;
    let mut follower = place.follower_of(place.quorum(&[a, b, c], 2), 2).await;
    settle(&mut follower).await;
    let longer = other_chain(280, 30);
    a.set_chain(&longer);
    settle(&mut follower).await;
    assert_eq!(height(&follower), 300, "one alone moves nobody");
    b.set_chain(&longer);
    settle(&mut follower).await;
    assert_eq!(height(&follower), 310);
    let status = queries::status(&place.ctx()).await.unwrap();
    let agree: Vec<bool> = status.sources.iter().map(|source| source.agrees).collect();
    assert_eq!(agree, [true, true, false]);
}

#[tokio::test]
async fn daemons_that_part_deeper_than_what_is_final_are_not_followed_at_all() {
    let place = Place::new().await;
    let a = Daemon::start(up_to(300)).await;
    let b = Daemon::start(&other_chain(200, 100)).await;
    let mut follower = place.follower_of(place.quorum(&[&a, &b], 2), 2).await;
    let summary = settle(&mut follower).await;
    assert!(summary.contains("2 of 2 sources must agree"), "{summary}");
    assert!(follower.at.as_ref().unwrap().state.tip().is_none());
}

#[tokio::test]
async fn a_daemon_that_hangs_is_waited_for_once_and_heard_again_when_it_answers() {
    let place = Place::new().await;
    let daemons = [
        Daemon::start(up_to(300)).await,
        Daemon::start(up_to(300)).await,
        Daemon::start(up_to(300)).await,
    ];
    let [a, b, c] = &daemons;
    let mut follower = place.follower_of(place.quorum(&[a, b, c], 2), 2).await;
    settle(&mut follower).await;
    // Longer than the test waits for it, shorter than the request may take.
    a.world().delay = Duration::from_secs(3);
    for daemon in &daemons {
        daemon.set_chain(up_to(310));
    }
    look(&mut follower).await;
    settle(&mut follower).await;
    assert_eq!(height(&follower), 310);
    let (started, looks) = (Instant::now(), 5);
    for _ in 0..looks {
        look(&mut follower).await;
    }
    assert!(
        started.elapsed() < SOURCE_PATIENCE * looks,
        "{:?} for {looks} looks: it is waited for every time",
        started.elapsed()
    );
    let status = queries::status(&place.ctx()).await.unwrap();
    let hung = &status.sources[0];
    assert!(
        !hung.agrees && hung.problem.contains("did not answer"),
        "{hung:?}"
    );

    a.world().delay = Duration::ZERO;
    let follower = tokio::sync::Mutex::new(follower);
    eventually(LIMIT, async || {
        let mut follower = follower.lock().await;
        look(&mut *follower).await;
        let report = follower.source.reports().remove(0);
        if report.agrees { Ok(()) } else { Err(report) }
    })
    .await;
}

#[tokio::test]
async fn blocks_come_from_another_daemon_when_one_stalls_lies_garbles_or_refuses() {
    type Fault = fn(&Daemon);
    let faults: [(&str, Fault); 4] = [
        ("slow", |daemon| daemon.world().most_calls = Some(2)),
        ("other_block", |daemon| {
            let block = recorded(149).to_vec();
            daemon.world().forged.insert(150, block);
        }),
        ("garbled", |daemon| daemon.world().garbled = Some(150)),
        ("malformed", |daemon| {
            daemon.world().forged.insert(150, b"no block".to_vec());
        }),
    ];
    let (straight, honest) = (Place::new().await, Daemon::start(up_to(300)).await);
    settle(&mut straight.follower(&honest).await).await;
    for (kind, fault) in faults {
        let mut place = Place::new().await;
        // One request for everything, which comes to the first of them.
        place.pace.fetch_batch = 400;
        let (a, b) = (
            Daemon::start(up_to(300)).await,
            Daemon::start(up_to(300)).await,
        );
        let c = Daemon::start(up_to(300)).await;
        fault(&a);
        let mut follower = place.follower_of(place.quorum(&[&a, &b, &c], 2), 2).await;
        settle(&mut follower).await;
        assert_eq!(height(&follower), 300, "{kind}");
        assert_same_rows(&place.db.pool, &straight.db.pool, kind).await;
        let report = follower.source.reports().remove(0);
        assert!(!report.problem.is_empty(), "{kind}: {report:?}");
        let text = place.metrics.encode();
        // What is no block at all is a garbled one.
        let kind = if kind == "malformed" { "garbled" } else { kind };
        let line = format!("fluxplane_chain_source_errors_total{{source=\"a\",kind=\"{kind}\"}}");
        assert!(text.contains(&line), "{line} in\n{text}");
    }
}

#[tokio::test]
async fn work_is_shared_among_daemons_that_agree() {
    let place = Place::new().await;
    let (a, b) = (Daemon::start(&BLOCKS).await, Daemon::start(&BLOCKS).await);
    let mut follower = place.follower_of(place.quorum(&[&a, &b], 2), 2).await;
    settle(&mut follower).await;
    assert_eq!(height(&follower), LAST);
    for daemon in [&a, &b] {
        assert!(
            daemon.world().block_requests > 5,
            "{}",
            daemon.world().block_requests
        );
    }
}

#[tokio::test]
async fn an_answer_that_repeats_its_keys_is_refused_and_named() {
    let place = Place::new().await;
    let daemon = Daemon::start(up_to(20)).await;
    daemon.world().repeats = true;
    let source = place.source(&daemon, LIMIT);
    let error = source.position(None).await.unwrap_err();
    assert!(
        matches!(&error, SourceError::Malformed { problem, .. } if problem.contains("`blocks` is repeated")),
        "{error}"
    );
    // Among others it is not counted.
    let (b, c) = (
        Daemon::start(up_to(20)).await,
        Daemon::start(up_to(20)).await,
    );
    let mut follower = place
        .follower_of(place.quorum(&[&daemon, &b, &c], 2), 2)
        .await;
    settle(&mut follower).await;
    assert_eq!(height(&follower), 20);
    let report = follower.source.reports().remove(0);
    assert!(report.problem.contains("is repeated"), "{report:?}");
}

#[tokio::test]
async fn one_daemon_of_another_network_among_several_refuses_the_start() {
    let (right, wrong) = (
        Daemon::start(up_to(9)).await,
        Daemon::start(&BLOCKS[1..9]).await,
    );
    let ground = Ground::new().await;
    let mut config = ground.config(&right);
    config.rpc.more = vec![more("second", &wrong), more("third", &right)];
    let error = Running::with(ground, config).await.err().unwrap();
    let text = format!("{error:#}");
    let expected = ChainParams::of(Network::Regtest).genesis.hash.to_string();
    let found = crate::support::chain::hash_of(recorded(1)).to_string();
    assert!(
        text.contains("`second`") && text.contains(&expected) && text.contains(&found),
        "{text}"
    );
}

#[tokio::test]
async fn a_daemon_of_another_network_that_comes_later_is_not_counted() {
    let place = Place::new().await;
    let (a, c) = (
        Daemon::start(up_to(50)).await,
        Daemon::start(up_to(50)).await,
    );
    let wrong = Daemon::start(&BLOCKS[1..40]).await;
    wrong.world().status = Some(503);
    let mut follower = place
        .follower_of(place.quorum(&[&a, &wrong, &c], 2), 2)
        .await;
    settle(&mut follower).await;
    assert_eq!(height(&follower), 50);
    wrong.world().status = None;
    settle(&mut follower).await;
    let report = follower.source.reports().remove(1);
    assert!(
        !report.agrees && report.problem.contains("another network"),
        "{report:?}"
    );
}

fn more(name: &str, daemon: &Daemon) -> MoreRpc {
    MoreRpc {
        name: name.to_owned(),
        url: daemon.url(),
        user: USER.to_owned(),
        password: Secret::new(PASSWORD),
        zmq: String::new(),
    }
}

#[tokio::test]
async fn sources_show_in_status_metrics_and_health() {
    let daemons = [
        Daemon::start(up_to(300)).await,
        Daemon::start(up_to(300)).await,
        // It parts so deep that it and another one agree on nothing that could be followed.
        Daemon::start(&other_chain(200, 110)).await,
    ];
    let [a, b, c] = &daemons;
    let ground = Ground::new().await;
    let mut config = ground.config(a);
    config.rpc.patience = Span(SOURCE_PATIENCE);
    config.rpc.more = vec![more("second", b), more("third", c)];
    let service = Running::with(ground, config).await.unwrap();
    let client = service.client("gateway");
    eventually(LIMIT, async || {
        let status = client.clone().get_status(GetStatusRequest {}).await;
        let status = status.unwrap().into_inner();
        let said: Vec<_> = status
            .sources
            .iter()
            .map(|source| (source.name.as_str(), source.height, source.agrees))
            .collect();
        let wanted = [
            ("fluxd", 300, true),
            ("second", 300, true),
            ("third", 310, false),
        ];
        if said == wanted && status.height == 300 && status.quorum == 2 {
            Ok(())
        } else {
            Err(status)
        }
    })
    .await;
    eventually(LIMIT, async || {
        let text = service.metrics.encode();
        let shown = [
            "fluxplane_chain_quorum 1",
            "fluxplane_chain_source_up{source=\"third\"} 1",
            "fluxplane_chain_source_height_blocks{source=\"third\"} 310",
            "fluxplane_chain_source_agrees{source=\"second\"} 1",
            "fluxplane_chain_source_agrees{source=\"third\"} 0",
            "fluxplane_chain_source_lag_blocks{source=\"second\"} 0",
        ];
        let missing: Vec<_> = shown.iter().filter(|line| !text.contains(**line)).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("{missing:?}"))
        }
    })
    .await;

    // Without a quorum following waits, and what is indexed is served.
    b.world().status = Some(503);
    eventually(LIMIT, async || {
        let report = service.health.report();
        let affected = matches!(
            &report.components["daemon"],
            State::Affected(reason) if reason.contains("2 of 3 sources must agree")
        );
        let shown = service
            .metrics
            .encode()
            .contains("fluxplane_chain_quorum 0");
        if affected && report.ready && shown {
            Ok(())
        } else {
            Err(report)
        }
    })
    .await;
    b.world().status = None;
    eventually(LIMIT, async || {
        match &service.health.report().components["daemon"] {
            State::Ready => Ok(()),
            other => Err(other.clone()),
        }
    })
    .await;
}

#[test]
fn names_and_quorum_of_the_configuration_must_make_sense() {
    let mut config = config();
    config.chain.network = NetworkName::Main;
    config.chain.devnet = DevnetRules::default();
    config.payments.addresses = Vec::new();
    assert_eq!(config.rpc.needed().unwrap(), 1);
    let source = |name: &str| MoreRpc {
        name: name.to_owned(),
        url: "http://127.0.0.1:1".to_owned(),
        user: String::new(),
        password: Secret::default(),
        zmq: String::new(),
    };
    config.rpc.more = vec![source("second"), source("third")];
    assert_eq!(config.rpc.needed().unwrap(), 2);
    config.rpc.quorum = 3;
    assert_eq!(config.rpc.needed().unwrap(), 3);
    for (quorum, names, wanted) in [
        (1, ["second", "third"], "rpc.quorum is 1"),
        (4, ["second", "third"], "rpc.quorum is 4"),
        (0, ["second", "second"], "given twice"),
        (0, ["fluxd", "third"], "given twice"),
        (0, ["second", ""], "1 to 40"),
    ] {
        config.rpc.quorum = quorum;
        config.rpc.more = names.map(source).to_vec();
        let error = config.rules().unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    config.rpc.quorum = 0;
    config.rpc.more = (0..16)
        .map(|number| source(&format!("n{number}")))
        .collect();
    let error = config.rules().unwrap_err().to_string();
    assert!(error.contains("at most 16"), "{error}");
}
