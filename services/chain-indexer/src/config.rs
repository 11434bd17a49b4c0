//! Configuration of the chain indexer. `chain-indexer check-config` prints what is in effect.

use std::sync::Arc;

use fluxplane_flux_chain::{
    Address, ChainParams, Network, PublicKey,
    params::{Devnet, MAX_REORG_LENGTH},
};
use fluxplane_platform::{
    config::{Base, Db, Listen, Nats, Secret, Span, Tls},
    runner,
};
use serde::{Deserialize, Serialize};

use crate::domain::{
    Rules, Thresholds, Watch,
    watch::{self, WatchedAddress},
};

pub const DEFAULTS: &str = include_str!("defaults.toml");

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub base: Base,
    pub db: Db,
    pub nats: Nats,
    pub tls: Tls,
    /// For other services.
    pub grpc: Listen,
    pub chain: Chain,
    pub rpc: Rpc,
    pub zmq: Zmq,
    pub follow: Follow,
    pub payments: Payments,
}

impl runner::Config for Config {
    fn base(&self) -> &Base {
        &self.base
    }

    fn db(&self) -> Option<&Db> {
        Some(&self.db)
    }
}

/// Which chain is followed, and from where.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    pub network: NetworkName,
    /// How an empty database begins.
    pub start: StartMode,
    /// First block that is announced; those before it are indexed in silence. Set it to about the present height when a plane
    /// begins on a long chain.
    pub announce_from: u32,
    /// What the owner of a development chain chose. Only for the network `devnet`.
    pub devnet: DevnetRules,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkName {
    Main,
    Test,
    Regtest,
    Devnet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartMode {
    /// From the first block.
    Genesis,
}

/// Rules of a development chain; what is left out is as on regtest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DevnetRules {
    pub benchmark_key: Option<PublicKey>,
    pub dev_fund: Option<Address>,
    pub exchange_fund: Option<Address>,
    pub reduction_interval: Option<u32>,
    pub max_reductions: Option<u32>,
    pub spacing_s: Option<u32>,
    pub payments_from: Option<u32>,
    pub collateral_depth: Option<u32>,
    pub start_expires_after: Option<u32>,
    pub dos_leaves_after: Option<u32>,
    pub confirm_expires_after: Option<u32>,
    pub update_distance: Option<u32>,
    pub check_lots: Option<bool>,
}

/// The daemon's JSON-RPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rpc {
    pub url: String,
    pub user: String,
    pub password: Secret,
    /// For one request, which may ask for many blocks.
    pub timeout: Span,
}

/// The daemon's announcements.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zmq {
    /// `tcp://host:port`; empty for none. Polling finds everything too, only later.
    pub endpoint: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// How often the daemon is asked when nothing is announced.
    pub poll_interval: Span,
    /// Blocks per request.
    pub fetch_batch: u32,
    /// Requests at a time.
    pub fetch_parallel: usize,
    /// Blocks per transaction as long as they cannot be reorganised any more.
    pub blocks_per_transaction: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    /// Confirmations that are announced, ascending; the last means final.
    pub thresholds: Thresholds,
    /// Who receives payments for applications. Empty means the addresses of FluxOS on mainnet, and nobody elsewhere.
    pub addresses: Vec<WatchedAddress>,
    /// How long a payment may be in neither a block nor the mempool before it counts as dropped.
    pub drop_after: Span,
}

impl DevnetRules {
    /// The parameters of the chain.
    pub fn params(&self) -> ChainParams {
        let usual = Devnet::default();
        Devnet {
            benchmark_key: self.benchmark_key.unwrap_or(usual.benchmark_key),
            dev_fund: self.dev_fund,
            exchange_fund: self.exchange_fund,
            reduction_interval: self.reduction_interval.unwrap_or(usual.reduction_interval),
            max_reductions: self.max_reductions.unwrap_or(usual.max_reductions),
            spacing_s: self.spacing_s.unwrap_or(usual.spacing_s),
            payments_from: self.payments_from.unwrap_or(usual.payments_from),
            collateral_depth: self.collateral_depth.unwrap_or(usual.collateral_depth),
            start_expires_after: self.start_expires_after,
            dos_leaves_after: self.dos_leaves_after,
            confirm_expires_after: self.confirm_expires_after,
            update_distance: self.update_distance,
            check_lots: self.check_lots.unwrap_or(usual.check_lots),
        }
        .params()
    }
}

impl Config {
    /// What the chain is judged by. Fails when keys contradict each other.
    pub fn rules(&self) -> anyhow::Result<Rules> {
        let chain = &self.chain;
        let params = match chain.network {
            NetworkName::Main => ChainParams::of(Network::Main),
            NetworkName::Test => ChainParams::of(Network::Test),
            NetworkName::Regtest => ChainParams::of(Network::Regtest),
            NetworkName::Devnet => chain.devnet.params(),
        };
        anyhow::ensure!(
            chain.network == NetworkName::Devnet || chain.devnet == DevnetRules::default(),
            "chain.devnet has keys, but chain.network is `{}`; only a devnet has rules of its own",
            params.network
        );
        let public = matches!(chain.network, NetworkName::Main | NetworkName::Test);
        let last = self.payments.thresholds.last();
        anyhow::ensure!(
            !public || last >= MAX_REORG_LENGTH,
            "payments.thresholds ends at {last}, but blocks of a public network are final at {MAX_REORG_LENGTH} \
             confirmations; end with that or more"
        );
        let main = chain.network == NetworkName::Main;
        let (addresses, first_height) = match self.payments.addresses.as_slice() {
            [] if main => (watch::flux_apps(), watch::FLUX_APPS_EPOCH),
            addresses => (addresses.to_vec(), 0),
        };
        anyhow::ensure!(
            self.follow.fetch_batch > 0
                && self.follow.fetch_parallel > 0
                && self.follow.blocks_per_transaction > 0,
            "follow.fetch_batch, follow.fetch_parallel and follow.blocks_per_transaction must be 1 or more"
        );
        Ok(Rules {
            watch: Watch::new(addresses, first_height, params.addresses)?,
            params: Arc::new(params),
            thresholds: self.payments.thresholds.clone(),
            announce_from: chain.announce_from,
        })
    }
}
