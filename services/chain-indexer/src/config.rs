//! Configuration of the chain indexer. `chain-indexer check-config` prints what is in effect.

use std::{collections::BTreeSet, sync::Arc};

use fluxplane_flux_chain::{
    Address, ChainParams, Network, PublicKey,
    params::{Devnet, MAX_REORG_LENGTH},
};
use fluxplane_platform::{
    config::{Base, Db, Listen, Nats, Secret, Span, Tls},
    runner,
};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        IndexMode, Rules, Thresholds, Watch,
        watch::{self, WatchedAddress},
    },
    evm::{self, config::EvmToken},
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
    pub index: Index,
    pub foundation: Foundation,
    /// Tokens that are followed on Ethereum and chains like it; none unless configured.
    #[serde(default)]
    pub evm: Vec<EvmToken>,
}

impl runner::Config for Config {
    fn base(&self) -> &Base {
        &self.base
    }

    fn db(&self) -> Option<&Db> {
        Some(&self.db)
    }

    fn check(&self) -> anyhow::Result<()> {
        evm::config::tokens(&self.evm).map(drop)
    }
}

/// How much of the chain is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// `plane` for what the plane needs, `full` for every transaction, output and balance. Kept for the life of a database.
    pub mode: IndexMode,
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
    /// From the fluxnode lists as the daemon has them. Quick, but what was before is not known.
    Snapshot,
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

/// The daemon's JSON-RPC, and that of further daemons.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rpc {
    /// For people: in metrics, logs and `GetStatus`.
    pub name: String,
    pub url: String,
    pub user: String,
    pub password: Secret,
    /// For one request, which may ask for many blocks.
    pub timeout: Span,
    /// How long one of several daemons is waited for before another one is asked.
    pub patience: Span,
    /// So many daemons must have a block before it counts; 0 for more than half of them.
    pub quorum: usize,
    /// Further daemons.
    pub more: Vec<MoreRpc>,
}

/// A further daemon.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoreRpc {
    pub name: String,
    pub url: String,
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub password: Secret,
    /// Where it announces, `tcp://host:port`; empty for nowhere.
    #[serde(default)]
    pub zmq: String,
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

/// Who sets prices on the chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Foundation {
    /// Addresses whose spends to themselves carry price messages. Empty means the multisigs of the Flux foundation on mainnet, and
    /// nobody elsewhere.
    pub addresses: Vec<Address>,
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

/// Most daemons that are asked. Every one is asked at every look.
const MOST_SOURCES: usize = 16;

/// Longest name of a daemon.
const LONGEST_NAME: usize = 40;

impl Rpc {
    /// Names of all daemons, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let more = self.more.iter().map(|source| source.name.as_str());
        std::iter::once(self.name.as_str()).chain(more)
    }

    /// How many daemons must agree. Fails when names or numbers make no sense.
    pub fn needed(&self) -> anyhow::Result<usize> {
        let count = self.more.len() + 1;
        anyhow::ensure!(
            count <= MOST_SOURCES,
            "rpc.more makes {count} sources, at most {MOST_SOURCES} can be asked; remove some"
        );
        let mut seen = BTreeSet::new();
        for name in self.names() {
            anyhow::ensure!(
                (1..=LONGEST_NAME).contains(&name.len()),
                "source name `{name}` has {} bytes, it must have 1 to {LONGEST_NAME}; change rpc.name or rpc.more",
                name.len()
            );
            anyhow::ensure!(
                seen.insert(name),
                "source name `{name}` is given twice; names of rpc.name and rpc.more must differ"
            );
        }
        let majority = count / 2 + 1;
        anyhow::ensure!(
            self.quorum == 0 || (majority..=count).contains(&self.quorum),
            "rpc.quorum is {}, of {count} sources {majority} to {count} must agree: fewer than more than half would let two \
             chains pass for true; use 0 for {majority}, or add sources",
            self.quorum
        );
        Ok(if self.quorum == 0 {
            majority
        } else {
            self.quorum
        })
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
        anyhow::ensure!(
            self.index.mode == IndexMode::Plane || chain.start == StartMode::Genesis,
            "index.mode is `full` and chain.start is `snapshot`, but balances cannot be known without the blocks before; set \
             chain.start = \"genesis\" or index.mode = \"plane\""
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
        self.rpc.needed()?;
        anyhow::ensure!(
            chain.start == StartMode::Genesis || self.index.mode == IndexMode::Plane,
            "chain.start is `snapshot`, index.mode is `full`: balances need every block; use chain.start = \"genesis\" or \
             index.mode = \"plane\""
        );
        let foundation = match self.foundation.addresses.as_slice() {
            [] if main => watch::foundation(),
            addresses => addresses.to_vec(),
        };
        if let Some(foreign) = foundation.iter().find(|it| it.space != params.addresses) {
            anyhow::bail!(
                "foundation.addresses holds `{foreign}`, an address of {}; the network needs one of {}",
                foreign.space,
                params.addresses
            );
        }
        Ok(Rules {
            watch: Watch::new(addresses, first_height, params.addresses)?,
            params: Arc::new(params),
            thresholds: self.payments.thresholds.clone(),
            announce_from: chain.announce_from,
            mode: self.index.mode,
            foundation,
        })
    }
}
