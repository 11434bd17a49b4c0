//! A fluxd-compatible node over JSON-RPC: the chain as somebody other than the plane sees it.
//!
//! Shapes and error codes are fluxd's. Money is never read from its decimal fields, only from the integer ones.

use std::{fmt, time::Duration};

use fluxplane_flux_chain::{Address, OutPoint, PublicKey, params::Devnet};
use fluxplane_platform::{http, tls};
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::exit::Exit;

/// Longest a node may take for an answer; `getaddressutxos` of a busy address is the slowest.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// fluxd's codes for a transaction or block it does not know (`RPC_INVALID_ADDRESS_OR_KEY`), a height above its tip
/// (`RPC_INVALID_PARAMETER`) and a method it does not have (`RPC_METHOD_NOT_FOUND`).
const UNKNOWN: i64 = -5;
const OUT_OF_RANGE: i64 = -8;
const NO_METHOD: i64 = -32_601;

/// Where a node is, and how it is asked.
#[derive(Clone)]
pub struct Access {
    pub url: Url,
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({} at {})", self.user, shown(&self.url))
    }
}

/// Why a node gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the chain node at {url} does not answer; does it run, and is its RPC port open to this machine?"
    )]
    Unreachable {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error(
        "the chain node at {0} does not take user and password; they are `rpcuser` and `rpcpassword` of its configuration"
    )]
    Refused(String),
    #[error("the chain node refused {method}: {message} (code {code})")]
    Rpc {
        method: &'static str,
        code: i64,
        message: String,
    },
    #[error("the chain node answered {method} with something else: {what}")]
    Answer { method: &'static str, what: String },
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
}

impl Error {
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } => Exit::Unavailable,
            Self::Rpc {
                code: UNKNOWN | OUT_OF_RANGE,
                ..
            } => Exit::NotFound,
            Self::Refused(_) | Self::Rpc { .. } | Self::Answer { .. } | Self::Setup(_) => {
                Exit::Failed
            }
        }
    }

    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "chain-node-unreachable",
            Self::Refused(_) => "chain-node-credentials",
            Self::Rpc { .. } => "chain-node-refused",
            Self::Answer { .. } | Self::Setup(_) => "chain-node-answer",
        }
    }

    /// Whether the node does not know the thing asked for.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Rpc { code: UNKNOWN, .. })
    }
}

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    http: reqwest::Client,
    access: Access,
}

/// `getblockchaininfo`, the parts that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChainInfo {
    /// `main`, `test` or `regtest`.
    pub chain: String,
    /// Height of the tip.
    pub blocks: u32,
    pub consensus: Consensus,
}

/// Branch ids, hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Consensus {
    /// What a transaction mined next must be signed for.
    pub nextblock: String,
}

/// An unspent output of an address, in a block.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AddressUtxo {
    pub txid: String,
    #[serde(rename = "outputIndex")]
    pub output_index: u32,
    /// Hexadecimal.
    pub script: String,
    pub satoshis: i64,
    pub height: u32,
}

/// A change to an address by a transaction that is in no block yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MempoolDelta {
    /// Negative when it spends.
    pub satoshis: i64,
    /// The spent output, when it spends.
    pub prevtxid: Option<String>,
    pub prevout: Option<u32>,
}

/// `getrawtransaction` with its place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PlacedTransaction {
    pub hex: String,
    pub txid: String,
    /// Absent while in the mempool.
    pub blockhash: Option<String>,
    #[serde(default)]
    pub confirmations: i64,
}

/// `getblockheader`, the parts that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HeaderInfo {
    pub height: u32,
    /// -1 when the block is not on the best chain.
    pub confirmations: i64,
    /// Unix seconds.
    pub time: Option<u32>,
    /// The target in compact form, hexadecimal.
    pub bits: Option<String>,
}

/// `viewdeterministicfluxnodelist`, the parts that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedNode {
    txhash: String,
    /// A number as text.
    outidx: String,
    pubkey: String,
    /// Height of the start.
    pub added_height: u32,
}

impl ListedNode {
    /// `None` when the node's answer is malformed.
    pub fn collateral(&self) -> Option<OutPoint> {
        let txid = self.txhash.parse().ok()?;
        Some(OutPoint::new(txid, self.outidx.parse().ok()?))
    }

    /// `None` when the node's answer is malformed.
    pub fn key(&self) -> Option<PublicKey> {
        self.pubkey.parse().ok()
    }
}

/// What a development chain says of its own rules, `devnet_params`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DevnetRules {
    benchmark_key: PublicKey,
    dev_fund: Address,
    exchange_fund: Address,
    reduction_interval: u32,
    max_reductions: u32,
    spacing_s: u32,
    payments_from: u32,
    collateral_depth: u32,
    start_expires_after: Option<u32>,
    dos_leaves_after: Option<u32>,
    confirm_expires_after: Option<u32>,
    update_distance: Option<u32>,
    check_lots: bool,
}

