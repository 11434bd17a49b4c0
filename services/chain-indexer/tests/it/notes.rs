//! Anchors of settlement epochs and price messages of the foundation, from the mempool to finality and back.

use std::time::Duration;

use fluxplane_chain_indexer::domain::Rules;
use fluxplane_core::{Sat, id::EpochNumber};
use fluxplane_flux_chain::{
    Address, OutPoint, PrivateKey, ScriptBuf,
    address::AddressSpace,
    build::{Output, Unsigned, Utxo},
    script::{data_output, multisig},
};
use fluxplane_ledger::settlement::{Anchor, Hash32};
use fluxplane_proto::{
    chain_indexer::v1::{
        AnchorChanged, ListChainAnchorsRequest, ListPriceMessagesRequest, PriceMessageChanged,
        anchor_changed::Change as Anchored, price_message_changed::Change as Priced,
    },
    common::v1::PageRequest,
};
use fluxplane_testkit::eventually;

use crate::support::{
    chain::{Branch, change, output, text, transfer, txid},
    daemon::Daemon,
    follower::{PATIENCE, Place, config, settle},
    said::Asked,
    service::{Ground, LIMIT},
};

/// The redeem script of this test's foundation.
fn redeem() -> ScriptBuf {
    let key = |n| PrivateKey::from_bytes(&[n; 32], true).unwrap().public_key();
    multisig(2, &[key(21), key(22), key(23)]).unwrap()
}

fn foundation() -> Address {
    Address::of_redeem_script(redeem().as_script(), AddressSpace::Test)
}

/// Final after three blocks, and a foundation.
fn quick() -> Rules {
    let mut config = config();
    config.payments.thresholds = vec![1, 2, 3].try_into().unwrap();
    config.foundation.addresses = vec![foundation()];
    config.rules().unwrap()
}

fn anchor(epoch: u64) -> Anchor {
    Anchor {
        epoch: EpochNumber(epoch),
        root: Hash32([0xab; 32]),
        count: 7,
    }
}

fn data(bytes: &[u8]) -> Output {
    output(data_output(bytes).unwrap(), 0)
}

fn anchoring(number: u8, payload: &[u8]) -> Vec<u8> {
    transfer(number, vec![data(payload), change()])
}

