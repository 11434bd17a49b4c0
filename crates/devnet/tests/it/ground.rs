//! What the tests stand on: chains at a fixed time, payments, and blocks that differ from what the chain would make.

use std::{path::PathBuf, sync::Arc, time::Duration};

use fluxplane_core::{FixedClock, Sat, Tier};
use fluxplane_devnet::{ChainHandle, ChainRules, Devnet, NewNode, NodeView, Options, RpcError};
use fluxplane_flux_chain::{
    Address, Block, Hash256, OutPoint, PrivateKey, Transaction,
    build::{BlockDraft, Built, PaymentBuilder, Utxo},
};
use serde_json::{Value, json};

/// How long something that must come may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What the bypass collateral signs blocks with.
const BYPASS_SIGNATURE: [u8; 64] = [0; 64];

/// A clock that stands still in 2027.
pub(crate) fn clock() -> FixedClock {
    FixedClock::at("2027-01-15T08:00:00Z".parse().unwrap())
}

/// A chain that stands at height 110.
pub(crate) fn chain() -> ChainHandle {
    ChainHandle::grown(ChainRules::default(), Arc::new(clock())).unwrap()
}

/// A served chain that stands at height 110 and makes blocks on demand.
pub(crate) async fn served() -> Devnet {
    let options = Options {
        clock: Arc::new(clock()),
        ..Options::default()
    };
    Devnet::start(options).await.unwrap()
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    PathBuf::from(folder).join(name)
}

pub(crate) fn read_fixture(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

/// Height of the next block.
pub(crate) fn next_height(chain: &ChainHandle) -> u32 {
    chain.height() + 1
}

pub(crate) fn branch_id(chain: &ChainHandle) -> u32 {
    chain.params().branch_id(next_height(chain))
}

/// The unspent outputs of an address in blocks.
pub(crate) fn coins(chain: &ChainHandle, address: &Address) -> Vec<Utxo> {
    let query = json!({"addresses": [address.to_string()]});
    let found = chain.call("getaddressutxos", &[query]).unwrap();
    let coin = |coin: &Value| Utxo {
        outpoint: OutPoint::new(
            coin["txid"].as_str().unwrap().parse().unwrap(),
            u32::try_from(coin["outputIndex"].as_u64().unwrap()).unwrap(),
        ),
        value: Sat::new(coin["satoshis"].as_i64().unwrap()),
        script: address.script(),
    };
    found.as_array().unwrap().iter().map(coin).collect()
}

/// The one coin an account has from the start.
pub(crate) fn account_coin(chain: &ChainHandle, number: u32) -> (PrivateKey, Utxo) {
    let (key, address) = chain.account(number);
    let mut coins = coins(chain, &address);
    assert_eq!(coins.len(), 1);
    (key, coins.remove(0))
}

/// Pays an address 5 FLUX from an account, the rest goes back.
pub(crate) fn payment(chain: &ChainHandle, from: u32, to: &Address) -> Built {
    let (key, coin) = account_coin(chain, from);
    let (_, change) = chain.account(from);
    PaymentBuilder::new()
        .spend(coin)
        .pay(to, Sat::from_flux(5))
        .change_to(change)
        .build()
        .unwrap()
        .sign(&[key], branch_id(chain))
        .unwrap()
}

pub(crate) fn sent(chain: &ChainHandle, built: &Built) -> Result<Hash256, RpcError> {
    chain.send(&built.bytes)
}

/// What `submitblock` says.
pub(crate) fn submit(chain: &ChainHandle, raw: &[u8]) -> Value {
    chain
        .call("submitblock", &[json!(hex::encode(raw))])
        .unwrap()
}

/// Takes a block apart, lets it be changed, and seals it again. The merkle root follows the change.
pub(crate) fn altered(raw: &[u8], change: impl FnOnce(&mut BlockDraft)) -> Vec<u8> {
    let block = Block::parse(raw).unwrap();
    let header = &block.header;
    let mut draft = BlockDraft {
        previous: header.previous,
        final_sapling_root: header.final_sapling_root,
        time: header.time,
        bits: header.bits,
        producer: header.producer().unwrap(),
        transactions: block
            .transactions
            .iter()
            .map(|transaction| transaction.raw().to_vec())
            .collect(),
    };
    change(&mut draft);
    draft.seal_with(&BYPASS_SIGNATURE).unwrap()
}

/// The block the chain would make next, without making it: a second chain that is made of the same blocks makes it.
pub(crate) fn next_block(chain: &ChainHandle) -> Vec<u8> {
    let twin = self::chain();
    for height in 1..=chain.height() {
        let raw = chain.block(height).unwrap();
        let said = submit(&twin, &raw);
        assert!(said.is_null() || said == "duplicate", "{height}: {said}");
    }
    assert_eq!(twin.tip(), chain.tip());
    twin.mine(1).unwrap();
    twin.block(twin.height()).unwrap().to_vec()
}

/// Adds a transaction at the end of a block.
pub(crate) fn with_transaction(raw: &[u8], built: &Built) -> Vec<u8> {
    altered(raw, |draft| draft.transactions.push(built.bytes.clone()))
}

/// Ids of the transactions of the block at a height.
pub(crate) fn mined_at(chain: &ChainHandle, height: u32) -> Vec<Hash256> {
    let raw = chain.block(height).unwrap();
    let block = Block::parse(&raw).unwrap();
    let transactions = block.transactions.iter();
    transactions.map(Transaction::txid).collect()
}

/// A node that is confirmed when this returns.
pub(crate) fn confirmed_node(chain: &ChainHandle, tier: Tier, ip: &str) -> NodeView {
    chain
        .add_node(NewNode {
            tier,
            ip: ip.to_owned(),
            collateral_key: None,
            node_key: None,
            fast: true,
        })
        .unwrap()
}

/// The error of a call that must fail.
pub(crate) fn refused(chain: &ChainHandle, method: &str, params: &[Value]) -> RpcError {
    match chain.call(method, params) {
        Err(error) => error,
        Ok(answer) => panic!("{method} answers {answer}"),
    }
}
