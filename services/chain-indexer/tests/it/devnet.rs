//! The service on a development chain that grows, pays its nodes and reorganises, over its real JSON-RPC and ZMQ.

use std::{sync::Arc, time::Duration};

use fluxplane_chain_indexer::config::DevnetRules;
use fluxplane_core::{FixedClock, Sat, Tier};
use fluxplane_devnet::{ChainHandle, Devnet, NewNode, Options};
use fluxplane_flux_chain::{
    Address, OutPoint,
    build::{PaymentBuilder, Utxo},
};
use fluxplane_platform::{
    config::{Secret, Span},
    grpc::Client,
};
use fluxplane_proto::chain_indexer::v1::{
    GetStatusRequest, GetTransactionRequest, ListFluxnodesRequest, ListPaymentsRequest, Payment,
    chain_service_client::ChainServiceClient,
};
use fluxplane_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{
    chain::{message, shop},
    follower::{noon, watched},
    service::{Ground, LIMIT, Running},
};

/// A development chain with three nodes, and the service on it.
async fn followed() -> (Devnet, Running) {
    let devnet = Devnet::start(Options {
        clock: Arc::new(FixedClock::at(noon())),
        ..Options::default()
    })
    .await
    .unwrap();
    let chain = devnet.chain();
    tokio::task::spawn_blocking(move || {
        for (tier, ip) in [
            (Tier::Cumulus, "192.0.2.1:16127"),
            (Tier::Cumulus, "198.51.100.1:16127"),
            (Tier::Stratus, "203.0.113.1"),
        ] {
            let node = NewNode {
                tier,
                ip: ip.to_owned(),
                collateral_key: None,
                node_key: None,
                fast: true,
            };
            chain.add_node(node).unwrap();
        }
        chain.mine(7).unwrap();
    })
    .await
    .unwrap();
    let ground = Ground::new().await;
    let mut config = ground.config_for(&devnet.rpc_url());
    config.rpc.user.clone_from(&devnet.credentials().user);
    config.rpc.password = Secret::new(devnet.credentials().password.clone());
    config.zmq.endpoint = devnet.zmq_address().unwrap();
    // Announcements are there to be quicker than this.
    config.follow.poll_interval = Span(Duration::from_secs(2));
    config.chain.devnet = rules(&devnet.chain());
    config.payments.addresses = vec![watched(shop())];
    config.payments.thresholds = vec![1, 2, 3].try_into().unwrap();
    let service = Running::with(ground, config).await.unwrap();
    (devnet, service)
}

/// What the chain says a follower must configure is a configuration.
pub(crate) fn rules(chain: &ChainHandle) -> DevnetRules {
    let mut params = chain.call("devnet_params", &[]).unwrap();
    let keys = params.as_object_mut().unwrap();
    assert_eq!(keys.remove("network"), Some(json!("devnet")));
    keys.remove("genesis_hash").unwrap();
    serde_json::from_value(params).unwrap()
}

async fn reach_tip(client: &ChainServiceClient<Client>, chain: &ChainHandle) {
    eventually(LIMIT, async || {
        let status = client
            .clone()
            .get_status(GetStatusRequest {})
            .await
            .unwrap();
        let status = status.into_inner();
        if status.hash == chain.tip().hash.to_string() {
            Ok(())
        } else {
            Err((status, chain.tip()))
        }
    })
    .await;
}

/// Both lists, field by field.
async fn assert_same_list(client: &ChainServiceClient<Client>, chain: &ChainHandle) {
    let request = ListFluxnodesRequest {
        page: None,
        tier: 0,
    };
    let ours = client.clone().list_fluxnodes(request).await.unwrap();
    let ours: Vec<Value> = ours
        .into_inner()
        .fluxnodes
        .iter()
        .map(|node| {
            let collateral = node.collateral.clone().unwrap();
            let tier = Tier::from_number(u8::try_from(node.tier).unwrap()).unwrap();
            json!({
                "txhash": collateral.txid,
                "outidx": collateral.vout.to_string(),
                "ip": node.ip,
                "added_height": node.added_height,
                "confirmed_height": node.confirmed_height,
                "last_confirmed_height": node.last_confirmed_height,
                "last_paid_height": node.last_paid_height,
                "tier": tier.name(),
                "payment_address": node.payment_address,
                "pubkey": node.node_pubkey,
                "rank": node.rank,
            })
        })
        .collect();
    let theirs = chain.call("viewdeterministicfluxnodelist", &[]).unwrap();
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        for (key, value) in ours.as_object().unwrap() {
            assert_eq!(value, &theirs[key], "{key} of {theirs}");
        }
    }
}

