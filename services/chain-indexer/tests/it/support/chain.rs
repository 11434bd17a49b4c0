//! The recorded chain, and branches grown from it whose coinbases follow the rules.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, LazyLock, Mutex},
};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Address, Block, Hash256, OutPoint, PrivateKey, ScriptBuf, Transaction,
    address::AddressSpace,
    build::{BlockDraft, Output, Unsigned, Utxo, coinbase_outputs, coinbase_transaction},
    fluxnode::{BlockView, Collateral, FluxnodeState, Mode},
    script::{data_output, p2pkh},
};
use serde_json::Value;

/// The exchange fund of the recorded chain; everything else is as on a devnet.
pub(crate) const EXCHANGE_FUND: &str = "tmAQzNvsWkqJmCxQg2ZeUH8epmtZG7KsSpH";

/// What a daemon recorded, besides the blocks: events, lists, payees.
pub(crate) static RECORD: LazyLock<Value> = LazyLock::new(|| {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/fluxd-regtest-nodes.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
});

/// Raw blocks from genesis on.
pub(crate) static BLOCKS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let blocks = RECORD["blocks"].as_array().unwrap();
    blocks
        .iter()
        .map(|block| hex::decode(block.as_str().unwrap()).unwrap())
        .collect()
});

/// The height of the last recorded block.
pub(crate) const LAST: u32 = 960;

pub(crate) fn recorded(height: u32) -> &'static [u8] {
    &BLOCKS[usize::try_from(height).unwrap()]
}

pub(crate) fn hash_of(raw: &[u8]) -> Hash256 {
    Block::parse(raw).unwrap().header.hash()
}

/// The recording as far as it was replayed: the lists after each block, and every output.
struct Replay {
    states: Vec<FluxnodeState>,
    coins: HashMap<OutPoint, Collateral>,
}

static REPLAY: LazyLock<Mutex<Replay>> = LazyLock::new(|| {
    let params = Arc::new(fluxplane_flux_chain::ChainParams::regtest_nodes());
    let mut replay = Replay {
        states: vec![FluxnodeState::genesis(params)],
        coins: HashMap::new(),
    };
    replay.remember(0, &Block::parse(recorded(0)).unwrap());
    Mutex::new(replay)
});

impl Replay {
    fn extend_to(&mut self, height: u32) {
        while self.states.len() <= usize::try_from(height).unwrap() {
            let next = u32::try_from(self.states.len()).unwrap();
            let block = Block::parse(recorded(next)).unwrap();
            let mut state = self.states.last().unwrap().clone();
            let view = BlockView::new(next, &block);
            state.apply_block(&view, &self.coins, Mode::Follow).unwrap();
            self.states.push(state);
            self.remember(next, &block);
        }
    }

    fn remember(&mut self, height: u32, block: &Block<'_>) {
        for transaction in &block.transactions {
            let txid = transaction.txid();
            for (n, output) in (0..).zip(transaction.outputs()) {
                let coin = Collateral {
                    value: output.value,
                    height,
                    script: output.script.to_owned(),
                };
                self.coins.insert(OutPoint::new(txid, n), coin);
            }
        }
    }
}

/// The lists after a recorded block, replayed.
pub(crate) fn recorded_state(height: u32) -> FluxnodeState {
    let mut replay = REPLAY.lock().unwrap();
    replay.extend_to(height);
    replay.states[usize::try_from(height).unwrap()].clone()
}

/// A chain that shares the recording up to some height and goes its own way from there.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) blocks: Vec<Vec<u8>>,
    state: FluxnodeState,
    /// Makes the blocks of different branches differ.
    salt: u32,
}

impl Branch {
    /// Leaves the recording after the block at `height`.
    pub(crate) fn leave_at(height: u32, salt: u32) -> Self {
        Self {
            blocks: BLOCKS[..=usize::try_from(height).unwrap()].to_vec(),
            state: {
                let mut replay = REPLAY.lock().unwrap();
                replay.extend_to(height);
                replay.states[usize::try_from(height).unwrap()].clone()
            },
            salt,
        }
    }

    pub(crate) fn height(&self) -> u32 {
        self.state.height()
    }