impl From<DevnetRules> for Devnet {
    fn from(rules: DevnetRules) -> Self {
        Self {
            benchmark_key: rules.benchmark_key,
            dev_fund: Some(rules.dev_fund),
            exchange_fund: Some(rules.exchange_fund),
            reduction_interval: rules.reduction_interval,
            max_reductions: rules.max_reductions,
            spacing_s: rules.spacing_s,
            payments_from: rules.payments_from,
            collateral_depth: rules.collateral_depth,
            start_expires_after: rules.start_expires_after,
            dos_leaves_after: rules.dos_leaves_after,
            confirm_expires_after: rules.confirm_expires_after,
            update_distance: rules.update_distance,
            check_lots: rules.check_lots,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: i64,
    message: String,
}

impl Node {
    pub fn new(access: Access) -> Result<Self, Error> {
        tls::install_crypto_provider();
        let http = http::client(ANSWER_TIMEOUT).map_err(|err| Error::Setup(format!("{err:#}")))?;
        Ok(Self { http, access })
    }

    /// Makes a call. The node answers errors with HTTP 500 and the same envelope.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, Error> {
        let body = json!({ "id": "fluxctl", "method": method, "params": params });
        let unreachable = |source| Error::Unreachable {
            url: shown(&self.access.url),
            source,
        };
        let response = self
            .http
            .post(self.access.url.clone())
            .basic_auth(&self.access.user, Some(&self.access.password))
            .json(&body)
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        if matches!(status.as_u16(), 401 | 403) {
            return Err(Error::Refused(shown(&self.access.url)));
        }
        let text = response.bytes().await.map_err(unreachable)?;
        let answer = |what: String| Error::Answer { method, what };
        let envelope: Answer = serde_json::from_slice(&text)
            .map_err(|err| answer(format!("HTTP {status} without a JSON-RPC envelope ({err})")))?;
        if let Some(Fault { code, message }) = envelope.error {
            return Err(Error::Rpc {
                method,
                code,
                message,
            });
        }
        serde_json::from_value(envelope.result).map_err(|err| answer(err.to_string()))
    }

    pub async fn chain_info(&self) -> Result<ChainInfo, Error> {
        self.call("getblockchaininfo", json!([])).await
    }

    pub async fn address_utxos(&self, address: &str) -> Result<Vec<AddressUtxo>, Error> {
        self.call("getaddressutxos", json!([{ "addresses": [address] }]))
            .await
    }

    pub async fn address_mempool(&self, address: &str) -> Result<Vec<MempoolDelta>, Error> {
        self.call("getaddressmempool", json!([{ "addresses": [address] }]))
            .await
    }

    /// Ids of all transactions that touched an address, oldest first.
    pub async fn address_txids(&self, address: &str) -> Result<Vec<String>, Error> {
        self.call("getaddresstxids", json!([{ "addresses": [address] }]))
            .await
    }

    pub async fn transaction(&self, txid: &str) -> Result<PlacedTransaction, Error> {
        self.call("getrawtransaction", json!([txid, 1])).await
    }

    pub async fn header(&self, block_hash: &str) -> Result<HeaderInfo, Error> {
        self.call("getblockheader", json!([block_hash, true])).await
    }

    /// A block as it is on the wire, hexadecimal, by height or hash.
    pub async fn raw_block(&self, key: &str) -> Result<String, Error> {
        self.call("getblock", json!([key, 0])).await
    }

    /// The confirmed nodes.
    pub async fn fluxnodes(&self) -> Result<Vec<ListedNode>, Error> {
        self.call("viewdeterministicfluxnodelist", json!([])).await
    }

    /// The rules of a development chain; `None` for every other.
    pub async fn devnet_rules(&self) -> Result<Option<DevnetRules>, Error> {
        match self.call("devnet_params", json!([])).await {
            Ok(rules) => Ok(Some(rules)),
            Err(Error::Rpc {
                code: NO_METHOD, ..
            }) => Ok(None),
            Err(err) => Err(err),
        }
    }

    pub async fn block_hash(&self, height: u32) -> Result<String, Error> {
        self.call("getblockhash", json!([height])).await
    }

    /// Hands a transaction to the network. Returns its id.
    pub async fn send(&self, hex: &str) -> Result<String, Error> {
        self.call("sendrawtransaction", json!([hex])).await
    }
}

/// An address without what it says of user and password.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for addresses that cannot have either.
    url.set_username("").ok();
    url.set_password(None).ok();
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_show() {
        let url: Url = "http://alice:secret@127.0.0.1:16124/".parse().unwrap();
        assert_eq!(shown(&url), "http://127.0.0.1:16124");
        let access = Access {
            url,
            user: "alice".to_owned(),
            password: "secret".to_owned(),
        };
        assert!(!format!("{access:?}").contains("secret"));
    }
}
