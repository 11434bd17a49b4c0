//! Payments whose coins somebody spends elsewhere: replaced in the mempool, double-spent in a block.

use std::{sync::Arc, time::Duration};

use fluxplane_chain_indexer::source::{FluxdRpc, rpc::RpcConfig};
use fluxplane_core::{FixedClock, Sat};
use fluxplane_devnet::{ChainHandle, Devnet, Options};
use fluxplane_flux_chain::{
    OutPoint,
    build::{PaymentBuilder, Utxo},
};
use fluxplane_platform::config::Secret;
use fluxplane_proto::chain_indexer::v1::{Departure, PaymentChanged, payment_changed::Change};
use serde_json::json;

use crate::{
    devnet::rules,
    support::{
        chain::{Branch, change, message, output, payment, shop, text, transfer, txid},
        daemon::Daemon,
        follower::{PATIENCE, Place, config, noon, settle},
    },
};

/// A change, why, and who took the place.
type Told = (Change, Departure, String);

fn told(events: &[PaymentChanged], id: &str) -> Vec<Told> {
    let about = |event: &&PaymentChanged| event.payment.as_ref().unwrap().txid == id;
    let events = events.iter().filter(about);
    events
        .map(|event| {
            let other = event.conflicting_txid.clone();
            (event.change(), event.departure(), other)
        })
        .collect()
}

fn seen() -> Told {
    (Change::Seen, Departure::Unspecified, String::new())
}

/// Spends the same coin as `payment(number, _)` for something else.
fn elsewhere(number: u8) -> Vec<u8> {
    transfer(number, vec![change(), change()])
}

#[tokio::test]
async fn a_payment_whose_coin_a_block_spends_elsewhere_is_double_spent_there_and_then() {
    let mut branch = Branch::leave_at(300, 0);
    let (place, daemon) = (Place::new().await, Daemon::start(&branch.blocks).await);
    let (raw, other) = (payment(1, &message('a')), elsewhere(1));
    let (id, other_id) = (txid(&raw).to_string(), txid(&other).to_string());
    let bystander = payment(2, &message('a'));
    daemon.set_mempool(&[raw.clone(), bystander.clone()]);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    assert_eq!(told(&place.said().await.payments, &id), [seen()]);

    branch.grow(std::slice::from_ref(&other));
    daemon.set_chain(&branch.blocks);
    daemon.set_mempool(std::slice::from_ref(&bystander));
    settle(&mut follower).await;
    let said = place.said().await.payments;
    let gone = (Change::Dropped, Departure::DoubleSpent, other_id.clone());
    assert_eq!(told(&said, &id), [gone]);
    assert_eq!(said.len(), 1, "the bystander goes on waiting");
    place.clock.advance(PATIENCE * 2);
    settle(&mut follower).await;
    assert_eq!(told(&place.said().await.payments, &id), []);

    // The block with the other transaction is undone, and the payment is mined after all.
    let mut third = Branch::leave_at(300, 9);
    third.grow(std::slice::from_ref(&raw));
    third.grow_by(1);
    daemon.set_chain(&third.blocks);
    settle(&mut follower).await;
    let changes: Vec<Change> = told(&place.said().await.payments, &id)
        .into_iter()
        .map(|told| told.0)
        .collect();
    assert_eq!(changes, [Change::Seen, Change::Confirmed]);
}

#[tokio::test]
async fn a_payment_that_a_reorganisation_undid_may_be_double_spent_by_the_new_branch() {
    let (raw, other) = (payment(1, &message('b')), elsewhere(1));
    let (id, other_id) = (txid(&raw).to_string(), txid(&other).to_string());
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&[raw]);
    let (place, daemon) = (Place::new().await, Daemon::start(&branch.blocks).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    place.said().await;
    let mut new = Branch::leave_at(300, 9);
    new.grow_by(1);
    new.grow(&[other]);
    daemon.set_chain(&new.blocks);
    settle(&mut follower).await;
    assert_eq!(
        told(&place.said().await.payments, &id),
        [
            (Change::Reorganised, Departure::Unspecified, String::new()),
            (Change::Dropped, Departure::DoubleSpent, other_id)
        ]
    );
}

