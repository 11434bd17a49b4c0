//! A chain grown in memory: coinbases follow the rules, fluxnode transactions are put in by the test.

use std::{collections::HashMap, sync::Arc};

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    ChainParams, Hash256, OutPoint, PrivateKey, ScriptBuf, Transaction,
    build::{
        Built, ConfirmBuilder, StartBuilder, StartKind, coinbase_outputs, coinbase_transaction,
    },
    fluxnode::{
        BlockDelta, BlockView, Collateral, FluxnodeState, Mode, Rejection, Snapshot, Status,
    },
    params::TimedKey,
    script::p2pkh,
    tx::UpdateKind,
};

pub(crate) const THOUSAND: Sat = Sat::from_flux(1_000);
pub(crate) const IP: &str = "192.0.2.1";

/// A key of the benchmark that replaces the network's.
pub(crate) fn benchmark_key() -> PrivateKey {
    PrivateKey::from_bytes(&[0xbe; 32], false).unwrap()
}

pub(crate) fn key(number: u8) -> PrivateKey {
    PrivateKey::from_bytes(&[number; 32], true).unwrap()
}

#[derive(Debug, Clone)]
pub(crate) struct TestChain {
    pub(crate) state: FluxnodeState,
    pub(crate) coins: HashMap<OutPoint, Collateral>,
    pub(crate) deltas: Vec<BlockDelta>,
}

/// A node of a test: its collateral and its two keys.
#[derive(Debug, Clone)]
pub(crate) struct TestNode {
    pub(crate) collateral: OutPoint,
    pub(crate) owner: PrivateKey,
    pub(crate) machine: PrivateKey,
}

impl TestChain {
    /// An empty list at some height of a network whose benchmark key is the test's.
    pub(crate) fn at(mut params: ChainParams, height: u32) -> Self {
        params.nodes.benchmark_keys = vec![TimedKey {
            key: benchmark_key().public_key(),
            valid_from: 0,
        }];
        let snapshot = Snapshot {
            height,
            nodes: Vec::new(),
            delegates: Vec::new(),
        };
        Self {
            state: FluxnodeState::import(Arc::new(params), snapshot).unwrap(),
            coins: HashMap::new(),
            deltas: Vec::new(),
        }
    }

    pub(crate) fn height(&self) -> u32 {
        self.state.height()
    }

    /// A coin deep enough to be collateral.
    pub(crate) fn node(&mut self, number: u8, amount: Sat) -> TestNode {
        let owner = key(number);
        let script = p2pkh(&owner.public_key().id());
        self.node_with(number, amount, script, self.height().saturating_sub(200))
    }

    pub(crate) fn node_with(
        &mut self,
        number: u8,
        amount: Sat,
        script: ScriptBuf,
        height: u32,
    ) -> TestNode {
        let collateral = OutPoint::new(Hash256::from_wire([number; 32]), u32::from(number));
        let coin = Collateral {
            value: amount,
            height,
            script,
        };
        self.coins.insert(collateral, coin);
        TestNode {
            collateral,
            owner: key(number),
            machine: key(number ^ 0x80),
        }
    }

    /// The next block with these transactions after its coinbase.
    pub(crate) fn try_block(&mut self, transactions: &[&[u8]]) -> Result<BlockDelta, Rejection> {
        let height = self.height() + 1;
        let outputs = self.rewards(height);
        let coinbase = coinbase_transaction(self.state.params(), height, &outputs);
        self.try_block_with(&coinbase.bytes, transactions)
    }

    fn rewards(&self, height: u32) -> Vec<fluxplane_flux_chain::build::Output> {
        coinbase_outputs(
            self.state.params(),
            height,
            &self.state.next_payees(),
            Sat::ZERO,
        )
    }

    pub(crate) fn try_block_with(
        &mut self,
        coinbase: &[u8],
        transactions: &[&[u8]],
    ) -> Result<BlockDelta, Rejection> {
        let height = self.height() + 1;
        let parsed: Vec<Transaction<'_>> = std::iter::once(coinbase)
            .chain(transactions.iter().copied())
            .map(|bytes| Transaction::parse(bytes).unwrap())
            .collect();
        let view = BlockView {
            height,
            transactions: &parsed,
            txids: None,
        };
        let before = self.state.clone();
        let result = self.state.apply_block(&view, &self.coins, Mode::Validate);
        match &result {
            Ok(delta) => {
                for transaction in &parsed {
                    for input in transaction.inputs() {
                        self.coins.remove(&input.previous);
                    }
                }
                let mut undone = self.state.clone();
                undone.undo_block(&delta.undo).unwrap();
                assert_eq!(undone, before, "undo of block {height}");
                self.deltas.push(delta.clone());
            }
            Err(_) => assert_eq!(self.state, before, "a refused block changes nothing"),
        }
        result
    }

    pub(crate) fn block(&mut self, transactions: &[&[u8]]) -> BlockDelta {
        self.try_block(transactions)
            .unwrap_or_else(|rejection| panic!("block {}: {rejection}", self.height() + 1))
    }

    /// Empty blocks up to a height.
    pub(crate) fn grow_to(&mut self, height: u32) {
        while self.height() < height {
            self.block(&[]);
        }
    }

    /// Puts a block with these transactions at `height`.
    pub(crate) fn block_at(&mut self, height: u32, transactions: &[&[u8]]) -> BlockDelta {
        self.grow_to(height - 1);
        self.block(transactions)
    }

    pub(crate) fn reason(&mut self, transactions: &[&[u8]]) -> &'static str {
        self.try_block(transactions).unwrap_err().reason()
    }
}

impl TestNode {
    pub(crate) fn start(&self) -> Built {
        self.start_kind(StartKind::Plain {
            collateral_key: self.owner.public_key(),
        })
    }

    pub(crate) fn start_kind(&self, kind: StartKind) -> Built {
        self.start_builder(kind).sign(&self.owner)
    }

    pub(crate) fn start_builder(&self, kind: StartKind) -> StartBuilder {
        StartBuilder {
            kind,
            collateral: self.collateral,
            node_key: self.machine.public_key(),
            sig_time: 1_790_000_000,
            delegation: None,
        }
    }

    pub(crate) fn confirm(&self, kind: UpdateKind, ip: &str) -> Built {
        self.confirm_builder(kind, ip)
            .sign(&self.machine, &benchmark_key())
    }

    pub(crate) fn confirm_builder(&self, kind: UpdateKind, ip: &str) -> ConfirmBuilder {
        ConfirmBuilder {
            collateral: self.collateral,
            kind,
            sig_time: 1_790_000_100,
            benchmark_tier: Tier::Stratus,
            benchmark_sig_time: 1_790_000_050,
            ip: ip.to_owned(),
        }
    }
}

pub(crate) fn devnet() -> TestChain {
    TestChain::at(ChainParams::regtest_nodes(), 500)
}

pub(crate) fn status(chain: &TestChain, node: &TestNode) -> Option<Status> {
    chain.state.node(&node.collateral).map(|entry| entry.status)
}

/// A chain at `height` with one node confirmed in the block after.
pub(crate) fn confirmed(params: ChainParams, height: u32, amount: i64) -> (TestChain, TestNode) {
    let mut chain = TestChain::at(params, height - 1);
    let node = chain.node(1, Sat::from_flux(amount));
    chain.block(&[&node.start().bytes]);
    chain.block(&[&node.confirm(UpdateKind::Initial, IP).bytes]);
    assert_eq!(status(&chain, &node), Some(Status::Confirmed));
    (chain, node)
}
