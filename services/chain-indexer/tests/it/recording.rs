//! The 961 recorded blocks through the whole service: payees, lists and events come out as the daemon had them.

use std::collections::HashMap;

use async_nats::jetstream::{self, consumer::pull};
use fluxplane_chain_indexer::domain::IndexMode;
use fluxplane_flux_chain::Transaction;
use fluxplane_platform::{bus, config::Secret};
use fluxplane_proto::{
    chain_indexer::v1::{
        FluxnodeStatus, GetBlockRequest, GetStatusRequest, ListFluxnodesRequest,
        chain_service_client::ChainServiceClient, fluxnode_changed::Change, get_block_request::Key,
    },
    common::v1::{PageRequest, Tier},
};
use fluxplane_testkit::eventually;
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::support::{
    chain::{BLOCKS, LAST, RECORD, hash_of, recorded},
    daemon::Daemon,
    follower::Announced,
    service::{Ground, LIMIT, Running},
};

type Client = ChainServiceClient<fluxplane_platform::grpc::Client>;

async fn reach(client: &Client, height: u32) {
    eventually(LIMIT, async || {
        let request = GetStatusRequest {};
        let status = client.clone().get_status(request).await.unwrap();
        let status = status.into_inner();
        if status.height == height && status.hash == hash_of(recorded(height)).to_string() {
            Ok(())
        } else {
            Err(status)
        }
    })
    .await;
}

#[tokio::test]
async fn the_recorded_chain_gives_its_payees_lists_and_events() {
    let daemon = Daemon::start(&BLOCKS[..=100]).await;
    // What is compared below are stored coinbases, which mode plane does not keep.
    let ground = Ground::new().await;
    let mut config = ground.config(&daemon);
    config.index.mode = IndexMode::Full;
    let service = Running::with(ground, config).await.unwrap();
    let client = service.client("gateway");
    for snapshot in RECORD["list_snapshots"].as_array().unwrap() {
        let height = u32::try_from(snapshot["height"].as_u64().unwrap()).unwrap();
        daemon.set_chain(&BLOCKS[..=usize::try_from(height).unwrap()]);
        reach(&client, height).await;
        assert_list(&client, height, snapshot["list"].as_array().unwrap()).await;
    }
    daemon.set_chain(&BLOCKS);
    reach(&client, LAST).await;
    assert_payees(&service, &client).await;
    assert_events(&service).await;
}

/// The list, asked for in small pages, is the daemon's.
async fn assert_list(client: &Client, height: u32, expected: &[Value]) {
    let nodes = RECORD["nodes"].as_array().unwrap();
    let name_of: HashMap<(String, u64), &Value> = nodes
        .iter()
        .map(|node| {
            let collateral = &node["collateral"];
            let txid = collateral["txid"].as_str().unwrap().to_owned();
            ((txid, collateral["n"].as_u64().unwrap()), node)
        })
        .collect();
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let request = ListFluxnodesRequest {
            page: Some(PageRequest { size: 3, cursor }),
            tier: 0,
        };
        let page = client.clone().list_fluxnodes(request).await.unwrap();
        let page = page.into_inner();
        assert_eq!(page.height, height);
        found.extend(page.fluxnodes);
        cursor = page.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    let found: Vec<Value> = found
        .iter()
        .map(|node| {
            let collateral = node.collateral.clone().unwrap();
            let known = name_of[&(collateral.txid, u64::from(collateral.vout))];
            assert_eq!(
                node.payment_address,
                known["payment_address"].as_str().unwrap()
            );
            assert_eq!(node.status(), FluxnodeStatus::Confirmed);
            let tier = match node.tier() {
                Tier::Cumulus => "CUMULUS",
                Tier::Nimbus => "NIMBUS",
                Tier::Stratus => "STRATUS",
                Tier::Unspecified => "none",
            };
            json!({
                "tier": tier,
                "rank": node.rank.unwrap(),
                "name": known["name"],
                "confirmed_height": node.confirmed_height,
                "last_paid_height": node.last_paid_height,
                "last_confirmed_height": node.last_confirmed_height,
            })
        })
        .collect();
    assert_eq!(found, expected, "list after block {height}");
}

