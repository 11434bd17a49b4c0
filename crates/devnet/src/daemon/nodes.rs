//! The developer's nodes: added, looked at, moved, stopped, removed.

use fluxplane_core::Tier;
use fluxplane_flux_chain::{
    Address, OutPoint, PrivateKey,
    build::Utxo,
    fluxnode::{NodeEntry, Status},
};

use crate::{
    daemon::{Daemon, DevnetError},
    wallet::{
        ManagedNode, Stage, address_of, collateral_amount, free_collateral, pay, spendable, sweep,
    },
};

/// The longest address a confirm may hold (fluxd `src/main.cpp`).
const MAX_IP: usize = 60;

/// Blocks after which a node added in a hurry must be confirmed: its collateral's depth, and one each for payment, start and
/// confirm, with some to spare.
const SPARE_BLOCKS: u32 = 10;

/// What a new node shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNode {
    pub tier: Tier,
    /// What it gives in its confirms, usually `host` or `host:port`.
    pub ip: String,
    /// Owner of the collateral; one of the wallet when `None`.
    pub collateral_key: Option<PrivateKey>,
    /// Key of the machine; one of the wallet when `None`.
    pub node_key: Option<PrivateKey>,
    /// Whether to make blocks until it is confirmed.
    pub fast: bool,
}

/// A node of the developer as the verbs show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    pub number: u32,
    pub tier: Tier,
    pub collateral: OutPoint,
    pub collateral_key: PrivateKey,
    pub node_key: PrivateKey,
    pub payment_address: Address,
    pub ip: String,
    pub running: bool,
    pub stage: &'static str,
    /// The entry of the chain's lists, if it is on one.
    pub listed: Option<NodeEntry>,
}

impl Daemon {
    /// Funds a node and lets it start. Its collateral is one that is ready, a coin of the given key, or a payment from the faucet.
    pub(crate) fn add_node(&mut self, new: NewNode) -> Result<OutPoint, DevnetError> {
        self.require_grown("devnet_addnode")?;
        check_ip(&new.ip)?;
        let number = self.wallet.state.next_node;
        let given = new.collateral_key.clone();
        let (collateral, funding, collateral_key) = self.provide_collateral(&new, given, number)?;
        let machine = || self.wallet.keys.machine(number).key;
        let node = ManagedNode {
            number,
            tier: new.tier,
            collateral,
            funding,
            collateral_key,
            node_key: new.node_key.unwrap_or_else(machine),
            ip: new.ip,
            running: true,
        };
        self.wallet.state.next_node += 1;
        self.wallet.state.nodes.push(node);
        self.save_wallet()?;
        self.operate_nodes();
        if new.fast {
            self.mine_until_confirmed(&collateral)?;
        }
        Ok(collateral)
    }

    fn provide_collateral(
        &mut self,
        new: &NewNode,
        given: Option<PrivateKey>,
        number: u32,
    ) -> Result<(OutPoint, Option<String>, PrivateKey), DevnetError> {
        let height = self.chain.height() + 1;
        let amount = collateral_amount(self.chain.params(), new.tier, height);
        let taken = |outpoint: &OutPoint| {
            self.wallet.node(outpoint).is_some() || self.chain.nodes().node(outpoint).is_some()
        };
        let Some(key) = given else {
            let free = free_collateral(&self.wallet.keys, &self.chain, new.tier, taken);
            if let Some((outpoint, named)) = free {
                return Ok((outpoint, None, named.key));
            }
            let key = self.wallet.keys.collateral(number).key;
            return self
                .fund(&key, amount)
                .map(|(at, raw)| (at, Some(raw), key));
        };
        let coins = spendable(&address_of(&key), &self.chain, &self.mempool);
        let fitting = coins
            .into_iter()
            .find(|coin| coin.value == amount && !taken(&coin.outpoint));
        if let Some(coin) = fitting {
            return Ok((coin.outpoint, None, key));
        }
        self.fund(&key, amount)
            .map(|(at, raw)| (at, Some(raw), key))
    }