/// What was said of anchors: the change, the epoch, the height, whether it is final.
fn anchored(events: &[AnchorChanged]) -> Vec<(Anchored, u64, u32, bool)> {
    events
        .iter()
        .map(|event| {
            let anchor = event.anchor.as_ref().unwrap();
            (event.change(), anchor.epoch, anchor.height, anchor.r#final)
        })
        .collect()
}

#[tokio::test]
async fn an_anchor_is_seen_mined_and_final_each_once_and_is_never_taken_back() {
    let mut branch = Branch::leave_at(300, 0);
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let raw = anchoring(1, &anchor(5).encode());
    daemon.set_mempool(std::slice::from_ref(&raw));
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    settle(&mut follower).await;
    let said = place.said().await.anchors;
    assert_eq!(anchored(&said), [(Anchored::Seen, 5, 0, false)]);
    let seen = said[0].anchor.as_ref().unwrap();
    assert_eq!(seen.txid, txid(&raw).to_string());
    assert_eq!(
        (seen.root.as_slice(), seen.leaf_count),
        (&[0xab; 32][..], 7)
    );
    assert_eq!(seen.payload, anchor(5).encode());
    assert_eq!(seen.problem, "");

    daemon.set_mempool(&[]);
    branch.grow(&[raw]);
    branch.grow_by(2);
    daemon.set_chain(&branch.blocks);
    // Every step survives a restart.
    follower.at = None;
    settle(&mut follower).await;
    let said = place.said().await.anchors;
    assert_eq!(
        anchored(&said),
        [
            (Anchored::Mined, 5, 301, false),
            (Anchored::Final, 5, 301, true)
        ]
    );
    branch.grow_by(3);
    daemon.set_chain(&branch.blocks);
    settle(&mut follower).await;
    assert_eq!(anchored(&place.said().await.anchors), []);
}

#[tokio::test]
async fn an_anchor_follows_its_block_through_reorganisations() {
    let raw = anchoring(1, &anchor(6).encode());
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(std::slice::from_ref(&raw));
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let said = place.said().await.anchors;
    assert_eq!(
        anchored(&said),
        [
            (Anchored::Seen, 6, 301, false),
            (Anchored::Mined, 6, 301, false)
        ]
    );

    // Another branch, which mines it later.
    let mut other = Branch::leave_at(300, 9);
    other.grow_by(1);
    other.grow(std::slice::from_ref(&raw));
    daemon.set_chain(&other.blocks);
    settle(&mut follower).await;
    let said = place.said().await.anchors;
    assert_eq!(
        anchored(&said),
        [
            (Anchored::Reorganised, 6, 0, false),
            (Anchored::Mined, 6, 302, false)
        ]
    );

    // A third one without it: after a while it counts as dropped, once.
    let mut third = Branch::leave_at(300, 17);
    third.grow_by(3);
    daemon.set_chain(&third.blocks);
    settle(&mut follower).await;
    place
        .clock
        .advance(PATIENCE.saturating_sub(Duration::from_secs(1)));
    settle(&mut follower).await;
    let said = place.said().await.anchors;
    assert_eq!(anchored(&said), [(Anchored::Reorganised, 6, 0, false)]);
    place.clock.advance(Duration::from_secs(1));
    settle(&mut follower).await;
    settle(&mut follower).await;
    let said = place.said().await.anchors;
    assert_eq!(anchored(&said), [(Anchored::Dropped, 6, 0, false)]);
    // Sent again, it is seen again.
    daemon.set_mempool(&[raw]);
    settle(&mut follower).await;
    let said = place.said().await.anchors;
    assert_eq!(anchored(&said), [(Anchored::Seen, 6, 0, false)]);
}

#[tokio::test]
async fn a_reorganisation_leaves_the_notes_of_a_straight_run() {
    let raw = anchoring(1, &anchor(7).encode());
    let mut branch = Branch::leave_at(300, 3);
    branch.grow_by(2);
    let mut straight = Branch::leave_at(300, 0);
    straight.grow(&[raw]);
    straight.grow_by(2);
    let daemon = Daemon::start(&branch.blocks).await;
    let (there, back) = (Place::with(quick()).await, Place::with(quick()).await);
    let mut follower = there.follower(&daemon).await;
    settle(&mut follower).await;
    daemon.set_chain(&straight.blocks);
    settle(&mut follower).await;
    let mut other = back.follower(&daemon).await;
    settle(&mut other).await;
    crate::support::dump::assert_same_rows(&there.db.pool, &back.db.pool, "notes").await;
    assert_eq!(back.dump().await["note"].len(), 1);
}

#[tokio::test]
async fn what_only_looks_like_an_anchor_is_announced_with_the_problem_or_not_at_all() {
    let mut short = anchor(1).encode().to_vec();
    short.pop();
    let mut newer = anchor(1).encode();
    newer[4] = 2;
    let cases: [(&[u8], Option<&str>); 5] = [
        (&short, Some("48 bytes")),
        (&newer, Some("version 2")),
        (b"FXP1", Some("4 bytes")),
        (b"FXP2 is something else", None),
        (b"hello FXP1", None),
    ];
    let raws: Vec<Vec<u8>> = (1..)
        .zip(&cases)
        .map(|(number, (payload, _))| anchoring(number, payload))
        .collect();
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&raws);
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let said = place.said().await.anchors;
    for (raw, (payload, problem)) in raws.iter().zip(cases) {
        let id = txid(raw).to_string();
        let of = |event: &&AnchorChanged| event.anchor.as_ref().unwrap().txid == id;
        let found: Vec<&AnchorChanged> = said.iter().filter(of).collect();
        let Some(problem) = problem else {
            assert!(found.is_empty(), "{found:?}");
            continue;
        };
        assert_eq!(found.len(), 2, "seen and mined");
        let anchor = found[0].anchor.as_ref().unwrap();
        assert!(anchor.problem.contains(problem), "{}", anchor.problem);
        assert_eq!((anchor.epoch, anchor.payload.as_slice()), (0, payload));
    }
}

