//! The lists after every block of the recording, who is paid next, and what it all adds up to.

use std::collections::HashMap;

use fluxplane_chain_indexer::{
    app::{
        Error,
        nodes::{At, Views, view},
    },
    config::{DevnetRules, NetworkName},
    domain::{IndexMode, fork::UNDO_BLOCKS, nodes::payees::next_payees},
};
use fluxplane_flux_chain::{
    Address,
    fluxnode::{NodeEntry, Status},
};
use fluxplane_platform::error::{Remote, ServiceError as _};
use fluxplane_proto::{
    chain_indexer::v1::{
        FindFluxnodesRequest, Fluxnode, FluxnodeStatus, GetEmissionRequest,
        GetNetworkCapacityRequest, GetTierStatisticsRequest, ListFluxnodesAtRequest,
        ListNextPayeesRequest, find_fluxnodes_request::Key, fluxnode_changed::Change,
    },
    common::v1::{OutPoint, PageRequest, Tier},
};
use serde_json::Value;
use tonic::Code;

use crate::support::{
    chain::{BLOCKS, Branch, LAST, RECORD, recorded_state},
    daemon::Daemon,
    follower::{Place, config, settle},
    said::Asked,
    service::Ground,
};

/// The whole recording in a database.
async fn followed(mode: IndexMode) -> Place {
    let mut config = config();
    config.index.mode = mode;
    let place = Place::with(config.rules().unwrap()).await;
    let daemon = Daemon::start(&BLOCKS).await;
    let mut follower = place.follower(&daemon).await;
    Box::pin(settle(&mut follower)).await;
    place
}

/// The whole recording behind a running service.
async fn asked(mode: IndexMode) -> (Asked, Daemon) {
    let daemon = Daemon::start(&BLOCKS).await;
    let ground = Ground::new().await;
    let mut config = ground.config(&daemon);
    config.index.mode = mode;
    (Asked::start(ground, config, LAST).await, daemon)
}

async fn nodes_at(place: &Place, height: u32) -> Result<Vec<NodeEntry>, Error> {
    let view = view(&place.ctx(), &Views::default(), At::Height(height)).await?;
    assert_eq!(view.block.height, height);
    Ok(view.lists.nodes().cloned().collect())
}

fn recorded_nodes(height: u32) -> Vec<NodeEntry> {
    recorded_state(height).nodes().cloned().collect()
}

#[tokio::test]
async fn in_mode_full_the_lists_after_every_block_are_known() {
    let place = followed(IndexMode::Full).await;
    for height in 0..=LAST {
        let found = nodes_at(&place, height).await.unwrap();
        assert_eq!(found, recorded_nodes(height), "after block {height}");
    }
    assert_out_of_range(&place, LAST + 1, 0..=LAST).await;
    assert_out_of_range(&place, u32::MAX, 0..=LAST).await;
}

#[tokio::test]
async fn in_mode_plane_the_lists_after_the_last_blocks_are_known() {
    let place = followed(IndexMode::Plane).await;
    let from = LAST - UNDO_BLOCKS;
    for height in from..=LAST {
        let found = nodes_at(&place, height).await.unwrap();
        assert_eq!(found, recorded_nodes(height), "after block {height}");
    }
    for height in [0, from - 1, LAST + 1] {
        assert_out_of_range(&place, height, from..=LAST).await;
    }
}

