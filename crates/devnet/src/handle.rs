//! The chain in hand: what tests of other crates do with it, without HTTP in between.

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use fluxplane_core::{Clock, Sat};
use fluxplane_flux_chain::{
    Address, ChainParams, Hash256, OutPoint, PrivateKey, Transaction, fluxnode::FluxnodeState,
};
use serde_json::Value;
use tokio::sync::{broadcast, watch};

use crate::{
    chain::BlockRef,
    daemon::{Daemon, DevnetError, INTACT, NewNode, NodeView, Reorganisation, Schedule},
    options::ChainRules,
    replay::Recording,
    rpc::{Params, RpcError, call},
    wallet::Account,
    zmq::Message,
};

/// A chain that can be grown, bent and asked. Clones share it.
///
/// Every call takes the chain's lock and may work for some milliseconds a block; asynchronous tests that make many blocks at once
/// do it in `spawn_blocking`.
#[derive(Debug, Clone)]
pub struct ChainHandle {
    daemon: Arc<RwLock<Daemon>>,
}

impl ChainHandle {
    pub(crate) const fn new(daemon: Arc<RwLock<Daemon>>) -> Self {
        Self { daemon }
    }

    /// A new chain in memory that nobody serves and that grows on demand only. For synchronous tests.
    pub fn grown(rules: ChainRules, clock: Arc<dyn Clock>) -> Result<Self, DevnetError> {
        let daemon = Daemon::grown(rules, None, clock, Schedule::ON_DEMAND)?;
        Ok(Self::new(Arc::new(RwLock::new(daemon))))
    }

    /// A recorded chain that nobody serves, at its genesis block.
    pub fn recorded(recording: Recording, clock: Arc<dyn Clock>) -> Self {
        let daemon = Daemon::recorded(recording, clock, Schedule::ON_DEMAND);
        Self::new(Arc::new(RwLock::new(daemon)))
    }

    fn read(&self) -> RwLockReadGuard<'_, Daemon> {
        self.daemon.read().expect(INTACT)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Daemon> {
        self.daemon.write().expect(INTACT)
    }

    /// The last block of the best chain.
    pub fn tip(&self) -> BlockRef {
        self.read().chain.tip_ref()
    }

    pub fn height(&self) -> u32 {
        self.tip().height
    }

    /// The raw block at a height of the best chain.
    pub fn block(&self, height: u32) -> Option<Arc<[u8]>> {
        let daemon = self.read();
        daemon.chain.at(height).map(|entry| Arc::clone(&entry.raw))
    }

    /// The parameters a follower of this chain needs.
    pub fn params(&self) -> Arc<ChainParams> {
        self.read().chain.shared_params()
    }

    /// The node lists after the tip.
    pub fn fluxnodes(&self) -> FluxnodeState {
        self.read().chain.nodes().clone()
    }

    /// Makes blocks on the tip.
    pub fn mine(&self, count: u32) -> Result<Vec<Hash256>, DevnetError> {
        self.write().mine(count)
    }

    /// Replaces the last `depth` blocks by a branch of `blocks` empty ones, one more than `depth` when `None`.
    pub fn reorganise(
        &self,
        depth: u32,
        blocks: Option<u32>,
    ) -> Result<Reorganisation, DevnetError> {
        self.write().reorganise(depth, blocks)
    }

    /// Pays from the faucet; the payment is output 0 and waits for the next block.
    pub fn faucet(&self, to: &Address, amount: Sat) -> Result<OutPoint, DevnetError> {
        let built = self.write().faucet(to, amount)?;
        Ok(OutPoint::new(built.txid, 0))
    }

    /// Hands in a raw transaction as `sendrawtransaction` does.
    pub fn send(&self, raw: &[u8]) -> Result<Hash256, RpcError> {
        let transaction =
            Transaction::parse(raw).map_err(|_| RpcError::undecodable_transaction())?;
        Ok(self.write().send(&transaction, false)?)
    }

    /// Ids of the transactions that wait, in the order they came.
    pub fn waiting(&self) -> Vec<Hash256> {
        let daemon = self.read();
        daemon.mempool.iter().map(|entry| entry.txid).collect()
    }

    /// Adds a node that is kept confirmed.
    pub fn add_node(&self, node: NewNode) -> Result<NodeView, DevnetError> {
        let mut daemon = self.write();
        let collateral = daemon.add_node(node)?;
        daemon.node_view(&collateral)
    }

    /// Spends a node's collateral, which ends it in the next block.
    pub fn remove_node(&self, collateral: &OutPoint) -> Result<(), DevnetError> {
        self.write().remove_node(collateral).map(drop)
    }

    /// Stops or resumes keeping a node confirmed.
    pub fn set_node_running(&self, collateral: &OutPoint, on: bool) -> Result<(), DevnetError> {
        self.write().set_node_running(collateral, on)
    }

    pub fn nodes(&self) -> Vec<NodeView> {
        self.read().node_views()
    }

    /// The developer's keys and what they can spend now.
    pub fn accounts(&self) -> Vec<Account> {
        self.read().accounts()
    }

    /// Key and address of an account that has 100,000 FLUX from the start; there are ten, numbered from 0.
    pub fn account(&self, number: u32) -> (PrivateKey, Address) {
        let named = self.read().wallet.keys.account(number);
        let address = named.address();
        (named.key, address)
    }

    /// The key whose signatures are benchmarks here.
    pub fn benchmark_key(&self) -> PrivateKey {
        self.read().wallet.keys.benchmark().key
    }

    /// Shows the next blocks of a recording.
    pub fn step(&self, count: u32) -> Result<BlockRef, DevnetError> {
        self.write().step(count)
    }

    /// Calls a JSON-RPC method. Numbers with decimals lose trailing zeros in the value; [`call_text`](Self::call_text) keeps them.
    pub fn call(&self, method: &str, params: &[Value]) -> Result<Value, RpcError> {
        let text = self.call_text(method, params)?;
        serde_json::from_str(&text).map_err(|error| RpcError::misc(error.to_string()))
    }

    /// Calls a JSON-RPC method and gives the text of its result.
    pub fn call_text(&self, method: &str, params: &[Value]) -> Result<String, RpcError> {
        let answer = call(&self.daemon, method, &Params::of(params))?;
        Ok(answer.get().to_owned())
    }

    /// Changes whenever the tip does.
    pub fn watch_tip(&self) -> watch::Receiver<BlockRef> {
        self.read().watch_tip()
    }

    /// The messages ZMQ subscribers get, from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.read().notifier.subscribe()
    }
}
