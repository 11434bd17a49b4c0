//! Outputs and balances of the recorded chain against an independent count, and what each mode answers.

use std::collections::{BTreeMap, BTreeSet};

use fluxplane_chain_indexer::{
    app::{Error, load::load},
    config::Config,
    domain::IndexMode,
};
use fluxplane_flux_chain::{Address, Block, OutPoint, Transaction, address::AddressSpace, script};
use fluxplane_platform::{
    config::{Peer, Span},
    error::{Remote, ServiceError as _},
    grpc,
    reconciler::Reconciler as _,
    tls::Credentials,
};
use fluxplane_proto::{
    chain_indexer::v1::{
        AddressSummary, GetAddressRequest, GetBlockRequest, GetOutputRequest, GetStatusRequest,
        GetSupplyRequest, GetTransactionRequest, ListAddressTransactionsRequest, ListRichRequest,
        ListUnspentRequest, Owner, get_block_request::Key,
        ledger_service_client::LedgerServiceClient, owner::Name,
    },
    common::v1::{self as common, PageRequest},
};
use fluxplane_testkit::eventually;
use tonic::{Code, Status};

use crate::support::{
    chain::{BLOCKS, Branch, LAST, hash_of, message, payment, recorded, shop, txid},
    daemon::Daemon,
    follower::{Place, config, settle},
    service::{Ground, LIMIT, Running},
};

type Client = LedgerServiceClient<grpc::Client>;

/// The configuration of the recorded chain in a mode.
pub(crate) fn config_of(mode: IndexMode) -> Config {
    let mut config = config();
    config.index.mode = mode;
    config
}

/// The service in a mode, level with the daemon.
async fn running(daemon: &Daemon, mode: IndexMode, height: u32) -> (Running, Client) {
    let ground = Ground::new().await;
    let mut config = ground.config(daemon);
    config.index.mode = mode;
    let address = config.grpc.listen;
    let service = Running::with(ground, config).await.unwrap();
    let peer = Peer {
        endpoint: format!("https://{address}"),
        timeout: Span(LIMIT),
    };
    let credentials = Credentials::load(&service.ground.tls("gateway")).unwrap();
    let client = LedgerServiceClient::new(grpc::client::connect(&peer, &credentials).unwrap());
    let chain = service.client("gateway");
    eventually(LIMIT, async || {
        let status = chain.clone().get_status(GetStatusRequest {}).await.unwrap();
        let status = status.into_inner();
        if status.height == height {
            Ok(())
        } else {
            Err(status)
        }
    })
    .await;
    (service, client)
}

/// What the chain did to one script, added up one transaction after another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Counted {
    received: i64,
    sent: i64,
    /// Height and place of each transaction, with what it gave and took.
    history: BTreeMap<(u32, u32), (i64, i64)>,
    unspent: BTreeMap<(u32, u32, u32), (OutPoint, i64)>,
}

/// The fold: every script, and the sum of all unspent outputs after each block.
struct Fold {
    scripts: BTreeMap<Vec<u8>, Counted>,
    supply: Vec<i64>,
    spent: BTreeMap<OutPoint, (String, u32, u32)>,
}

/// Who an unspent output pays, where it was made (height, position, output), and its worth in sat.
type Coin = (Vec<u8>, (u32, u32, u32), i64);

fn fold() -> Fold {
    let mut scripts: BTreeMap<Vec<u8>, Counted> = BTreeMap::new();
    let mut coins: BTreeMap<OutPoint, Coin> = BTreeMap::new();
    let (mut supply, mut spent) = (Vec::new(), BTreeMap::new());
    for (height, raw) in (0..).zip(BLOCKS.iter()) {
        let block = Block::parse(raw).unwrap();
        for (position, transaction) in (0..).zip(&block.transactions) {
            let id = transaction.txid();
            for (vin, input) in (0..).zip(transaction.inputs()) {
                if input.previous.is_null() {
                    continue;
                }
                let (script, key, value) = coins.remove(&input.previous).unwrap();
                let counted = scripts.get_mut(&script).unwrap();
                counted.sent += value;
                counted.history.entry((height, position)).or_default().1 += value;
                counted.unspent.remove(&key).unwrap();
                spent.insert(input.previous, (id.to_string(), vin, height));
            }
            for (vout, output) in (0..).zip(transaction.outputs()) {
                let (outpoint, value) = (OutPoint::new(id, vout), output.value.get());
                let script = output.script.as_bytes().to_vec();
                let counted = scripts.entry(script.clone()).or_default();
                counted.received += value;
                counted.history.entry((height, position)).or_default().0 += value;
                let key = (height, position, vout);
                counted.unspent.insert(key, (outpoint, value));
                coins.insert(outpoint, (script, key, value));
            }
        }
        supply.push(coins.values().map(|(_, _, value)| value).sum());
    }
    Fold {
        scripts,
        supply,
        spent,
    }
}

