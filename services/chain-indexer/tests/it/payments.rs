//! Payments from the mempool to finality and back, and what becomes of those that say nothing.

use std::time::Duration;

use fluxplane_chain_indexer::{
    app::queries,
    domain::{Rules, memo::MessageHash},
};
use fluxplane_flux_chain::Hash256;
use fluxplane_platform::db::paging::Page;
use fluxplane_proto::chain_indexer::v1::payment_changed::Change;

use crate::support::{
    chain::{Branch, change, message, output, payment, shop, text, transfer, txid},
    daemon::Daemon,
    follower::{PATIENCE, Place, config, settle},
};

/// Final after three blocks, to keep the chains short.
fn quick() -> Rules {
    let mut config = config();
    config.payments.thresholds = vec![1, 2, 3].try_into().unwrap();
    config.rules().unwrap()
}

/// A change, the transaction, and the height and confirmations it came with.
type Told = (Change, Hash256, u32, u32);

async fn told(place: &Place) -> Vec<Told> {
    place
        .announced()
        .await
        .iter()
        .filter_map(|event| event.payment())
        .map(|event| {
            let payment = event.payment.as_ref().unwrap();
            let txid = payment.txid.parse().unwrap();
            (event.change(), txid, payment.height, payment.confirmations)
        })
        .collect()
}

#[tokio::test]
async fn a_payment_is_seen_confirmed_and_final_each_once() {
    let mut branch = Branch::leave_at(300, 0);
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    assert_eq!(told(&place).await, []);

    let raw = payment(1, &message('a'));
    let id = txid(&raw);
    daemon.set_mempool(std::slice::from_ref(&raw));
    settle(&mut follower).await;
    settle(&mut follower).await;
    assert_eq!(told(&place).await, [(Change::Seen, id, 0, 0)]);

    daemon.set_mempool(&[]);
    branch.grow(&[raw]);
    daemon.set_chain(&branch.blocks);
    settle(&mut follower).await;
    assert_eq!(told(&place).await, [(Change::Confirmed, id, 301, 1)]);
    branch.grow_by(2);
    daemon.set_chain(&branch.blocks);
    settle(&mut follower).await;
    assert_eq!(
        told(&place).await,
        [(Change::Confirmed, id, 301, 2), (Change::Final, id, 301, 3)]
    );
    branch.grow_by(5);
    daemon.set_chain(&branch.blocks);
    settle(&mut follower).await;
    assert_eq!(told(&place).await, []);
}

#[tokio::test]
async fn a_payment_first_seen_in_its_block_is_seen_and_confirmed_there() {
    let mut branch = Branch::leave_at(300, 0);
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    place.announced().await;
    let raw = payment(1, &message('b'));
    branch.grow(std::slice::from_ref(&raw));
    daemon.set_chain(&branch.blocks);
    settle(&mut follower).await;
    let events = place.announced().await;
    let first = events.iter().find_map(|event| event.payment()).unwrap();
    let paid = first.payment.as_ref().unwrap();
    assert_eq!(paid.message_hash, message('b'));
    assert_eq!((paid.total_sat, paid.outputs.len()), (500_000_000, 1));
    assert_eq!(paid.outputs[0].address, shop().to_string());
    assert_eq!(first.memo_problem, "");
    let changes: Vec<Change> = events
        .iter()
        .filter_map(|event| event.payment())
        .map(fluxplane_proto::chain_indexer::v1::PaymentChanged::change)
        .collect();
    assert_eq!(changes, [Change::Seen, Change::Confirmed]);
}

#[tokio::test]
async fn an_undone_payment_is_reorganised_and_confirmed_again_or_dropped() {
    let raw = payment(1, &message('c'));
    let id = txid(&raw);
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(std::slice::from_ref(&raw));
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    place.announced().await;

    // Another branch without it; the daemon takes it back into the mempool.
    let mut other = Branch::leave_at(300, 9);
    other.grow_by(2);
    daemon.set_mempool(std::slice::from_ref(&raw));
    daemon.set_chain(&other.blocks);
    settle(&mut follower).await;
    assert_eq!(told(&place).await, [(Change::Reorganised, id, 0, 0)]);

    // It is mined again: confirmed anew, not seen anew.
    daemon.set_mempool(&[]);
    other.grow(std::slice::from_ref(&raw));
    daemon.set_chain(&other.blocks);
    settle(&mut follower).await;
    assert_eq!(told(&place).await, [(Change::Confirmed, id, 303, 1)]);

    // And undone for good: after a while it counts as dropped, once.
    let mut third = Branch::leave_at(300, 17);
    third.grow_by(4);
    daemon.set_chain(&third.blocks);
    settle(&mut follower).await;
    place
        .clock
        .advance(PATIENCE.saturating_sub(Duration::from_secs(1)));
    settle(&mut follower).await;
    assert_eq!(told(&place).await, [(Change::Reorganised, id, 0, 0)]);
    place.clock.advance(Duration::from_secs(1));
    settle(&mut follower).await;
    settle(&mut follower).await;
    assert_eq!(told(&place).await, [(Change::Dropped, id, 0, 0)]);

    // Dropped is not gone for ever.
    daemon.set_mempool(&[raw]);
    settle(&mut follower).await;
    assert_eq!(told(&place).await, [(Change::Seen, id, 0, 0)]);
}