/// Gives the foundation something to spend.
fn funding(number: u8) -> (Vec<u8>, OutPoint) {
    let raw = transfer(number, vec![output(foundation().script(), 9), change()]);
    let coin = OutPoint::new(txid(&raw), 0);
    (raw, coin)
}

/// Spends a coin; the unlocking script shows the foundation's redeem script, whoever owns the coin.
fn spending(coin: OutPoint, outputs: Vec<Output>) -> Vec<u8> {
    let unlocking = {
        let redeem = redeem();
        let mut script = vec![0, 2, 1, 1, 2, 1, 1, 0x4c];
        script.push(u8::try_from(redeem.len()).unwrap());
        script.extend_from_slice(&redeem);
        ScriptBuf::new(script)
    };
    Unsigned {
        inputs: vec![Utxo {
            outpoint: coin,
            value: Sat::from_flux(9),
            script: foundation().script(),
        }],
        outputs,
        change: None,
        fee: Sat::ZERO,
        lock_time: 0,
        expiry_height: 0,
    }
    .serialize(&[unlocking])
}

fn itself() -> Output {
    output(foundation().script(), 8)
}

/// What was said of price messages: the change, the text, the height, whether it is final.
fn priced(events: &[PriceMessageChanged]) -> Vec<(Priced, String, u32, bool)> {
    events
        .iter()
        .map(|event| {
            let message = event.message.as_ref().unwrap();
            let text = message.text.clone();
            (event.change(), text, message.height, message.r#final)
        })
        .collect()
}

#[tokio::test]
async fn a_price_message_counts_when_the_foundation_writes_it_to_itself() {
    const TEXT: &str = "p_0.03_0.01_0.004_0.01_0.4_0.8_0.4";
    let (fund, coin) = funding(1);
    let raw = spending(coin, vec![itself(), text(TEXT)]);
    let mut branch = Branch::leave_at(300, 0);
    // In one batch, then with the coin from the database.
    branch.grow(&[fund]);
    branch.grow(std::slice::from_ref(&raw));
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let said = place.said().await.prices;
    let text = || TEXT.to_owned();
    assert_eq!(priced(&said), [(Priced::Mined, text(), 302, false)]);
    let message = said[0].message.as_ref().unwrap();
    let prices = message.prices.as_ref().unwrap();
    assert_eq!((prices.cpu.as_str(), prices.ram.as_str()), ("0.03", "0.01"));
    assert_eq!(
        (prices.hdd.as_str(), prices.min_price.as_str()),
        ("0.004", "0.01")
    );
    assert_eq!(
        (prices.port.as_str(), prices.scope.as_str()),
        ("0.4", "0.8")
    );
    assert_eq!(
        (prices.static_ip.as_str(), message.problem.as_str()),
        ("0.4", "")
    );

    // Its block is undone; it comes later, and is final in its turn.
    let mut other = Branch::leave_at(300, 0).with_blocks(&branch.blocks[301..302], 9);
    other.grow_by(1);
    other.grow(&[raw]);
    daemon.set_chain(&other.blocks);
    settle(&mut follower).await;
    let said = place.said().await.prices;
    assert_eq!(
        priced(&said),
        [
            (Priced::Reorganised, text(), 0, false),
            (Priced::Mined, text(), 303, false)
        ]
    );
    other.grow_by(2);
    daemon.set_chain(&other.blocks);
    settle(&mut follower).await;
    let said = place.said().await.prices;
    assert_eq!(priced(&said), [(Priced::Final, text(), 303, true)]);
}

#[tokio::test]
async fn nobody_else_sets_prices_whatever_their_unlocking_script_shows() {
    const TEXT: &str = "p_1_2_3_4";
    let (fund, coin) = funding(1);
    let stranger = transfer(2, vec![change(), change()]);
    let strange_coin = OutPoint::new(txid(&stranger), 0);
    let raws = [
        // Spends an output of somebody else, and one nobody ever saw.
        spending(strange_coin, vec![itself(), text(TEXT)]),
        spending(
            OutPoint::new(txid(&stranger), 9),
            vec![itself(), text(TEXT)],
        ),
        // The foundation, but to somebody else.
        spending(coin, vec![change(), text(TEXT)]),
    ];
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&[fund, stranger]);
    branch.grow(&raws);
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    assert_eq!(priced(&place.said().await.prices), []);
    assert!(place.dump().await["note"].is_empty());
}