fn page(size: u32, cursor: &str) -> PageRequest {
    PageRequest {
        size,
        cursor: cursor.to_owned(),
    }
}

fn by_script(script: &[u8]) -> Owner {
    Owner {
        name: Some(Name::ScriptHex(hex::encode(script))),
    }
}

fn by_address(text: &str) -> Owner {
    Owner {
        name: Some(Name::Address(text.to_owned())),
    }
}

fn named(outpoint: &OutPoint) -> common::OutPoint {
    common::OutPoint {
        txid: outpoint.txid.to_string(),
        vout: outpoint.n,
    }
}

#[tokio::test]
async fn balances_histories_and_outputs_are_those_of_an_independent_count() {
    let daemon = Daemon::start(&BLOCKS).await;
    let (_service, client) = running(&daemon, IndexMode::Full, LAST).await;
    let expected = fold();
    assert!(expected.scripts.len() > 20 && expected.spent.len() > 5);
    for (script, counted) in &expected.scripts {
        let request = GetAddressRequest {
            owner: Some(by_script(script)),
        };
        let found = client.clone().get_address(request).await.unwrap();
        let summary = found.into_inner().summary.unwrap();
        assert_summary(&summary, script, counted);
        assert_history(&client, script, counted).await;
        assert_unspent(&client, script, counted).await;
    }
    assert_rich(&client, &expected).await;
    assert_outputs(&client, &expected).await;
}

fn assert_summary(summary: &AddressSummary, script: &[u8], counted: &Counted) {
    assert_eq!(summary.script_hex, hex::encode(script));
    assert_eq!(summary.balance_sat, counted.received - counted.sent);
    assert_eq!(
        (summary.received_sat, summary.sent_sat),
        (counted.received, counted.sent)
    );
    assert_eq!(
        usize::try_from(summary.transaction_count).unwrap(),
        counted.history.len()
    );
    let heights = (summary.first_height, summary.last_height);
    let first = counted.history.first_key_value().unwrap().0.0;
    let last = counted.history.last_key_value().unwrap().0.0;
    assert_eq!(heights, (first, last));
}

async fn assert_history(client: &Client, script: &[u8], counted: &Counted) {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let request = ListAddressTransactionsRequest {
            owner: Some(by_script(script)),
            page: Some(page(93, &cursor)),
        };
        let answer = client.clone().list_address_transactions(request).await;
        let answer = answer.unwrap().into_inner();
        assert_eq!(answer.height, LAST);
        found.extend(answer.transactions);
        cursor = answer.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    let places: Vec<_> = found
        .iter()
        .map(|entry| {
            let place = (entry.height, entry.position);
            (place, (entry.received_sat, entry.sent_sat))
        })
        .collect();
    let newest_first: Vec<_> = counted
        .history
        .iter()
        .rev()
        .map(|(place, amounts)| (*place, *amounts))
        .collect();
    assert_eq!(places, newest_first);
    let newest = &found[0];
    let block = Block::parse(recorded(newest.height)).unwrap();
    let position = usize::try_from(newest.position).unwrap();
    let transaction = &block.transactions[position];
    assert_eq!(newest.txid, transaction.txid().to_string());
    let time = newest.block_time.unwrap().seconds;
    assert_eq!(time, i64::from(block.header.time));
}

async fn assert_unspent(client: &Client, script: &[u8], counted: &Counted) {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let request = ListUnspentRequest {
            owner: Some(by_script(script)),
            page: Some(page(71, &cursor)),
        };
        let answer = client.clone().list_unspent(request).await.unwrap();
        let answer = answer.into_inner();
        found.extend(answer.outputs);
        cursor = answer.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(found.len(), counted.unspent.len());
    for (output, (key, (outpoint, value))) in found.iter().zip(&counted.unspent) {
        assert_eq!(output.outpoint, Some(named(outpoint)));
        assert_eq!((output.value_sat, output.height), (*value, key.0));
        assert_eq!(output.coinbase, key.1 == 0);
    }
}

