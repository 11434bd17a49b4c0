//! Reorganisations: whatever the daemon does to its chain, the database ends as if it had never been otherwise.

use fluxplane_chain_indexer::{
    STORE,
    domain::{IndexMode, Rules},
};
use fluxplane_flux_chain::Address;
use fluxplane_platform::reconciler::Reconciler as _;
use fluxplane_proto::chain_indexer::v1::fluxnode_changed::Change;

use crate::support::{
    chain::{BLOCKS, Branch, LAST, RECORD, hash_of, message, payment, up_to},
    daemon::Daemon,
    dump::{assert_same, assert_same_rows},
    follower::{Announced, Place, config, height, run_straight, settle, watched},
    random::Random,
};

/// Reorganisations of the random test, a quarter of them in each quarter of the chain.
const CASES: usize = 200;

/// The one with most tables.
const MODE: IndexMode = IndexMode::Full;

/// Where the lists change most: starts, confirms, expiries, a spent collateral. Height and depth.
const RICH: [(u32, u32); 7] = [
    (219, 3),
    (240, 39),
    (457, 1),
    (860, 39),
    (940, 1),
    (959, 1),
    (960, 39),
];

/// Watches an address that coinbases of the recording pay, so that payments come and go with the blocks.
fn rules_with_payments(mode: IndexMode) -> Rules {
    let mut config = config();
    config.index.mode = mode;
    let address: Address = RECORD["nodes"][1]["payment_address"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    config.payments.addresses = vec![watched(address)];
    config.rules().unwrap()
}

/// At each of the given heights the chain takes another way and comes back; the database must then be that of a straight run.
/// Which case it is says the height and depth of the failure: the numbers repeat with the quarter.
async fn undo_and_redo(mode: IndexMode, mut cases: Vec<(u32, u32)>, random: &mut Random) {
    cases.sort_unstable();
    let place = Place::with(rules_with_payments(mode)).await;
    let straight = Place::with(rules_with_payments(mode)).await;
    let (fickle, daemon) = (Daemon::start(up_to(0)).await, Daemon::start(up_to(0)).await);
    let mut follower = place.follower(&fickle).await;
    for (height, depth) in cases {
        let context = format!("{mode:?}, depth {depth} at height {height}");
        daemon.set_chain(up_to(height));
        run_straight(&straight, &daemon).await;
        fickle.set_chain(up_to(height));
        settle(&mut follower).await;
        let mut other = Branch::leave_at(height - depth, random.within(1, 1_000));
        // Never higher than we were: the highest block ever is remembered.
        other.grow_by(random.within(1, depth.min(3)));
        fickle.set_chain(&other.blocks);
        // Of a branch that is shorter, the tip is another block all the same.
        settle(&mut follower).await;
        let reached = follower.at.as_ref().unwrap().state.tip().unwrap();
        assert_eq!(reached.height, other.height(), "{context}");
        assert_eq!(
            reached.hash,
            hash_of(other.blocks.last().unwrap()),
            "{context}"
        );
        fickle.set_chain(up_to(height));
        settle(&mut follower).await;
        assert_same_rows(&place.db.pool, &straight.db.pool, &context).await;
    }
    assert!(
        !straight.dump().await["payment"].is_empty(),
        "the recording pays the watched address"
    );
}

/// A quarter of the random cases, and the rich ones, within a quarter of the chain.
async fn quarter(number: u32) {
    let seed = 0x0f1a_2026 + u64::from(number);
    let mut random = Random::new(seed);
    let (low, high) = (LAST / 4 * number + 1, LAST / 4 * (number + 1));
    let mut cases: Vec<(u32, u32)> = (0..CASES / 4)
        .map(|_| (random.within(low, high), random.within(1, 39)))
        .map(|(height, depth)| (height, depth.min(height)))
        .collect();
    cases.extend(
        RICH.iter()
            .filter(|(height, _)| (low..=high).contains(height)),
    );
    undo_and_redo(MODE, cases, &mut random).await;
}

#[tokio::test]
async fn after_undo_and_redo_of_any_depth_the_first_quarter_is_that_of_a_straight_run() {
    quarter(0).await;
}

#[tokio::test]
async fn after_undo_and_redo_of_any_depth_the_second_quarter_is_that_of_a_straight_run() {
    quarter(1).await;
}

#[tokio::test]
async fn after_undo_and_redo_of_any_depth_the_third_quarter_is_that_of_a_straight_run() {
    quarter(2).await;
}

#[tokio::test]
async fn after_undo_and_redo_of_any_depth_the_last_quarter_is_that_of_a_straight_run() {
    quarter(3).await;
}

#[tokio::test]
async fn an_index_of_mode_plane_undoes_and_redoes_what_is_rich_in_changes() {
    let mut random = Random::new(1);
    undo_and_redo(IndexMode::Plane, RICH.to_vec(), &mut random).await;
}

#[tokio::test]
async fn a_reorganisation_of_thirty_nine_blocks_is_followed() {
    let (place, daemon) = (Place::new().await, Daemon::start(up_to(300)).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let mut branch = Branch::leave_at(261, 1);
    branch.grow_by(45);
    daemon.set_chain(&branch.blocks);
    settle(&mut follower).await;
    assert_eq!(height(&follower), 306);
    assert!(place.dump().await["chain"][0].contains("\"halted_reason\": \"\""));
}

#[tokio::test]
async fn a_branch_leads_where_a_straight_run_of_it_leads() {
    let mut branch = Branch::leave_at(925, 7);
    branch.grow(&[payment(1, &message('a'))]);
    branch.grow_by(50);
    let (place, daemon) = (Place::new().await, Daemon::start(&BLOCKS).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    daemon.set_chain(&branch.blocks);
    settle(&mut follower).await;

    let (straight, honest) = (Place::new().await, Daemon::start(&branch.blocks).await);
    let mut steady = straight.follower(&honest).await;
    settle(&mut steady).await;
    assert_same(&place.dump().await, &straight.dump().await, "branch");
}

#[tokio::test]
async fn blocks_leave_in_falling_order_and_nodes_come_back() {
    let (place, daemon) = (Place::new().await, Daemon::start(up_to(940)).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    place.announced().await;
    let mut branch = Branch::leave_at(938, 3);
    branch.grow_by(3);
    daemon.set_chain(&branch.blocks);
    settle(&mut follower).await;
    let announced = place.announced().await;
    let steps: Vec<(char, u32)> = announced
        .iter()
        .filter_map(|event| match event {
            Announced::Connected(event) => Some(('+', event.height)),
            Announced::Disconnected(event) => Some(('-', event.height)),
            Announced::Payment(_) | Announced::Fluxnode(_) => None,
        })
        .collect();
    assert_eq!(
        steps,
        [('-', 940), ('-', 939), ('+', 939), ('+', 940), ('+', 941)]
    );
    // Block 940 spent the collateral of one node, which is confirmed again.
    let returned: Vec<_> = announced
        .iter()
        .filter_map(|event| match event {
            Announced::Fluxnode(event) => Some(event),
            Announced::Connected(_) | Announced::Disconnected(_) | Announced::Payment(_) => None,
        })
        .collect();
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].change(), Change::Reorganised);
    assert_eq!(returned[0].height, 940);
    assert_eq!(returned[0].fluxnode.as_ref().unwrap().confirmed_height, 218);
}

#[tokio::test]
async fn at_depth_forty_the_follower_halts_loudly_and_changes_nothing() {
    let (place, daemon) = (Place::new().await, Daemon::start(up_to(300)).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let before = place.dump().await;
    place.announced().await;

    let mut branch = Branch::leave_at(260, 1);
    branch.grow_by(45);
    daemon.set_chain(&branch.blocks);
    let summary = settle(&mut follower).await;
    assert!(
        summary.contains("halted") && summary.contains("height 300"),
        "{summary}"
    );
    let halted = place.dump().await;
    assert!(halted["chain"][0].contains("Blocks that deep are final"));
    assert_eq!(halted["block"], before["block"]);
    assert_eq!(halted["fluxnode"], before["fluxnode"]);
    assert!(place.announced().await.is_empty());

    // It goes on looking; when the daemon comes back to our chain, so do we.
    let mut follower = place.follower(&daemon).await;
    assert!(settle(&mut follower).await.contains("halted"));
    daemon.set_chain(up_to(301));
    settle(&mut follower).await;
    assert_eq!(height(&follower), 301);
    assert!(place.dump().await["chain"][0].contains("\"halted_reason\": \"\""));
}

#[tokio::test]
async fn two_reorganisations_cannot_add_up_to_more_than_one() {
    let (place, daemon) = (Place::new().await, Daemon::start(up_to(300)).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let mut first = Branch::leave_at(275, 1);
    first.grow_by(1);
    daemon.set_chain(&first.blocks);
    settle(&mut follower).await;
    assert_eq!(height(&follower), 276);
    // Only 16 blocks below our tip, but 41 below the highest block that ever counted.
    let mut second = Branch::leave_at(259, 2);
    second.grow_by(50);
    daemon.set_chain(&second.blocks);
    assert!(settle(&mut follower).await.contains("halted"));
    assert_eq!(height(&follower), 276);
}

#[tokio::test]
async fn a_daemon_that_falls_behind_is_waited_for() {
    let (place, daemon) = (Place::new().await, Daemon::start(up_to(300)).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    let before = place.dump().await;
    daemon.set_chain(up_to(200));
    let summary = settle(&mut follower).await;
    assert!(summary.contains("behind"), "{summary}");
    assert_same(&place.dump().await, &before, "behind");
    daemon.set_chain(up_to(302));
    settle(&mut follower).await;
    assert_eq!(height(&follower), 302);
}

#[tokio::test]
async fn a_block_the_lists_refuse_halts_before_it_and_a_right_one_resumes() {
    let (place, daemon) = (Place::new().await, Daemon::start(up_to(300)).await);
    let mut follower = place.follower(&daemon).await;
    settle(&mut follower).await;
    // It pays nobody.
    let branch = Branch::leave_at(300, 1);
    let mut blocks = up_to(300).to_vec();
    blocks.push(branch.block_with(&[], &[]));
    daemon.set_chain(&blocks);
    let summary = settle(&mut follower).await;
    assert!(summary.contains("block 301 cannot be applied"), "{summary}");
    assert_eq!(height(&follower), 300);
    daemon.set_chain(up_to(301));
    settle(&mut follower).await;
    assert_eq!(height(&follower), 301);
}

#[tokio::test]
async fn of_two_followers_the_superseded_one_writes_nothing() {
    let (place, daemon) = (Place::new().await, Daemon::start(up_to(300)).await);
    let mut old = place.follower(&daemon).await;
    settle(&mut old).await;
    let before = place.dump().await;
    old.token -= 1;
    daemon.set_chain(up_to(310));
    let error = old.reconcile().await.unwrap_err();
    assert!(
        format!("{error:#}").contains("another replica"),
        "{error:#}"
    );
    assert_same(&place.dump().await, &before, STORE.schema);
}