async fn assert_out_of_range(place: &Place, height: u32, range: std::ops::RangeInclusive<u32>) {
    match nodes_at(place, height).await {
        Err(Error::HeightOutOfRange { from, to, .. }) => assert_eq!(from..=to, range),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_history_of_a_chain_that_reorganised_is_that_of_a_straight_run() {
    let mut config = config();
    config.index.mode = IndexMode::Full;
    let rules = config.rules().unwrap();
    let (there, back) = (Place::with(rules.clone()).await, Place::with(rules).await);
    // The branch leaves before nodes start, confirm and are paid, and goes on past their expiry from the DoS list.
    for (fork, depth) in [(216, 30), (450, 20), (850, 39)] {
        let mut branch = Branch::leave_at(fork, 5);
        branch.grow_by(depth);
        let daemon = Daemon::start(&branch.blocks).await;
        let mut follower = there.follower(&daemon).await;
        settle(&mut follower).await;
        let height = fork + depth + 1;
        daemon.set_chain(&BLOCKS[..=usize::try_from(height).unwrap()]);
        settle(&mut follower).await;
        for height in [fork, fork + 1, fork + depth, height] {
            let found = nodes_at(&there, height).await.unwrap();
            assert_eq!(found, recorded_nodes(height), "after block {height}");
        }
    }
    let daemon = Daemon::start(&BLOCKS).await;
    for place in [&there, &back] {
        settle(&mut place.follower(&daemon).await).await;
    }
    let (found, expected) = (there.dump().await, back.dump().await);
    for table in [
        "fluxnode_version",
        "fluxnode_origin",
        "fluxnode_log",
        "fluxnode_turnover",
    ] {
        assert_eq!(found[table], expected[table], "{table}");
    }
}

#[tokio::test]
async fn the_queue_pays_whom_the_following_blocks_pay() {
    let place = followed(IndexMode::Full).await;
    let views = Views::default();
    let mut checked = 0;
    let coinbases = coinbases();
    for height in 217..LAST {
        let view = view(&place.ctx(), &views, At::Height(height))
            .await
            .unwrap();
        // Ahead as far as the queues only turn.
        let still = (height + 1..LAST)
            .take_while(|next| !joins_or_leaves(*next) && *next < height + 12)
            .count();
        let blocks = u32::try_from(still).unwrap() + 1;
        let payees = next_payees(&view.lists, None, blocks);
        for next in height + 1..=height + blocks {
            let mut paid = coinbases[&next].clone();
            for payee in payees.iter().filter(|payee| payee.height == next) {
                let script = hex::encode(&*payee.node.payment_script);
                let output = (script, payee.amount.get());
                let place = paid.iter().position(|paid| *paid == output);
                paid.remove(place.expect("the coinbase pays who is next"));
                checked += 1;
            }
            // What is left is the dev fund's.
            assert_eq!(paid.len(), 1, "block {next}: {paid:?}");
        }
    }
    assert!(checked > 5_000, "{checked}");
}

/// Whether a block changes who is in the queues.
fn joins_or_leaves(height: u32) -> bool {
    let events = RECORD["events"].as_array().unwrap();
    events.iter().any(|event| {
        let kind = event["kind"].as_str().unwrap();
        event["height"] == height && (kind == "confirm" || kind.starts_with("expire"))
    })
}

/// Script and amount of every coinbase output by height.
fn coinbases() -> HashMap<u32, Vec<(String, i64)>> {
    let recorded = RECORD["coinbase_outputs"].as_array().unwrap();
    let read = |entry: &Value| {
        let (height, outputs) = entry.as_array().unwrap().split_first().unwrap();
        let outputs = outputs.iter().map(|output| {
            let script = output[0].as_str().unwrap().to_owned();
            (script, output[1].as_i64().unwrap())
        });
        (
            u32::try_from(height.as_u64().unwrap()).unwrap(),
            outputs.collect(),
        )
    };
    recorded.iter().map(read).collect()
}

async fn list_at(asked: &Asked, height: Option<u32>, status: FluxnodeStatus) -> Vec<Fluxnode> {
    let (mut cursor, mut found) = (String::new(), Vec::new());
    loop {
        let request = ListFluxnodesAtRequest {
            height,
            tier: 0,
            status: status.into(),
            page: Some(PageRequest { size: 3, cursor }),
        };
        let answer = asked.nodes.clone().list_fluxnodes_at(request).await;
        let answer = answer.unwrap().into_inner();
        assert_eq!(answer.block.unwrap().height, height.unwrap_or(LAST));
        found.extend(answer.fluxnodes);
        cursor = answer.page.unwrap().next_cursor;
        if cursor.is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn the_recorded_snapshots_are_served_page_by_page() {
    let (asked, _daemon) = asked(IndexMode::Full).await;
    let names: HashMap<String, &Value> = RECORD["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            let collateral = &node["collateral"];
            (
                format!(
                    "{}:{}",
                    collateral["txid"].as_str().unwrap(),
                    collateral["n"]
                ),
                node,
            )
        })
        .collect();
    let snapshots = RECORD["list_snapshots"].as_array().unwrap();
    assert_eq!(snapshots.len(), 8);
    for snapshot in snapshots {
        let height = u32::try_from(snapshot["height"].as_u64().unwrap()).unwrap();
        let queue = list_at(&asked, Some(height), FluxnodeStatus::Confirmed).await;
        let expected = snapshot["list"].as_array().unwrap();
        assert_eq!(queue.len(), expected.len(), "after block {height}");
        for (node, expected) in queue.iter().zip(expected) {
            let collateral = node.collateral.as_ref().unwrap();
            let known = names[&format!("{}:{}", collateral.txid, collateral.vout)];
            assert_eq!(known["name"], expected["name"], "after block {height}");
            assert_eq!(
                node.payment_address,
                known["payment_address"].as_str().unwrap()
            );
            assert_eq!(
                node.rank,
                expected["rank"]
                    .as_u64()
                    .map(|rank| u32::try_from(rank).unwrap())
            );
            assert_eq!(node.confirmed_height, expected["confirmed_height"]);
            assert_eq!(node.last_paid_height, expected["last_paid_height"]);
            assert_eq!(
                node.last_confirmed_height,
                expected["last_confirmed_height"]
            );
        }
    }
    // Of 220: one node still only started.
    let started = list_at(&asked, Some(220), FluxnodeStatus::Started).await;
    assert_eq!(started.len(), 1);
    assert_eq!((started[0].rank, started[0].confirmed_height), (None, 0));
    let all = list_at(&asked, Some(220), FluxnodeStatus::Unspecified).await;
    assert_eq!(all.len(), 8);
    assert_eq!(all[7], started[0]);
}

#[tokio::test]
async fn next_payees_come_with_the_moment_their_block_is_due() {
    let (asked, _daemon) = asked(IndexMode::Full).await;
    let request = ListNextPayeesRequest {
        height: Some(300),
        tier: 0,
        blocks: 2,
    };
    let answer = asked.nodes.clone().list_next_payees(request).await;
    let answer = answer.unwrap().into_inner();
    let time = answer.block.unwrap().time.unwrap().seconds;
    let due: Vec<(u32, Tier, i64)> = answer
        .payees
        .iter()
        .map(|payee| {
            (
                payee.height,
                payee.tier(),
                payee.expected_at.unwrap().seconds - time,
            )
        })
        .collect();
    let tiers = [Tier::Cumulus, Tier::Nimbus, Tier::Stratus];
    let expected = [(301, 30), (302, 60)]
        .into_iter()
        .flat_map(|(height, after)| tiers.map(|tier| (height, tier, after)));
    assert_eq!(due, expected.collect::<Vec<_>>());
    let paid = &coinbases()[&301];
    for payee in &answer.payees[..3] {
        let address: Address = payee.payment_address.parse().unwrap();
        let output = (hex::encode(&*address.script()), payee.amount_sat);
        assert!(paid.contains(&output), "{output:?} in {paid:?}");
    }
}

#[tokio::test]
async fn nodes_are_found_by_each_thing_that_is_known_of_them() {
    // Where eight nodes are on the lists.
    let daemon = Daemon::start(&BLOCKS[..=240]).await;
    let ground = Ground::new().await;
    let config = ground.config(&daemon);
    let asked = Asked::start(ground, config, 240).await;
    let find = async |key: Key| {
        let (mut cursor, mut found) = (String::new(), Vec::new());
        loop {
            let request = FindFluxnodesRequest {
                key: Some(key.clone()),
                page: Some(PageRequest { size: 1, cursor }),
            };
            let answer = asked.nodes.clone().find_fluxnodes(request).await?;
            let answer = answer.into_inner();
            found.extend(answer.fluxnodes);
            cursor = answer.page.unwrap().next_cursor;
            if cursor.is_empty() {
                return Ok::<_, tonic::Status>(found);
            }
        }
    };
    let all: Vec<NodeEntry> = recorded_nodes(240);
    assert_eq!(all.len(), 8);
    for node in &all {
        let collateral = OutPoint {
            txid: node.collateral.txid.to_string(),
            vout: node.collateral.n,
        };
        let by_collateral = find(Key::Collateral(collateral.clone())).await.unwrap();
        assert_eq!(by_collateral.len(), 1);
        let found = &by_collateral[0];
        assert_eq!(found.collateral.as_ref(), Some(&collateral));
        assert_eq!(found.rank.is_some(), node.status == Status::Confirmed);
        let by_key = find(Key::NodePubkey(found.node_pubkey.clone()))
            .await
            .unwrap();
        assert!(by_key.contains(found));
        let by_payee = find(Key::PaymentAddress(found.payment_address.clone()))
            .await
            .unwrap();
        assert!(by_payee.contains(found));
        assert!(
            by_payee
                .iter()
                .all(|it| it.payment_address == found.payment_address)
        );
        if !found.ip.is_empty() {
            let host = found.ip.split(':').next().unwrap().to_owned();
            for ip in [found.ip.clone(), host] {
                let by_ip = find(Key::Ip(ip)).await.unwrap();
                assert_eq!(by_ip, std::slice::from_ref(found));
            }
        }
    }
    // 203.0.113.12 moved twice, and names no port any more.
    let moved = find(Key::Ip("198.51.100.25:16127".to_owned()))
        .await
        .unwrap();
    assert_eq!(moved.len(), 1);
    assert!(
        find(Key::Ip("203.0.113.12".to_owned()))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn keys_that_name_no_node_are_refused_by_name() {
    let (asked, _daemon) = asked(IndexMode::Plane).await;
    let mut client = asked.nodes.clone();
    for (key, field) in [
        (Key::Ip(":1".to_owned()), "ip"),
        (Key::NodePubkey("02".to_owned()), "node_pubkey"),
        (
            Key::PaymentAddress("t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6".to_owned()),
            "payment_address",
        ),
        (Key::Collateral(OutPoint::default()), "collateral.txid"),
    ] {
        let request = FindFluxnodesRequest {
            key: Some(key),
            page: None,
        };
        let status = client.find_fluxnodes(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(Remote::from(status).violations()[0].field, field);
    }
    let nothing = FindFluxnodesRequest::default();
    let status = client.find_fluxnodes(nothing).await.unwrap_err();
    assert_eq!(Remote::from(status).violations()[0].field, "key");
}

#[tokio::test]
async fn tiers_and_their_hardware_add_up() {
    let (asked, _daemon) = asked(IndexMode::Full).await;
    let mut client = asked.nodes.clone();
    for height in [218, 240, 457, 500, 860, LAST] {
        let state = recorded_state(height);
        let request = GetTierStatisticsRequest {
            height: Some(height),
        };
        let answer = client
            .get_tier_statistics(request)
            .await
            .unwrap()
            .into_inner();
        // Blocks come every 30 seconds, and the chain is younger than a day.
        assert_eq!(answer.window_blocks, height);
        let mut counted = [0; 5];
        let mut machines = 0;
        for (tier, expected) in [Tier::Cumulus, Tier::Nimbus, Tier::Stratus]
            .into_iter()
            .zip(&answer.tiers)
        {
            assert_eq!(expected.tier(), tier);
            let number = u8::try_from(i32::from(tier)).unwrap();
            let nodes = || {
                state
                    .nodes()
                    .filter(move |node| node.tier.number() == number)
            };
            let count = |status: Status| {
                u32::try_from(nodes().filter(|node| node.status == status).count()).unwrap()
            };
            assert_eq!(expected.started, count(Status::Started));
            assert_eq!(expected.confirmed, count(Status::Confirmed));
            assert_eq!(expected.dos, count(Status::Dos));
            assert_eq!(expected.payment_interval_blocks, expected.confirmed);
            let locked = nodes().filter(|node| node.status == Status::Confirmed);
            assert_eq!(
                expected.locked_sat,
                locked.map(|node| node.amount.get()).sum::<i64>()
            );
            for (sum, new) in counted.iter_mut().zip([
                expected.newly_started,
                expected.newly_confirmed,
                expected.newly_expired,
                expected.newly_spent,
                expected.newly_dos,
            ]) {
                *sum += new;
            }
            machines += expected.confirmed;
        }
        let kinds = [
            "start",
            "confirm",
            "expire_unconfirmed",
            "expire_spent",
            "dos_enter",
        ];
        assert_eq!(
            counted,
            kinds.map(|kind| recorded_events(kind, height)),
            "up to block {height}"
        );
        assert_capacity(&asked, height, machines).await;
    }
}

/// Events of a kind up to a height.
fn recorded_events(kind: &str, height: u32) -> u32 {
    let events = RECORD["events"].as_array().unwrap().iter();
    let up_to = events.filter(|event| event["height"].as_u64() <= Some(height.into()));
    u32::try_from(up_to.filter(|event| event["kind"] == kind).count()).unwrap()
}

/// The hardware is that of so many machines.
async fn assert_capacity(asked: &Asked, height: u32, machines: u32) {
    let request = GetNetworkCapacityRequest {
        height: Some(height),
    };
    let answer = asked.nodes.clone().get_network_capacity(request).await;
    let capacity = answer.unwrap().into_inner();
    let total = capacity.total.unwrap();
    assert_eq!(total.nodes, u64::from(machines));
    let tiers = capacity.tiers.iter();
    let sum: u64 = tiers.map(|tier| tier.total.unwrap().ram_gb).sum();
    assert_eq!(total.ram_gb, sum);
    assert_eq!(capacity.tiers[2].minimum.unwrap().threads, 16);
}

#[tokio::test]
async fn wrong_questions_about_lists_name_the_field_or_the_range() {
    let (asked, _daemon) = asked(IndexMode::Plane).await;
    let mut client = asked.nodes.clone();
    let request = ListFluxnodesAtRequest {
        height: Some(100),
        ..ListFluxnodesAtRequest::default()
    };
    let status = client.list_fluxnodes_at(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(status.message().contains("blocks 912 to 960"), "{status:?}");
    let violations = Remote::from(status).violations();
    assert_eq!(violations[0].field, "height");
    assert!(violations[0].rule.contains("912 to 960"));
    let request = ListNextPayeesRequest {
        blocks: 721,
        ..ListNextPayeesRequest::default()
    };
    let status = client.list_next_payees(request).await.unwrap_err();
    assert_eq!(Remote::from(status).violations()[0].field, "blocks");
    let request = ListFluxnodesAtRequest {
        status: 7,
        ..ListFluxnodesAtRequest::default()
    };
    let status = client.list_fluxnodes_at(request).await.unwrap_err();
    assert_eq!(Remote::from(status).violations()[0].field, "status");
    for (from_year, to_year, field) in [
        (1969, 2020, "from_year"),
        (2030, 2029, "to_year"),
        (2000, 2200, "to_year"),
    ] {
        let request = GetEmissionRequest {
            from_year,
            to_year,
            ..GetEmissionRequest::default()
        };
        let status = client.get_emission(request).await.unwrap_err();
        assert_eq!(Remote::from(status).violations()[0].field, field);
    }
}

#[tokio::test]
async fn a_list_that_was_reorganised_away_cannot_be_read_on() {
    let mut branch = Branch::leave_at(300, 0);
    branch.grow_by(2);
    let daemon = Daemon::start(&branch.blocks).await;
    let ground = Ground::new().await;
    let config = ground.config(&daemon);
    let asked = Asked::start(ground, config, 302).await;
    let mut client = asked.nodes.clone();
    let ask = |cursor: String| ListFluxnodesAtRequest {
        page: Some(PageRequest { size: 3, cursor }),
        ..ListFluxnodesAtRequest::default()
    };
    let first = client
        .list_fluxnodes_at(ask(String::new()))
        .await
        .unwrap()
        .into_inner();
    let cursor = first.page.unwrap().next_cursor;
    // Blocks on top do no harm: the list goes on with the one it began with.
    branch.grow_by(1);
    daemon.set_chain(&branch.blocks);
    asked.reach(303).await;
    let second = client
        .list_fluxnodes_at(ask(cursor.clone()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(second.block, first.block);
    let mut other = Branch::leave_at(300, 9);
    other.grow_by(4);
    daemon.set_chain(&other.blocks);
    asked.reach(304).await;
    let status = client.list_fluxnodes_at(ask(cursor)).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
}

#[tokio::test]
async fn a_move_tells_the_address_before() {
    let place = Place::new().await;
    let daemon = Daemon::start(&BLOCKS[..=740]).await;
    settle(&mut place.follower(&daemon).await).await;
    let updates: Vec<(u32, String, String)> = place
        .said()
        .await
        .nodes
        .iter()
        .filter(|event| event.change() == Change::Updated)
        .map(|event| {
            let ip = event.fluxnode.as_ref().unwrap().ip.clone();
            (event.height, event.previous_ip.clone(), ip)
        })
        .collect();
    let moved = |height, from: &str, to: &str| (height, from.to_owned(), to.to_owned());
    assert_eq!(
        updates,
        [
            moved(228, "203.0.113.12:16127", "198.51.100.7"),
            moved(233, "198.51.100.7", "198.51.100.25"),
            moved(734, "", "198.51.100.25")
        ]
    );
}

#[tokio::test]
async fn the_emission_of_mainnet_is_served_to_the_sat_and_2036_is_the_first_year_below_one_per_cent()
 {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(file.join(name)).unwrap()).unwrap()
    };
    // The first block of mainnet is all the daemon has.
    let vectors = read("fluxd-vectors.json");
    let blocks = vectors["blocks"].as_array().unwrap();
    let is_first = |block: &&Value| block["network"] == "mainnet" && block["height"] == 0;
    let genesis = blocks.iter().find(is_first).unwrap();
    let genesis = hex::decode(genesis["hex"].as_str().unwrap()).unwrap();
    let daemon = Daemon::start(&[genesis]).await;
    let ground = Ground::new().await;
    let mut config = ground.config(&daemon);
    config.chain.network = NetworkName::Main;
    config.chain.devnet = DevnetRules::default();
    config.payments.addresses = Vec::new();
    let asked = Asked::start(ground, config, 0).await;
    let mut client = asked.nodes.clone();

    let request = GetEmissionRequest {
        from_year: 2025,
        to_year: 2040,
        ..GetEmissionRequest::default()
    };
    let answer = client.get_emission(request).await.unwrap().into_inner();
    let first = answer.first_year_below.unwrap();
    assert_eq!((first.year, answer.below_ppm), (2036, 10_000));
    assert_eq!(first.inflation_ppm, 9_822);
    assert_eq!(
        (answer.anchor_height, answer.spacing_ms),
        (2_020_000, 30_000)
    );
    // Emission and supply of 1 January in sat, at 30 seconds a block.
    let exact: [(i32, i64, i64); 16] = [
        (2025, 1_075_074_200_000_000, 40_893_949_997_000_000),
        (2026, 1_444_565_080_000_000, 41_969_024_197_000_000),
        (2027, 1_300_108_572_000_000, 43_413_589_277_000_000),
        (2028, 1_173_037_042_800_000, 44_713_697_849_000_000),
        (2029, 1_052_794_010_520_000, 45_886_734_891_800_000),
        (2030, 947_514_609_468_000, 46_939_528_902_320_000),
        (2031, 852_763_148_521_200, 47_887_043_511_788_000),
        (2032, 769_415_326_769_880, 48_739_806_660_309_200),
        (2033, 690_545_300_992_092, 49_509_221_987_079_080),
        (2034, 621_490_770_773_220, 50_199_767_288_071_172),
        (2035, 559_341_693_065_178, 50_821_258_058_844_392),
        (2036, 504_672_807_466_924, 51_380_599_751_909_570),
        (2037, 452_940_241_833_688, 51_885_272_559_376_494),
        (2038, 407_646_217_035_870, 52_338_212_801_210_182),
        (2039, 366_881_595_126_004, 52_745_859_018_246_052),
        (2040, 331_023_587_978_380, 53_112_740_613_372_056),
    ];
    let published = read("fluxd-emission.json");
    let published = published["calendar_years"].as_array().unwrap();
    assert_eq!(answer.years.len(), 16);
    for (found, (year, emission, supply)) in answer.years.iter().zip(exact) {
        assert_eq!(found.year, year);
        assert_eq!(
            (found.emission_sat, found.supply_at_start_sat),
            (emission, supply),
            "{year}"
        );
        let at_30 = |row: &&Value| row["year"] == year && row["spacing_s"].as_f64() == Some(30.0);
        let row = published.iter().find(at_30).unwrap();
        assert_eq!(found.first_height, row["start_height"]);
        assert_eq!(found.last_height, row["end_height"]);
        // Years follow each other without a gap.
        let next = answer.years.iter().find(|it| it.year == year + 1);
        if let Some(next) = next {
            assert_eq!(
                found.supply_at_start_sat + found.emission_sat,
                next.supply_at_start_sat
            );
        }
    }

    // Another bound, another spacing, and years nobody named.
    let request = GetEmissionRequest {
        below_ppm: 20_000,
        spacing_ms: 30_076,
        ..GetEmissionRequest::default()
    };
    let answer = client.get_emission(request).await.unwrap().into_inner();
    assert_eq!(answer.first_year_below.unwrap().year, 2031);
    assert_eq!((answer.years.len(), answer.spacing_ms), (16, 30_076));
}