async fn assert_rich(client: &Client, expected: &Fold) {
    let mut found: Vec<(u64, i64, String)> = Vec::new();
    let mut cursor = String::new();
    loop {
        let request = ListRichRequest {
            page: Some(page(7, &cursor)),
        };
        let answer = client
            .clone()
            .list_rich(request)
            .await
            .unwrap()
            .into_inner();
        found.extend(answer.owners.into_iter().map(|owner| {
            let summary = owner.summary.unwrap();
            (owner.rank, summary.balance_sat, summary.script_hex)
        }));
        cursor = answer.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    let balances = expected.scripts.values();
    let mut balances: Vec<i64> = balances
        .map(|counted| counted.received - counted.sent)
        .filter(|balance| *balance > 0)
        .collect();
    balances.sort_unstable_by(|one, other| other.cmp(one));
    let listed: Vec<i64> = found.iter().map(|(_, balance, _)| *balance).collect();
    assert_eq!(listed, balances);
    let scripts: BTreeSet<&String> = found.iter().map(|(_, _, script)| script).collect();
    assert_eq!(scripts.len(), found.len(), "nobody is listed twice");
    assert!(
        (1..)
            .zip(&found)
            .all(|(rank, (found, _, _))| rank == *found)
    );
}

async fn assert_outputs(client: &Client, expected: &Fold) {
    for (outpoint, (txid, vin, height)) in &expected.spent {
        let request = GetOutputRequest {
            outpoint: Some(named(outpoint)),
        };
        let output = client.clone().get_output(request).await.unwrap();
        let spend = output.into_inner().output.unwrap().spent_by.unwrap();
        assert_eq!(
            (&spend.txid, spend.vin, spend.height),
            (txid, *vin, *height)
        );
    }
    let nobody = OutPoint::new(hash_of(recorded(5)), 0);
    let request = GetOutputRequest {
        outpoint: Some(named(&nobody)),
    };
    let status = client.clone().get_output(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn the_observed_supply_is_what_is_unspent_and_what_the_schedule_issued() {
    let daemon = Daemon::start(&BLOCKS).await;
    let (_service, client) = running(&daemon, IndexMode::Full, LAST).await;
    let expected = fold();
    for height in [0, 1, 9, 10, 100, 500, 940, LAST] {
        let request = GetSupplyRequest {
            height: Some(height),
        };
        let supply = client.clone().get_supply(request).await.unwrap();
        let supply = supply.into_inner();
        let counted = expected.supply[usize::try_from(height).unwrap()];
        assert_eq!((supply.transparent_sat, supply.shielded_sat), (counted, 0));
        assert_eq!(supply.total_sat, counted);
        assert_eq!(
            supply.total_sat, supply.scheduled_sat,
            "after block {height}"
        );
        assert_eq!(supply.block_hash, hash_of(recorded(height)).to_string());
    }
    let last = client.clone().get_supply(GetSupplyRequest::default()).await;
    assert_eq!(last.unwrap().into_inner().height, LAST);
    let beyond = GetSupplyRequest {
        height: Some(LAST + 1),
    };
    let status = client.clone().get_supply(beyond).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

/// The field a refusal names first, whose rule and remedy are told.
#[track_caller]
fn refused(status: Status, code: Code) -> String {
    assert_eq!(status.code(), code, "{status:?}");
    let violations = Remote::from(status).violations();
    let first = violations.first().expect("a violation");
    assert!(!first.rule.is_empty() && !first.remedy.is_empty());
    first.field.clone()
}

#[tokio::test]
async fn bad_questions_are_refused_by_field() {
    let daemon = Daemon::start(&BLOCKS[..=20]).await;
    let (_service, client) = running(&daemon, IndexMode::Full, 20).await;
    let ask = async |owner| {
        let request = GetAddressRequest { owner };
        let answer = client.clone().get_address(request).await;
        answer.map(drop).unwrap_err()
    };
    let invalid = |status| refused(status, Code::InvalidArgument);
    assert_eq!(invalid(ask(None).await), "owner");
    assert_eq!(invalid(ask(Some(Owner { name: None })).await), "owner");
    assert_eq!(
        invalid(ask(Some(by_address("t1nonsense"))).await),
        "owner.address"
    );
    // An address of mainnet.
    let foreign = "t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6";
    assert_eq!(
        invalid(ask(Some(by_address(foreign))).await),
        "owner.address"
    );
    let odd = Some(Owner {
        name: Some(Name::ScriptHex("abc".to_owned())),
    });
    assert_eq!(invalid(ask(odd).await), "owner.script_hex");
    assert_eq!(
        invalid(ask(Some(by_script(&[0; 10_001]))).await),
        "owner.script_hex"
    );
    assert_eq!(
        ask(Some(by_script(&[0; 10_000]))).await.code(),
        Code::NotFound
    );
    assert_eq!(
        ask(Some(by_address(&shop().to_string()))).await.code(),
        Code::NotFound
    );

    let list = |size, cursor: &str| ListRichRequest {
        page: Some(page(size, cursor)),
    };
    let large = client.clone().list_rich(list(201, "")).await.unwrap_err();
    assert_eq!(invalid(large), "page.size");
    let forged = client.clone().list_rich(list(5, "00")).await.unwrap_err();
    assert_eq!(invalid(forged), "page.cursor");
    let nothing = GetOutputRequest { outpoint: None };
    let status = client.clone().get_output(nothing).await.unwrap_err();
    assert_eq!(invalid(status), "outpoint");
    let outpoint = Some(common::OutPoint {
        txid: "12".to_owned(),
        vout: 0,
    });
    let status = client
        .clone()
        .get_output(GetOutputRequest { outpoint })
        .await;
    assert_eq!(invalid(status.unwrap_err()), "outpoint.txid");
    let unheard = ListUnspentRequest {
        owner: Some(by_address(&shop().to_string())),
        page: None,
    };
    let empty = client.clone().list_unspent(unheard).await.unwrap();
    assert!(empty.into_inner().outputs.is_empty());
}

#[tokio::test]
async fn a_script_without_an_address_is_an_owner_like_others() {
    let key = |n| {
        fluxplane_flux_chain::PrivateKey::from_bytes(&[n; 32], true)
            .unwrap()
            .public_key()
    };
    let shared = script::multisig(1, &[key(1), key(2)]).unwrap();
    assert_eq!(
        Address::of_script(shared.as_script(), AddressSpace::Test),
        None
    );
    let mut branch = Branch::leave_at(30, 0);
    let params = fluxplane_flux_chain::ChainParams::regtest_nodes();
    let none = fluxplane_core::Sat::ZERO;
    let mut outputs = fluxplane_flux_chain::build::coinbase_outputs(&params, 31, &[], none);
    outputs.push(crate::support::chain::output(shared.clone(), 5));
    branch.blocks.push(branch.block_with(&outputs, &[]));
    let daemon = Daemon::start(&branch.blocks).await;
    let (_service, client) = running(&daemon, IndexMode::Full, 31).await;
    let request = GetAddressRequest {
        owner: Some(by_script(&shared)),
    };
    let answer = client.clone().get_address(request).await.unwrap();
    let summary = answer.into_inner().summary.unwrap();
    assert_eq!(
        (summary.address.as_str(), summary.balance_sat),
        ("", 500_000_000)
    );
}

#[tokio::test]
async fn mode_plane_asks_the_daemon_for_what_it_does_not_keep() {
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&[payment(1, &message('a'))]);
    branch.grow_by(2);
    let daemon = Daemon::start(&branch.blocks).await;
    let (service, _) = running(&daemon, IndexMode::Plane, 303).await;
    let chain = service.client("gateway");
    let block = |height| GetBlockRequest {
        key: Some(Key::Height(height)),
    };
    let find = async |id: String| {
        let request = GetTransactionRequest { txid: id };
        let found = chain.clone().get_transaction(request).await;
        found.map(tonic::Response::into_inner)
    };
    let answer = chain.clone().get_block(block(218)).await.unwrap();
    let answer = answer.into_inner().block.unwrap();
    let raw = Block::parse(recorded(218)).unwrap();
    let expected: Vec<String> = raw.txids().iter().map(ToString::to_string).collect();
    assert!(expected.len() > 1);
    assert_eq!(answer.txids, expected);
    assert_eq!(
        answer.coinbase_outputs.len(),
        raw.transactions[0].outputs().len()
    );
    // A confirm, which is not kept.
    let confirm = find(expected[1].clone()).await.unwrap();
    assert_eq!((confirm.height, confirm.confirmations), (218, 86));
    let bytes = hex::decode(&confirm.raw_hex).unwrap();
    assert_eq!(
        Transaction::parse(&bytes).unwrap().txid().to_string(),
        expected[1]
    );
    let unknown = find(hash_of(recorded(5)).to_string()).await.unwrap_err();
    let remedy = Remote::from(unknown.clone()).violations();
    assert!(remedy[0].remedy.contains("index.mode"), "{remedy:?}");
    assert_eq!(refused(unknown, Code::NotFound), "txid");

    // A payment is kept, whether or not the daemon answers.
    daemon.world().status = Some(503);
    let paid = txid(&payment(1, &message('a'))).to_string();
    assert_eq!(find(paid).await.unwrap().height, 301);
    let away = find(expected[1].clone()).await.unwrap_err();
    assert_eq!(away.code(), Code::Unavailable);
    let away = chain.clone().get_block(block(218)).await.unwrap_err();
    assert_eq!(away.code(), Code::Unavailable);
}

#[tokio::test]
async fn mode_plane_knows_who_spends_watched_outputs_and_says_what_it_does_not_know() {
    let daemon = Daemon::start(&BLOCKS).await;
    let (service, client) = running(&daemon, IndexMode::Plane, LAST).await;
    let expected = fold();
    let collaterals = collaterals(&service).await;
    let spent: Vec<&OutPoint> = collaterals
        .iter()
        .filter(|outpoint| expected.spent.contains_key(outpoint))
        .collect();
    assert!(!spent.is_empty() && spent.len() < collaterals.len());
    for outpoint in &collaterals {
        let request = GetOutputRequest {
            outpoint: Some(named(outpoint)),
        };
        let output = client.clone().get_output(request).await.unwrap();
        let output = output.into_inner().output.unwrap();
        let by = output
            .spent_by
            .map(|spend| (spend.txid, spend.vin, spend.height));
        assert_eq!(by.as_ref(), expected.spent.get(outpoint));
        assert!(!output.address.is_empty() && output.value_sat > 0);
    }
    let block = Block::parse(recorded(50)).unwrap();
    let outpoint = Some(named(&OutPoint::new(block.transactions[0].txid(), 0)));
    let status = client
        .clone()
        .get_output(GetOutputRequest { outpoint })
        .await;
    assert_eq!(
        refused(status.unwrap_err(), Code::FailedPrecondition),
        "outpoint"
    );
    let full = |status: Status| {
        assert_eq!(Remote::from(status.clone()).reason().code(), "not-indexed");
        assert_eq!(refused(status, Code::FailedPrecondition), "index.mode");
    };
    let owner = Some(by_address(&shop().to_string()));
    let mut client = client;
    let request = GetAddressRequest {
        owner: owner.clone(),
    };
    full(client.get_address(request).await.unwrap_err());
    let request = ListAddressTransactionsRequest {
        owner: owner.clone(),
        page: None,
    };
    full(client.list_address_transactions(request).await.unwrap_err());
    let request = ListUnspentRequest { owner, page: None };
    full(client.list_unspent(request).await.unwrap_err());
    full(
        client
            .list_rich(ListRichRequest { page: None })
            .await
            .unwrap_err(),
    );
    full(
        client
            .get_supply(GetSupplyRequest::default())
            .await
            .unwrap_err(),
    );
}

/// The collateral outputs that are kept.
#[expect(clippy::disallowed_methods, reason = "a look from outside")]
async fn collaterals(service: &Running) -> Vec<OutPoint> {
    let rows: Vec<(Vec<u8>, i32)> = sqlx::query_as("SELECT txid, vout FROM collateral_output")
        .fetch_all(&service.ground.db.pool)
        .await
        .unwrap();
    rows.into_iter()
        .map(|(txid, vout)| {
            let txid = fluxplane_flux_chain::Hash256::from_wire(txid.try_into().unwrap());
            OutPoint::new(txid, u32::try_from(vout).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_change_of_mode_is_refused_with_the_remedy() {
    for (first, then) in [
        (IndexMode::Plane, IndexMode::Full),
        (IndexMode::Full, IndexMode::Plane),
    ] {
        let mut place = Place::with(config_of(first).rules().unwrap()).await;
        let daemon = Daemon::start(&BLOCKS[..=20]).await;
        let mut follower = place.follower(&daemon).await;
        settle(&mut follower).await;
        load(&place.ctx()).await.unwrap();
        place.set_rules(config_of(then).rules().unwrap());
        let error = load(&place.ctx()).await.unwrap_err();
        assert!(
            matches!(error, Error::OtherMode { found, wanted } if found == first && wanted == then)
        );
        let text = error.to_string();
        let remedy = format!("set index.mode = \"{first}\", or start with an empty schema");
        assert!(text.contains(&remedy), "{text}");
    }
}

#[tokio::test]
async fn a_block_that_spends_what_nobody_made_is_not_stored() {
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&[payment(1, &message('a'))]);
    let place = Place::with(config_of(IndexMode::Full).rules().unwrap()).await;
    let daemon = Daemon::start(&BLOCKS[..=300]).await;
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let before = place.dump().await;
    daemon.set_chain(&branch.blocks);
    let error = follower.reconcile().await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("which no block made"), "{text}");
    crate::support::dump::assert_same(&place.dump().await, &before, "refused");
}
