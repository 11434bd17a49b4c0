//! The chain against the one a daemon made.

use std::sync::LazyLock;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Recorded {
    blocks: Vec<String>,
    coinbase_outputs: Vec<Vec<serde_json::Value>>,
}

static RECORDED: LazyLock<Recorded> = LazyLock::new(|| {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/fluxd-regtest-nodes.json"
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
});

/// The recorded blocks after the genesis block.
fn blocks() -> impl Iterator<Item = Vec<u8>> {
    let blocks = RECORDED.blocks.iter().skip(1);
    blocks.map(|block| hex::decode(block).unwrap())
}

fn empty() -> Chain {
    Chain::new(Arc::new(ChainParams::regtest_nodes()))
}

/// Takes a block as if it had come at the time its header says.
fn take(chain: &mut Chain, raw: &[u8], checks: Checks) -> Result<Hash256, Reject> {
    let time = Block::parse(raw).unwrap().header.time;
    match chain.accept(raw, time, checks) {
        Ok(hash) => {
            let activation = chain.activate_best(checks);
            match activation.failures.into_iter().next() {
                Some((_, reject)) => Err(reject),
                None => Ok(hash),
            }
        }
        Err(AcceptError::Refused { reject, .. }) => Err(reject),
        Err(error) => panic!("{error}"),
    }
}

fn chain_of(count: usize) -> Chain {
    let mut chain = empty();
    for raw in blocks().take(count) {
        take(&mut chain, &raw, Checks::Trusted).unwrap();
    }
    chain
}

fn assert_same_state(left: &Chain, right: &Chain) {
    assert_eq!(left.tip().hash, right.tip().hash);
    assert_eq!(left.coins, right.coins);
    assert_eq!(left.nodes, right.nodes);
    let owners = left.coins.iter().chain(right.coins.iter());
    for owner in owners.filter_map(|(_, coin)| indexed_owner(coin.script.as_script())) {
        assert!(left.books.deltas(&owner).eq(right.books.deltas(&owner)));
        assert!(left.books.unspent(&owner).eq(right.books.unspent(&owner)));
    }
}

#[test]
fn every_rule_accepts_the_chain_a_daemon_made() {
    let mut chain = empty();
    for raw in blocks() {
        let height = chain.height() + 1;
        let taken = take(&mut chain, &raw, Checks::Full);
        assert!(taken.is_ok(), "block {height}: {taken:?}");
    }
    assert_eq!(chain.height(), 960);
}

#[test]
fn the_payees_are_those_the_daemon_paid() {
    let mut chain = empty();
    let mut compared = 0;
    for raw in blocks() {
        let expected = RECORDED
            .coinbase_outputs
            .iter()
            .find(|row| row[0] == chain.height() + 1);
        let payees = chain.nodes.next_payees();
        if let Some(row) = expected {
            // The first output is the dev fund's.
            let paid: Vec<(String, i64)> = row
                .iter()
                .skip(2)
                .map(|output| serde_json::from_value(output.clone()).unwrap())
                .collect();
            let ours: Vec<(String, i64)> = payees
                .iter()
                .map(|payee| (hex::encode(&payee.script[..]), payee.amount.get()))
                .collect();
            assert_eq!(ours, paid, "height {}", row[0]);
            compared += 1;
        }
        take(&mut chain, &raw, Checks::Trusted).unwrap();
    }
    assert_eq!(compared, RECORDED.coinbase_outputs.len());
    assert!(compared > 700, "{compared}");
}

#[test]
fn taking_blocks_back_gives_the_state_before_them() {
    let mut chain = chain_of(usize::MAX);
    for height in [958, 939, 860, 733, 457, 218, 100, 1] {
        while chain.height() > height {
            chain.disconnect();
        }
        assert_same_state(&chain, &chain_of(usize::try_from(height).unwrap()));
    }
}

#[test]
fn going_back_and_forth_gives_the_same_state() {
    let mut chain = chain_of(usize::MAX);
    let straight = chain_of(usize::MAX);
    for _ in 0..900 {
        chain.disconnect();
    }
    chain.activate_best(Checks::Full);
    assert_same_state(&chain, &straight);
}

#[test]
fn the_work_of_a_block_does_not_depend_on_its_bits() {
    let chain = chain_of(227);
    assert_eq!(chain.tip().chain_work(), 0xe300_0000_0011);
}

#[test]
fn the_median_time_is_that_of_eleven_blocks() {
    let chain = chain_of(30);
    let mut times: Vec<u32> = (20..=30)
        .map(|height| chain.at(height).unwrap().time)
        .collect();
    times.sort_unstable();
    assert_eq!(chain.median_time(chain.tip()), times[5]);
    // The genesis block has nothing before it.
    let genesis = chain.at(0).unwrap();
    assert_eq!(chain.median_time(genesis), genesis.time);
}

#[test]
fn logical_times_never_repeat() {
    let chain = chain_of(300);
    let all: Vec<(u32, Hash256)> = chain.books.blocks_between(0, u32::MAX).collect();
    assert_eq!(all.len(), 300);
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
}