    fn fund(
        &mut self,
        key: &PrivateKey,
        amount: fluxplane_core::Sat,
    ) -> Result<(OutPoint, String), DevnetError> {
        let faucet = self.wallet.keys.faucet().key;
        let to = address_of(key);
        let built = pay(&faucet, &to, amount, &self.chain, &self.mempool)?;
        self.send_own(&built.bytes)?;
        Ok((OutPoint::new(built.txid, 0), built.hex()))
    }

    fn mine_until_confirmed(&mut self, collateral: &OutPoint) -> Result<(), DevnetError> {
        let limit = self.chain.params().nodes.collateral_depth + SPARE_BLOCKS;
        for _ in 0..limit {
            let listed = self.chain.nodes().node(collateral);
            if listed.is_some_and(|node| node.status == Status::Confirmed) {
                return Ok(());
            }
            self.mine(1)?;
        }
        Err(DevnetError::NotConfirmed(limit))
    }

    fn managed(&mut self, collateral: &OutPoint) -> Result<&mut ManagedNode, DevnetError> {
        self.wallet
            .node_mut(collateral)
            .ok_or(DevnetError::UnknownNode(*collateral))
    }

    /// Stops or resumes keeping a node confirmed.
    pub(crate) fn set_node_running(
        &mut self,
        collateral: &OutPoint,
        running: bool,
    ) -> Result<(), DevnetError> {
        self.managed(collateral)?.running = running;
        self.save_wallet()?;
        self.operate_nodes();
        Ok(())
    }

    /// Gives a node another address. It tells the chain as soon as the rules allow.
    pub(crate) fn set_node_ip(
        &mut self,
        collateral: &OutPoint,
        ip: String,
    ) -> Result<(), DevnetError> {
        check_ip(&ip)?;
        self.managed(collateral)?.ip = ip;
        self.save_wallet()?;
        self.operate_nodes();
        Ok(())
    }

    /// Spends a node's collateral back to the faucet, which ends the node in the next block, and forgets it.
    pub(crate) fn remove_node(
        &mut self,
        collateral: &OutPoint,
    ) -> Result<Option<fluxplane_flux_chain::Hash256>, DevnetError> {
        let node = self.managed(collateral)?.clone();
        let coin = self.mempool.coin(collateral, self.chain.coins());
        let spending = match coin.filter(|_| self.mempool.spender(collateral).is_none()) {
            None => None,
            Some(coin) => {
                let coin = Utxo {
                    outpoint: *collateral,
                    value: coin.value,
                    script: coin.script,
                };
                let to = self.wallet.faucet_address();
                let built = sweep(coin, &node.collateral_key, &to, &self.chain)?;
                Some(self.send_own(&built.bytes)?)
            }
        };
        self.wallet
            .state
            .nodes
            .retain(|node| node.collateral != *collateral);
        self.save_wallet()?;
        Ok(spending)
    }

    /// The developer's nodes, oldest first.
    pub(crate) fn node_views(&self) -> Vec<NodeView> {
        let nodes = self.wallet.state.nodes.iter();
        nodes.map(|node| self.view_of(node)).collect()
    }

    pub(crate) fn node_view(&self, collateral: &OutPoint) -> Result<NodeView, DevnetError> {
        self.wallet
            .node(collateral)
            .map(|node| self.view_of(node))
            .ok_or(DevnetError::UnknownNode(*collateral))
    }

    fn view_of(&self, node: &ManagedNode) -> NodeView {
        NodeView {
            number: node.number,
            tier: node.tier,
            collateral: node.collateral,
            collateral_key: node.collateral_key.clone(),
            node_key: node.node_key.clone(),
            payment_address: address_of(&node.collateral_key),
            ip: node.ip.clone(),
            running: node.running,
            stage: stage_name(node.stage(&self.chain)),
            listed: self.chain.nodes().node(&node.collateral).cloned(),
        }
    }
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Funding => "funding",
        Stage::Maturing => "maturing",
        Stage::Starting => "starting",
        Stage::Started => "started",
        Stage::Confirmed => "confirmed",
        Stage::Dos => "dos",
        Stage::Gone => "gone",
    }
}

fn check_ip(ip: &str) -> Result<(), DevnetError> {
    if (1..=MAX_IP).contains(&ip.len()) && ip.is_ascii() {
        Ok(())
    } else {
        Err(DevnetError::Ip(ip.to_owned()))
    }
}