#[tokio::test]
async fn a_payment_that_made_room_in_the_mempool_is_replaced_and_the_other_seen() {
    let branch = Branch::leave_at(300, 0);
    let (place, daemon) = (Place::new().await, Daemon::start(&branch.blocks).await);
    let raw = payment(1, &message('c'));
    let other = transfer(1, vec![output(shop().script(), 7), text(&message('c'))]);
    let (id, other_id) = (txid(&raw).to_string(), txid(&other).to_string());
    daemon.set_mempool(&[raw]);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    place.said().await;
    // Also after a restart, from what is stored.
    follower.at = None;
    daemon.set_mempool(&[other]);
    settle(&mut follower).await;
    let said = place.said().await.payments;
    let gone = (Change::Dropped, Departure::Replaced, other_id.clone());
    assert_eq!(told(&said, &id), [gone]);
    assert_eq!(told(&said, &other_id), [seen()]);
    let metrics = place.metrics.encode();
    let line = "fluxplane_chain_payments_departed_total{reason=\"replaced\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

/// A coin of account 0.
fn coin(chain: &ChainHandle) -> Utxo {
    let (_, address) = chain.account(0);
    let query = json!({ "addresses": [address.to_string()] });
    let coin = &chain.call("getaddressutxos", &[query]).unwrap()[0];
    Utxo {
        outpoint: OutPoint::new(
            coin["txid"].as_str().unwrap().parse().unwrap(),
            u32::try_from(coin["outputIndex"].as_u64().unwrap()).unwrap(),
        ),
        value: Sat::new(coin["satoshis"].as_i64().unwrap()),
        script: address.script(),
    }
}

/// Spends a coin of account 0 for a message.
fn signed(chain: &ChainHandle, coin: &Utxo, flux: i64, expiry_height: u32) -> Vec<u8> {
    let (key, address) = chain.account(0);
    PaymentBuilder::new()
        .spend(coin.clone())
        .pay(&shop(), Sat::from_flux(flux))
        .change_to(address)
        .data(message('d').as_bytes())
        .unwrap()
        .expiry_height(expiry_height)
        .build()
        .unwrap()
        .sign(&[key], chain.params().branch_id(chain.height() + 1))
        .unwrap()
        .bytes
}

/// A development chain, and a place that follows it step by step.
async fn developed() -> (Devnet, Place, FluxdRpc) {
    let devnet = Devnet::start(Options {
        clock: Arc::new(FixedClock::at(noon())),
        zmq: None,
        ..Options::default()
    })
    .await
    .unwrap();
    let chain = devnet.chain();
    chain.mine(3).unwrap();
    let mut config = config();
    config.chain.devnet = rules(&chain);
    let place = Place::with(config.rules().unwrap()).await;
    let reach = RpcConfig {
        url: devnet.rpc_url(),
        user: devnet.credentials().user.clone(),
        password: Secret::new(devnet.credentials().password.clone()),
        timeout: Duration::from_secs(10),
    };
    let rpc = FluxdRpc::new(reach, place.chain_metrics.clone()).unwrap();
    (devnet, place, rpc)
}

#[tokio::test]
async fn on_a_development_chain_an_expired_payment_is_replaced_or_double_spent() {
    let (devnet, place, rpc) = developed().await;
    let chain = devnet.chain();
    let mut follower = place.follower_of(rpc, 1).await;
    let coin = coin(&chain);
    let mut expired = async |flux: i64| {
        let raw = signed(&chain, &coin, flux, chain.height() + 5);
        let id = chain.send(&raw).unwrap().to_string();
        settle(&mut follower).await;
        // Mined, and undone by a branch that ends where the payment can be mined no more.
        chain.mine(1).unwrap();
        settle(&mut follower).await;
        chain.reorganise(1, Some(6)).unwrap();
        id
    };
    let id = expired(5).await;
    let other = chain
        .send(&signed(&chain, &coin, 6, 0))
        .unwrap()
        .to_string();
    settle(&mut follower).await;
    let said = place.said().await.payments;
    let reorganised = (Change::Reorganised, Departure::Unspecified, String::new());
    let replaced = (Change::Dropped, Departure::Replaced, other.clone());
    let changes = told(&said, &id);
    assert_eq!(changes.first(), Some(&seen()));
    assert_eq!(changes[changes.len() - 2..], [reorganised, replaced]);
    assert_eq!(told(&said, &other), [seen()]);
}

#[tokio::test]
async fn on_a_development_chain_a_block_takes_the_coin_of_a_payment() {
    let (devnet, place, rpc) = developed().await;
    let chain = devnet.chain();
    let mut follower = place.follower_of(rpc, 1).await;
    let coin = coin(&chain);
    let raw = signed(&chain, &coin, 5, chain.height() + 5);
    let id = chain.send(&raw).unwrap().to_string();
    settle(&mut follower).await;
    chain.mine(1).unwrap();
    chain.reorganise(1, Some(6)).unwrap();
    let other = chain
        .send(&signed(&chain, &coin, 6, 0))
        .unwrap()
        .to_string();
    chain.mine(1).unwrap();
    settle(&mut follower).await;
    let said = place.said().await.payments;
    let double_spent = (Change::Dropped, Departure::DoubleSpent, other.clone());
    assert_eq!(told(&said, &id), [seen(), double_spent]);
    assert_eq!(told(&said, &other)[0], seen());
}