    /// Grows by a block with these transactions.
    pub(crate) fn grow(&mut self, transactions: &[Vec<u8>]) {
        let raw = self.next_block(transactions);
        let height = self.height() + 1;
        let block = Block::parse(&raw).unwrap();
        let view = BlockView::new(height, &block);
        self.state
            .apply_block(&view, &REPLAY.lock().unwrap().coins, Mode::Follow)
            .unwrap();
        self.blocks.push(raw);
    }

    /// Grows by empty blocks.
    pub(crate) fn grow_by(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.grow(&[]);
        }
    }

    /// A block that could follow, whether or not the lists would take it.
    pub(crate) fn next_block(&self, transactions: &[Vec<u8>]) -> Vec<u8> {
        let height = self.height() + 1;
        let params = self.state.params();
        let outputs = coinbase_outputs(params, height, &self.state.next_payees(), Sat::ZERO);
        self.block_with(&outputs, transactions)
    }

    /// A block whose coinbase has these outputs.
    pub(crate) fn block_with(&self, outputs: &[Output], transactions: &[Vec<u8>]) -> Vec<u8> {
        let height = self.height() + 1;
        let coinbase = coinbase_transaction(self.state.params(), height, outputs).bytes;
        let tip = Block::parse(self.blocks.last().unwrap()).unwrap();
        let mut all = vec![coinbase];
        all.extend(transactions.iter().cloned());
        BlockDraft {
            previous: tip.header.hash(),
            final_sapling_root: Hash256::ZERO,
            time: tip.header.time + 30 + self.salt,
            bits: tip.header.bits,
            producer: OutPoint::NULL,
            transactions: all,
        }
        .seal_with(&[0; 64])
        .unwrap()
    }
}

/// The address that payments of these tests go to.
pub(crate) fn shop() -> Address {
    let key = PrivateKey::from_bytes(&[7; 32], true).unwrap();
    Address::of_key(&key.public_key(), AddressSpace::Test)
}

/// A transaction that spends a made-up coin. Nobody here checks inputs; `number` makes transactions differ.
pub(crate) fn transfer(number: u8, outputs: Vec<Output>) -> Vec<u8> {
    Unsigned {
        inputs: vec![Utxo {
            outpoint: OutPoint::new(Hash256::from_wire([number; 32]), 0),
            value: Sat::from_flux(100),
            script: ScriptBuf::default(),
        }],
        outputs,
        change: None,
        fee: Sat::ZERO,
        lock_time: 0,
        expiry_height: 0,
    }
    .serialize(&[])
}

pub(crate) fn output(script: ScriptBuf, flux: i64) -> Output {
    Output {
        script,
        value: Sat::from_flux(flux),
    }
}

/// An output that carries a text.
pub(crate) fn text(text: &str) -> Output {
    output(data_output(text.as_bytes()).unwrap(), 0)
}

/// An output to somebody else.
pub(crate) fn change() -> Output {
    output(p2pkh(&fluxplane_flux_chain::Hash160::of(b"change")), 3)
}

/// A payment of 5 FLUX for a message.
pub(crate) fn payment(number: u8, message: &str) -> Vec<u8> {
    transfer(
        number,
        vec![output(shop().script(), 5), text(message), change()],
    )
}

pub(crate) fn txid(raw: &[u8]) -> Hash256 {
    Transaction::parse(raw).unwrap().txid()
}

/// A message hash made of one digit.
pub(crate) fn message(digit: char) -> String {
    digit.to_string().repeat(64)
}

impl Branch {
    /// Grows by given blocks, and then with another salt.
    pub(crate) fn with_blocks(mut self, blocks: &[Vec<u8>], salt: u32) -> Self {
        for raw in blocks {
            let height = self.height() + 1;
            let block = Block::parse(raw).unwrap();
            let view = BlockView::new(height, &block);
            self.state
                .apply_block(&view, &REPLAY.lock().unwrap().coins, Mode::Follow)
                .unwrap();
            self.blocks.push(raw.clone());
        }
        self.salt = salt;
        self
    }
}

/// The recorded blocks up to a height.
pub(crate) fn up_to(height: u32) -> &'static [Vec<u8>] {
    &BLOCKS[..=usize::try_from(height).unwrap()]
}
