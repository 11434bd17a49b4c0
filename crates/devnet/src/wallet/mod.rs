//! The developer's wallet: keys from the seed, coins from the first block, and nodes that are kept confirmed.

mod keys;
mod nodes;
mod premine;
mod spend;

use std::collections::BTreeMap;

use fluxplane_core::Sat;
use fluxplane_flux_chain::{Address, Hash160, OutPoint, PrivateKey};
use serde::{Deserialize, Serialize};

pub(crate) use keys::{Keyring, NamedKey, SPACE, address_of};
pub(crate) use nodes::{ManagedNode, Stage};
pub(crate) use premine::{PREMINE_HEIGHT, collateral_amount, free_collateral, premine_outputs};
pub(crate) use spend::{SpendError, pay, spendable, sweep};

use crate::{chain::Chain, mempool::Mempool};

/// What the wallet must remember: the rest follows from the seed and the chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WalletState {
    /// Number of the next node.
    pub(crate) next_node: u32,
    pub(crate) nodes: Vec<ManagedNode>,
}

/// A key of the developer that is not bound to a node, with what it can spend now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What it is for: `faucet`, `dev-fund`, `exchange-fund`, `benchmark`, `account-0` to `account-9`.
    pub name: String,
    pub key: PrivateKey,
    pub address: Address,
    pub balance: Sat,
}

/// Keys and nodes of the developer.
#[derive(Debug)]
pub(crate) struct Wallet {
    pub(crate) keys: Keyring,
    pub(crate) state: WalletState,
    standing: BTreeMap<Hash160, NamedKey>,
}

impl Wallet {
    pub(crate) fn new(keys: Keyring, state: WalletState) -> Self {
        let standing = keys
            .standing()
            .into_iter()
            .map(|named| (named.key.public_key().id(), named))
            .collect();
        Self {
            keys,
            state,
            standing,
        }
    }

    /// The key with an id, if the wallet has it.
    pub(crate) fn key_of(&self, id: &Hash160) -> Option<PrivateKey> {
        let standing = self.standing.get(id).map(|named| &named.key);
        let of_nodes = || {
            let nodes = self.state.nodes.iter().map(|node| &node.collateral_key);
            nodes.into_iter().find(|key| key.public_key().id() == *id)
        };
        standing.or_else(of_nodes).cloned()
    }

    /// Keys that are not bound to a node, the numbered accounts last.
    pub(crate) fn accounts(&self, chain: &Chain, mempool: &Mempool) -> Vec<Account> {
        let named = self.keys.standing().into_iter();
        named
            .map(|named| {
                let address = named.address();
                let coins = spendable(&address, chain, mempool);
                let balance = coins.iter().map(|coin| coin.value.get()).sum();
                Account {
                    name: named.name,
                    key: named.key,
                    address,
                    balance: Sat::new(balance),
                }
            })
            .collect()
    }

    pub(crate) fn node(&self, collateral: &OutPoint) -> Option<&ManagedNode> {
        self.state
            .nodes
            .iter()
            .find(|node| node.collateral == *collateral)
    }

    pub(crate) fn node_mut(&mut self, collateral: &OutPoint) -> Option<&mut ManagedNode> {
        self.state
            .nodes
            .iter_mut()
            .find(|node| node.collateral == *collateral)
    }

    /// Coins the faucet and the accounts can spend.
    pub(crate) fn balance(&self, chain: &Chain, mempool: &Mempool) -> Sat {
        let accounts = self.accounts(chain, mempool).into_iter();
        Sat::new(accounts.map(|account| account.balance.get()).sum())
    }

    /// Where the faucet gets its coins back.
    pub(crate) fn faucet_address(&self) -> Address {
        self.keys.faucet().address()
    }
}
