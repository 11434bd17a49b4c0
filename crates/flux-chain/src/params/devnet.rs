//! Chains of ours: regtest's genesis, prefixes and ports with every upgrade from height 1, and the keys and intervals their owner
//! chooses. Such a chain has fluxnodes, which stock regtest has not.

use crate::{
    address::Address,
    key::PublicKey,
    params::{ChainParams, HeightTable, Network, NodeRules, TimedKey, key, regtest},
};

/// What the owner of a development chain may choose.
///
/// ```
/// use fluxplane_flux_chain::params::Devnet;
///
/// let params = Devnet { reduction_interval: 50, ..Devnet::default() }.params();
/// assert!(params.is_pon(1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devnet {
    /// Whose signature makes a benchmark.
    pub benchmark_key: PublicKey,
    /// Who gets what the nodes do not get; regtest's address when `None`.
    pub dev_fund: Option<Address>,
    /// Who gets the exchange fund at height 10; regtest's address when `None`.
    pub exchange_fund: Option<Address>,
    /// Heights between cuts of the subsidy, and how many there are.
    pub reduction_interval: u32,
    pub max_reductions: u32,
    /// Seconds between blocks.
    pub spacing_s: u32,
    /// First height whose coinbase must pay the nodes.
    pub payments_from: u32,
    /// Depth collateral needs before its node can start.
    pub collateral_depth: u32,
    /// Periods of the node list in blocks; the network's where `None`.
    pub start_expires_after: Option<u32>,
    pub dos_leaves_after: Option<u32>,
    pub confirm_expires_after: Option<u32>,
    pub update_distance: Option<u32>,
    /// Whether lots must win, as on the public networks.
    pub check_lots: bool,
}

impl Default for Devnet {
    fn default() -> Self {
        Self {
            benchmark_key: key(RECORDED_BENCHMARK_KEY),
            dev_fund: None,
            exchange_fund: None,
            reduction_interval: 1_000,
            max_reductions: 10,
            spacing_s: 30,
            payments_from: 100,
            collateral_depth: 100,
            start_expires_after: None,
            dos_leaves_after: None,
            confirm_expires_after: None,
            update_distance: None,
            check_lots: false,
        }
    }
}

impl Devnet {
    /// The parameters of the chain.
    pub fn params(&self) -> ChainParams {
        let mut params = ChainParams::regtest();
        params.network = Network::Devnet;
        params.upgrades = regtest::upgrades(Some(1));
        params.nodes = self.node_rules(regtest::node_rules(&params.upgrades));
        params.pon.activation = 1;
        params.pon.spacing_s = self.spacing_s.max(1);
        params.pon.reduction_interval = self.reduction_interval.max(1);
        params.pon.max_reductions = self.max_reductions;
        params.pon.check_lots = self.check_lots;
        if let Some(address) = self.dev_fund {
            params.funds.dev_fund = address;
        }
        if let Some(address) = self.exchange_fund {
            params.funds.exchange.address = address;
        }
        params
    }

    fn node_rules(&self, mut rules: NodeRules) -> NodeRules {
        rules.payments_from = self.payments_from;
        rules.collateral_depth = self.collateral_depth;
        rules.benchmark_keys = vec![TimedKey {
            key: self.benchmark_key,
            valid_from: 0,
        }];
        for (table, choice) in [
            (&mut rules.start_expires_after, self.start_expires_after),
            (&mut rules.dos_leaves_after, self.dos_leaves_after),
            (&mut rules.confirm_expires_after, self.confirm_expires_after),
            (&mut rules.update_distance, self.update_distance),
        ] {
            if let Some(blocks) = choice {
                *table = HeightTable::constant(blocks);
            }
        }
        rules
    }
}

impl ChainParams {
    /// The altered regtest on which a chain with fluxnodes was recorded: upgrades from height 1, a subsidy cut every 1,000 blocks,
    /// its own exchange fund address and its own benchmark key.
    pub fn regtest_nodes() -> Self {
        let exchange_fund = "tmAQzNvsWkqJmCxQg2ZeUH8epmtZG7KsSpH";
        let mut params = Devnet {
            exchange_fund: Some(super::address(exchange_fund)),
            ..Devnet::default()
        }
        .params();
        params.network = Network::Regtest;
        params
    }
}

const RECORDED_BENCHMARK_KEY: &str = "0435ce167d9d3673a7568e6769d14f46199202f88103ed773b69841ec24778e476be0ac501cb8e4fed51311afc12f2a6ef993c078364000dbc032c206b211fb39a";