/// A signed payment of 5 FLUX from account 0.
fn payment(chain: &ChainHandle, to: &Address, text: &str) -> Vec<u8> {
    let (key, address) = chain.account(0);
    let query = json!({ "addresses": [address.to_string()] });
    let coin = &chain.call("getaddressutxos", &[query]).unwrap()[0];
    let coin = Utxo {
        outpoint: OutPoint::new(
            coin["txid"].as_str().unwrap().parse().unwrap(),
            u32::try_from(coin["outputIndex"].as_u64().unwrap()).unwrap(),
        ),
        value: Sat::new(coin["satoshis"].as_i64().unwrap()),
        script: address.script(),
    };
    PaymentBuilder::new()
        .spend(coin)
        .pay(to, Sat::from_flux(5))
        .change_to(address)
        .data(text.as_bytes())
        .unwrap()
        .build()
        .unwrap()
        .sign(&[key], chain.params().branch_id(chain.height() + 1))
        .unwrap()
        .bytes
}

/// The only payment for a message, once `wanted` holds for it.
async fn the_payment(
    client: &ChainServiceClient<Client>,
    message_hash: &str,
    wanted: impl Fn(&Payment) -> bool,
) -> Payment {
    eventually(LIMIT, async || {
        let request = ListPaymentsRequest {
            message_hash: message_hash.to_owned(),
            page: None,
        };
        let listed = client.clone().list_payments(request).await.unwrap();
        match listed.into_inner().payments.as_slice() {
            [only] if wanted(only) => Ok(only.clone()),
            other => Err(other.to_vec()),
        }
    })
    .await
}

#[tokio::test]
async fn a_development_chain_is_followed_through_payments_and_reorganisations() {
    let (devnet, service) = followed().await;
    let (chain, client) = (devnet.chain(), service.client("gateway"));
    reach_tip(&client, &chain).await;
    assert_same_list(&client, &chain).await;

    let hash = message('d');
    let raw = payment(&chain, &shop(), &hash);
    let txid = chain.send(&raw).unwrap().to_string();
    let waiting = the_payment(&client, &hash, |_| true).await;
    assert_eq!((waiting.txid.as_str(), waiting.height), (txid.as_str(), 0));
    assert_eq!(waiting.total_sat, 500_000_000);

    chain.mine(2).unwrap();
    let mined = the_payment(&client, &hash, |paid| paid.confirmations == 2).await;
    assert_eq!(mined.height, chain.height() - 1);

    // Three blocks give way to four; the payment waits again.
    let bent = chain.reorganise(3, None).unwrap();
    assert_eq!((bent.disconnected.len(), bent.connected.len()), (3, 4));
    reach_tip(&client, &chain).await;
    assert_same_list(&client, &chain).await;
    the_payment(&client, &hash, |paid| paid.height == 0).await;

    chain.mine(3).unwrap();
    the_payment(&client, &hash, |paid| paid.confirmations == 3).await;
    reach_tip(&client, &chain).await;
    assert_same_list(&client, &chain).await;
    let request = GetTransactionRequest { txid };
    let found = client.clone().get_transaction(request).await.unwrap();
    assert_eq!(found.into_inner().raw_hex, hex::encode(&raw));
    let metrics = service.metrics.encode();
    for line in [
        "fluxplane_chain_reorgs_total 1",
        "fluxplane_chain_payments_total{change=\"seen\"} 1",
        "fluxplane_chain_payments_total{change=\"reorganised\"} 1",
        "fluxplane_chain_payments_total{change=\"final\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}

#[tokio::test]
async fn a_node_whose_collateral_is_spent_leaves_the_list_in_that_block() {
    let (devnet, service) = followed().await;
    let (chain, client) = (devnet.chain(), service.client("gateway"));
    reach_tip(&client, &chain).await;
    let gone = chain.nodes().remove(0).collateral;
    chain.remove_node(&gone).unwrap();
    chain.mine(1).unwrap();
    reach_tip(&client, &chain).await;
    assert_same_list(&client, &chain).await;
    let request = ListFluxnodesRequest {
        page: None,
        tier: 0,
    };
    let left = client.clone().list_fluxnodes(request).await.unwrap();
    assert_eq!(left.into_inner().fluxnodes.len(), 2);
}