#[tokio::test]
async fn a_malformed_price_message_is_announced_with_its_problem() {
    let cases = [
        ("p_1_2_3", false, "3 numbers"),
        ("p_1_2_x_4", false, "hdd is `x`"),
        ("p_1_2_3_4", true, "another output follows"),
    ];
    let mut branch = Branch::leave_at(300, 0);
    for (number, (written, more, _)) in (1..).zip(cases) {
        let (fund, coin) = funding(number);
        let mut outputs = vec![itself(), text(written)];
        outputs.extend(more.then(change));
        branch.grow(&[fund]);
        branch.grow(&[spending(coin, outputs)]);
    }
    // Not about prices at all.
    let (fund, coin) = funding(9);
    branch.grow(&[fund]);
    branch.grow(&[spending(coin, vec![itself(), text("q_1_2_3_4")])]);
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let said = place.said().await.prices;
    let mined = |event: &&PriceMessageChanged| event.change() == Priced::Mined;
    let mined: Vec<_> = said.iter().filter(mined).collect();
    assert_eq!(mined.len(), cases.len());
    for (event, (written, _, problem)) in mined.iter().zip(cases) {
        let message = event.message.as_ref().unwrap();
        assert_eq!((message.text.as_str(), &message.prices), (written, &None));
        assert!(message.problem.contains(problem), "{}", message.problem);
    }
}

#[tokio::test]
async fn anchors_and_price_messages_are_listed_in_pages() {
    let (fund, coin) = funding(9);
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&[fund, anchoring(1, &anchor(1).encode())]);
    branch.grow(&[anchoring(2, &anchor(2).encode()), anchoring(3, b"FXP1")]);
    branch.grow(&[spending(coin, vec![itself(), text("p_1_2_3_4")])]);
    let daemon = Daemon::start(&branch.blocks).await;
    daemon.set_mempool(&[anchoring(4, &anchor(2).encode())]);
    let ground = Ground::new().await;
    let mut config = ground.config(&daemon);
    config.payments.thresholds = vec![1, 3].try_into().unwrap();
    config.foundation.addresses = vec![foundation()];
    let asked = Asked::start(ground, config, 303).await;
    let list = async |epoch: u64| {
        let mut client = asked.payments.clone();
        let (mut cursor, mut found) = (String::new(), Vec::new());
        loop {
            let page = Some(PageRequest { size: 2, cursor });
            let request = ListChainAnchorsRequest { epoch, page };
            let answer = client.list_anchors(request).await.unwrap().into_inner();
            found.extend(answer.anchors);
            cursor = answer.page.unwrap().next_cursor;
            if cursor.is_empty() {
                return found;
            }
        }
    };
    eventually(LIMIT, async || {
        let all = list(0).await;
        if all.len() == 4 { Ok(()) } else { Err(all) }
    })
    .await;
    let mut of_two: Vec<(u32, u32, bool)> = list(2)
        .await
        .iter()
        .map(|it| (it.height, it.confirmations, it.r#final))
        .collect();
    of_two.sort_unstable();
    assert_eq!(of_two, [(0, 0, false), (302, 2, false)]);
    let one = list(1).await;
    assert_eq!(
        (one.len(), one[0].confirmations, one[0].r#final),
        (1, 3, true)
    );
    assert!(list(u64::MAX).await.is_empty());

    let mut client = asked.payments.clone();
    let request = ListPriceMessagesRequest { page: None };
    let listed = client.list_price_messages(request).await.unwrap();
    let messages = listed.into_inner().messages;
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (messages[0].text.as_str(), messages[0].height),
        ("p_1_2_3_4", 303)
    );
    let metrics = asked.service.metrics.encode();
    for line in [
        "fluxplane_chain_anchors_total{change=\"final\"} 1",
        "fluxplane_chain_price_messages_total{change=\"mined\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}