/// Every recorded coinbase pays who it paid: all of them as stored, some as asked for.
async fn assert_payees(service: &Running, client: &Client) {
    let stored = coinbases(&service.ground.db.pool).await;
    let recorded = RECORD["coinbase_outputs"].as_array().unwrap();
    assert_eq!(recorded.len(), 744);
    for (index, entry) in recorded.iter().enumerate() {
        let (height, outputs) = entry.as_array().unwrap().split_first().unwrap();
        let height = u32::try_from(height.as_u64().unwrap()).unwrap();
        assert_eq!(stored[&height], outputs, "coinbase of block {height}");
        if index % 25 == 0 {
            let request = GetBlockRequest {
                key: Some(Key::Height(height)),
            };
            let block = client.clone().get_block(request).await.unwrap();
            let asked: Vec<Value> = block
                .into_inner()
                .block
                .unwrap()
                .coinbase_outputs
                .iter()
                .map(|output| json!([output.script_hex, output.amount_sat]))
                .collect();
            assert_eq!(asked, outputs, "coinbase of block {height}");
        }
    }
}

async fn coinbases(pool: &sqlx::PgPool) -> HashMap<u32, Vec<Value>> {
    let rows = sqlx::query!("SELECT height, raw FROM block_transaction WHERE position = 0")
        .fetch_all(pool)
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            let coinbase = Transaction::parse(&row.raw).unwrap();
            let outputs = coinbase.outputs().iter();
            let outputs = outputs.map(|out| json!([hex::encode(out.script.as_bytes()), out.value]));
            (u32::try_from(row.height).unwrap(), outputs.collect())
        })
        .collect()
}

/// What was published is what happened, in order.
async fn assert_events(service: &Running) {
    let published = published(service, usize::try_from(LAST).unwrap() + 1).await;
    let heights: Vec<u32> = published
        .iter()
        .filter_map(|event| match event {
            Announced::Connected(event) => Some(event.height),
            Announced::Disconnected(_) | Announced::Payment(_) | Announced::Fluxnode(_) => None,
        })
        .collect();
    assert_eq!(heights, (0..=LAST).collect::<Vec<_>>());
    assert!(published.is_sorted_by_key(Announced::sequence));
    let mut found: Vec<Value> = published.iter().filter_map(as_recorded).collect();
    let mut expected: Vec<Value> = RECORD["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let mut event = event.clone();
            // Announcements name the collateral, not the transaction.
            event.as_object_mut().unwrap().remove("txid");
            event
        })
        .collect();
    let key = |event: &Value| (event["height"].as_u64(), event.to_string());
    found.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(found, expected);
}

fn as_recorded(event: &Announced) -> Option<Value> {
    let Announced::Fluxnode(event) = event else {
        return None;
    };
    let kind = match event.change() {
        Change::Started => "start",
        Change::Confirmed => "confirm",
        Change::Updated => "update",
        Change::Dos => "dos_enter",
        Change::DosLeft => "dos_leave",
        Change::Expired => "expire_unconfirmed",
        Change::CollateralSpent => "expire_spent",
        Change::Reorganised | Change::Unspecified => "none of the recorded",
    };
    let collateral = event.collateral.clone().unwrap();
    let mut value = json!({
        "height": event.height,
        "kind": kind,
        "collateral": { "txid": collateral.txid, "n": collateral.vout },
    });
    if matches!(event.change(), Change::Confirmed | Change::Updated) {
        value["ip"] = json!(event.fluxnode.as_ref().unwrap().ip);
    }
    Some(value)
}

/// Everything on the indexer's stream, once so many blocks are among it.
async fn published(service: &Running, blocks: usize) -> Vec<Announced> {
    let config = fluxplane_platform::config::Nats {
        url: service.ground.nats.url.clone(),
        user: String::new(),
        password: Secret::default(),
    };
    let js: jetstream::Context = bus::connect(&config, "reader").await.unwrap();
    let stream = js.get_stream("CHAIN_INDEXER").await.unwrap();
    let consumer = stream
        .create_consumer(pull::Config::default())
        .await
        .unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let (mut published, mut connected) = (Vec::new(), 0);
    while connected < blocks {
        let next = tokio::time::timeout(LIMIT, messages.next()).await;
        let message = next.expect("the events come").unwrap().unwrap();
        let event = Announced::decode(&message.subject, &message.payload);
        connected += usize::from(matches!(event, Announced::Connected(_)));
        message.ack().await.unwrap();
        published.push(event);
    }
    published
}
