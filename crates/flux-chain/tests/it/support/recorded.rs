//! The recorded chain with fluxnodes: its blocks, and the outputs that are unspent at each height.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Block, ChainParams, OutPoint, ScriptBuf,
    fluxnode::{BlockDelta, BlockView, Collateral, FluxnodeState, Mode},
};

use super::fixture::{NODES, list};

/// Raw blocks from genesis on.
pub(crate) static BLOCKS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    list(&NODES, "blocks")
        .iter()
        .map(|block| hex::decode(block.as_str().unwrap()).unwrap())
        .collect()
});

pub(crate) static PARAMS: LazyLock<Arc<ChainParams>> =
    LazyLock::new(|| Arc::new(ChainParams::regtest_nodes()));

/// Unspent outputs, and what each block took away, so that blocks can be taken back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coins {
    pub(crate) unspent: HashMap<OutPoint, Collateral>,
    taken: Vec<Vec<(OutPoint, Collateral)>>,
}

impl Coins {
    pub(crate) fn connect(&mut self, block: &Block<'_>, height: u32) {
        let mut taken = Vec::new();
        for transaction in &block.transactions {
            let txid = transaction.txid();
            if !transaction.is_coinbase() {
                for input in transaction.inputs() {
                    let coin = self.unspent.remove(&input.previous).unwrap();
                    taken.push((input.previous, coin));
                }
            }
            for (n, output) in (0..).zip(transaction.outputs()) {
                let coin = Collateral {
                    value: output.value,
                    height,
                    script: output.script.to_owned(),
                };
                self.unspent.insert(OutPoint::new(txid, n), coin);
            }
        }
        self.taken.push(taken);
    }

    pub(crate) fn disconnect(&mut self, block: &Block<'_>) {
        for (outpoint, coin) in self.taken.pop().unwrap() {
            self.unspent.insert(outpoint, coin);
        }
        for transaction in &block.transactions {
            let txid = transaction.txid();
            for n in 0..transaction.outputs().len() {
                let n = u32::try_from(n).unwrap();
                self.unspent.remove(&OutPoint::new(txid, n));
            }
        }
    }
}

/// The chain at some height, with everything needed to go on and back.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) state: FluxnodeState,
    pub(crate) coins: Coins,
    pub(crate) deltas: Vec<BlockDelta>,
    mode: Mode,
}

impl Chain {
    pub(crate) fn genesis(mode: Mode) -> Self {
        let mut coins = Coins::default();
        coins.connect(&Block::parse(&BLOCKS[0]).unwrap(), 0);
        Self {
            state: FluxnodeState::genesis(Arc::clone(&PARAMS)),
            coins,
            deltas: Vec::new(),
            mode,
        }
    }

    pub(crate) fn height(&self) -> u32 {
        self.state.height()
    }

    /// Applies the next recorded block.
    pub(crate) fn forward(&mut self) {
        let height = self.height() + 1;
        let block = Block::parse(&BLOCKS[usize::try_from(height).unwrap()]).unwrap();
        let view = BlockView::new(height, &block);
        let delta = self
            .state
            .apply_block(&view, &self.coins.unspent, self.mode)
            .unwrap_or_else(|rejection| panic!("block {height}: {rejection}"));
        self.deltas.push(delta);
        self.coins.connect(&block, height);
    }

    pub(crate) fn forward_to(&mut self, height: u32) {
        while self.height() < height {
            self.forward();
        }
    }

    /// Takes the last block back.
    pub(crate) fn back(&mut self) {
        let height = usize::try_from(self.height()).unwrap();
        let block = Block::parse(&BLOCKS[height]).unwrap();
        let delta = self.deltas.pop().unwrap();
        self.state.undo_block(&delta.undo).unwrap();
        self.coins.disconnect(&block);
    }
}

/// Height of the last recorded block.
pub(crate) fn tip() -> u32 {
    u32::try_from(BLOCKS.len() - 1).unwrap()
}

/// The coin value and script of an output of a block, for readers of amounts.
pub(crate) fn output(value: u64, script: &str) -> (Sat, ScriptBuf) {
    let script = ScriptBuf::new(hex::decode(script).unwrap());
    (Sat::new(i64::try_from(value).unwrap()), script)
}
