//! What the owner of a development chain may choose.

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use fluxplane_core::{Clock, SystemClock};
use fluxplane_flux_chain::{ChainParams, params::Devnet as DevnetParams};
use serde::{Deserialize, Serialize};

use crate::wallet::Keyring;

/// Where the server listens when it is run from the command line: regtest's RPC port, and a ZMQ port that does not clash with a
/// daemon of the main network.
pub const DEFAULT_RPC_PORT: u16 = 26_124;
pub const DEFAULT_ZMQ_PORT: u16 = 26_123;

/// Name and password of a development chain that was not given others.
pub const DEFAULT_USER: &str = "devnet";
pub const DEFAULT_PASSWORD: &str = "devnet";

/// Seed of the developer's keys.
pub const DEFAULT_SEED: &str = "fluxplane";

/// Blocks made before the chain is served: enough for the first coins to be mature and the first collaterals deep enough.
pub const PREMINED_BLOCKS: u32 = 110;

/// How to start a development chain.
#[derive(Debug, Clone)]
pub struct Options {
    pub rules: ChainRules,
    /// Folder of the chain; in memory when `None`.
    pub data: Option<PathBuf>,
    /// Port 0 takes a free one.
    pub rpc: SocketAddr,
    /// `None`: nothing is published.
    pub zmq: Option<SocketAddr>,
    pub credentials: Credentials,
    /// Time between blocks; zero makes blocks on demand only.
    pub block_interval: Duration,
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    /// In memory, on free ports of the loopback interface, blocks on demand: what tests want.
    fn default() -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            rules: ChainRules::default(),
            data: None,
            rpc: loopback,
            zmq: Some(loopback),
            credentials: Credentials::default(),
            block_interval: Duration::ZERO,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Name and password of the JSON-RPC server. A development chain has no secrets, so both may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            user: DEFAULT_USER.to_owned(),
            password: DEFAULT_PASSWORD.to_owned(),
        }
    }
}

/// What a chain is begun with and keeps for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainRules {
    /// The developer's keys are derived from it.
    pub seed: String,
    /// Blocks between cuts of the subsidy by a tenth, and how many cuts there are.
    pub reduction_interval: u32,
    pub max_reductions: u32,
    /// Seconds between blocks the difficulty aims at.
    pub spacing_s: u32,
    /// First height whose coinbase must pay the nodes.
    pub payments_from: u32,
    /// Depth collateral needs before its node can start.
    pub collateral_depth: u32,
    /// Periods of the node lists in blocks; those of the network where `None`.
    pub start_expires_after: Option<u32>,
    pub dos_leaves_after: Option<u32>,
    pub confirm_expires_after: Option<u32>,
    pub update_distance: Option<u32>,
}

impl Default for ChainRules {
    fn default() -> Self {
        let params = DevnetParams::default();
        Self {
            seed: DEFAULT_SEED.to_owned(),
            reduction_interval: params.reduction_interval,
            max_reductions: params.max_reductions,
            spacing_s: params.spacing_s,
            payments_from: params.payments_from,
            collateral_depth: params.collateral_depth,
            start_expires_after: None,
            dos_leaves_after: None,
            confirm_expires_after: None,
            update_distance: None,
        }
    }
}

impl ChainRules {
    /// What a follower of the chain must configure: the keys of the seed and the intervals.
    pub fn devnet(&self) -> DevnetParams {
        let keys = Keyring::new(&self.seed);
        DevnetParams {
            benchmark_key: keys.benchmark().key.public_key(),
            dev_fund: Some(keys.dev_fund().address()),
            exchange_fund: Some(keys.exchange_fund().address()),
            reduction_interval: self.reduction_interval,
            max_reductions: self.max_reductions,
            spacing_s: self.spacing_s,
            payments_from: self.payments_from,
            collateral_depth: self.collateral_depth,
            start_expires_after: self.start_expires_after,
            dos_leaves_after: self.dos_leaves_after,
            confirm_expires_after: self.confirm_expires_after,
            update_distance: self.update_distance,
            check_lots: false,
        }
    }

    /// The parameters of the chain.
    pub fn params(&self) -> ChainParams {
        self.devnet().params()
    }
}

impl fmt::Display for ChainRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}