#[tokio::test]
async fn a_reorganisation_above_a_payment_repeats_no_announcement() {
    let raw = payment(1, &message('d'));
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&[raw]);
    branch.grow_by(1);
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let two = told(&place).await;
    assert_eq!(two.iter().map(|told| told.3).collect::<Vec<_>>(), [1, 1, 2]);
    // The block after the payment's is replaced by two others.
    let mut other = branch.clone();
    other.blocks.pop();
    let mut other = Branch::leave_at(300, 0).with_blocks(&other.blocks[301..], 5);
    other.grow_by(2);
    daemon.set_chain(&other.blocks);
    settle(&mut follower).await;
    let changes: Vec<(Change, u32)> = told(&place).await.iter().map(|t| (t.0, t.3)).collect();
    assert_eq!(changes, [(Change::Final, 3)]);
}

#[tokio::test]
async fn payments_that_name_no_message_are_recorded_with_the_reason() {
    let shop = || output(shop().script(), 5);
    let hash = message('e');
    let cases: [(Vec<u8>, &str); 5] = [
        (transfer(1, vec![shop(), change()]), "no output carries"),
        (
            transfer(2, vec![shop(), text(&hash), text(&hash)]),
            "2 outputs carry",
        ),
        (transfer(3, vec![shop(), text("thanks")]), "`thanks` has 6"),
        (
            transfer(4, vec![shop(), text(&hash.to_uppercase())]),
            "not lower-case",
        ),
        // Change after the text, and two outputs to us: fine, and summed.
        (transfer(5, vec![shop(), text(&hash), shop(), change()]), ""),
    ];
    let raws: Vec<Vec<u8>> = cases.iter().map(|(raw, _)| raw.clone()).collect();
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&raws);
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let events = place.announced().await;
    let seen: Vec<_> = events
        .iter()
        .filter_map(|event| event.payment())
        .filter(|event| event.change() == Change::Seen)
        .collect();
    assert_eq!(seen.len(), cases.len());
    for (raw, problem) in &cases {
        let id = txid(raw).to_string();
        let event = seen
            .iter()
            .find(|event| event.payment.as_ref().unwrap().txid == id)
            .unwrap();
        let paid = event.payment.as_ref().unwrap();
        if problem.is_empty() {
            assert_eq!(
                (paid.message_hash.as_str(), paid.total_sat),
                (hash.as_str(), 1_000_000_000)
            );
            assert_eq!(event.memo_problem, "");
        } else {
            assert_eq!(paid.message_hash, "");
            assert!(
                event.memo_problem.contains(problem),
                "{}",
                event.memo_problem
            );
        }
    }
}

#[tokio::test]
async fn all_payments_for_a_message_are_listed_in_pages_oldest_first() {
    let mut branch = Branch::leave_at(300, 0);
    let hash = message('f');
    for number in 1..=5 {
        branch.grow(&[payment(number, &hash), payment(100 + number, &message('0'))]);
    }
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    daemon.set_mempool(&[payment(6, &hash)]);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let wanted: MessageHash = hash.parse().unwrap();
    let (mut cursor, mut found) = (String::new(), Vec::new());
    loop {
        let page = Page::parse(2, &cursor).unwrap();
        let answer = queries::payments(&place.ctx(), wanted, &page)
            .await
            .unwrap();
        found.extend(answer.records.iter().map(|record| {
            (
                record.payment.txid,
                record.place.confirmations(answer.height),
            )
        }));
        cursor = answer.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    let expected: Vec<(Hash256, u32)> = (1..=5)
        .map(|number| (txid(&payment(number, &hash)), 6 - u32::from(number)))
        .chain([(txid(&payment(6, &hash)), 0)])
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_the_owner_wants_in_silence_is_indexed_in_silence() {
    let mut config = config();
    config.chain.announce_from = 302;
    let mut branch = Branch::leave_at(300, 0);
    let raw = payment(1, &message('1'));
    branch.grow(std::slice::from_ref(&raw));
    let place = Place::with(config.rules().unwrap()).await;
    let daemon = Daemon::start(&branch.blocks).await;
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    assert_eq!(place.announced().await, []);
    assert_eq!(place.dump().await["payment"].len(), 1);
    branch.grow_by(1);
    daemon.set_chain(&branch.blocks);
    settle(&mut follower).await;
    assert_eq!(place.announced().await.len(), 1, "the block itself");
}

#[tokio::test]
async fn a_transaction_of_the_mempool_that_is_garbled_is_ignored() {
    let branch = Branch::leave_at(300, 0);
    let (place, daemon) = (
        Place::with(quick()).await,
        Daemon::start(&branch.blocks).await,
    );
    let raw = payment(1, &message('2'));
    daemon.garble_mempool(Hash256::from_wire([9; 32]), &raw);
    daemon.garble_mempool(Hash256::from_wire([8; 32]), b"no transaction");
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let requests = daemon.world().requests;
    settle(&mut follower).await;
    assert_eq!(told(&place).await, []);
    assert_eq!(place.chain_metrics.garbled.get(), 2);
    assert_eq!(
        daemon.world().requests - requests,
        2,
        "position and list; the garbled ones are not asked for again"
    );
}
