//! The chain's daemon (fluxd, or whatever speaks its JSON-RPC).

use std::{sync::Arc, time::Duration};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{OutPoint, ScriptBuf, build::Utxo};
use fluxplane_platform::{
    config::Secret,
    http::{self, BodyError},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::domain::anchor::Found;

/// Longest answer that is read; an address with thousands of coins stays below.
const ANSWER_LIMIT: usize = 16 << 20;

/// fluxd `src/rpc/protocol.h`.
const INVALID_ADDRESS_OR_KEY: i64 = -5;
const VERIFY_ERROR: i64 = -25;
const VERIFY_REJECTED: i64 = -26;
const VERIFY_ALREADY_IN_CHAIN: i64 = -27;

/// Where the daemon is and how to be let in.
#[derive(Debug, Clone)]
pub struct Daemon(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    url: String,
    user: String,
    password: Secret,
}

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    #[error("the daemon does not answer")]
    Unreachable(#[source] reqwest::Error),
    #[error("the daemon answered {method} with HTTP status {status}")]
    Status { method: &'static str, status: u16 },
    #[error("the daemon's answer to {method} has more than {ANSWER_LIMIT} bytes")]
    TooLong { method: &'static str },
    #[error("the daemon's answer to {method} is not what fluxd answers")]
    Malformed {
        method: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("the daemon refused {method}: {message} (code {code})")]
    Refused {
        method: &'static str,
        code: i64,
        message: String,
    },
}

/// What became of a transaction that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It is in the mempool, or in a block already.
    Taken,
    /// A coin it spends is not there (any more).
    InputsMissing(String),
    /// Too late to be mined.
    Expired(String),
    /// Refused for another reason.
    Refused(String),
}

/// The chain as the daemon sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChainInfo {
    /// `main`, `test` or `regtest`.
    pub chain: String,
    pub blocks: u32,
}

#[derive(Deserialize)]
struct Answer {
    result: Option<Value>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    code: i64,
    message: String,
}

#[derive(Deserialize)]
struct AddressUtxo {
    txid: String,
    #[serde(rename = "outputIndex")]
    output_index: u32,
    script: String,
    satoshis: i64,
}

#[derive(Deserialize)]
struct RawTransaction {
    #[serde(default)]
    confirmations: i64,
    #[serde(default)]
    height: Option<i64>,
    #[serde(default)]
    blockhash: Option<String>,
}

/// A coin that is spendable as far as the daemon knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct TxOut {
    pub confirmations: i64,
    pub coinbase: bool,
}

impl Daemon {
    pub fn new(
        url: String,
        user: String,
        password: Secret,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Inner {
            http: http::client(timeout)?,
            url,
            user,
            password,
        })))
    }

    /// Which chain it follows, and how far it is.
    pub async fn chain_info(&self) -> Result<ChainInfo, RpcError> {
        self.call("getblockchaininfo", json!([])).await
    }

    /// Coins of an address in blocks of the best chain. Outputs of other shapes are left out.
    pub async fn coins(&self, address: &str) -> Result<Vec<Utxo>, RpcError> {
        let params = json!([{ "addresses": [address] }]);
        let utxos: Vec<AddressUtxo> = self.call("getaddressutxos", params).await?;
        let read = |utxo: AddressUtxo| {
            Some(Utxo {
                outpoint: OutPoint::new(utxo.txid.parse().ok()?, utxo.output_index),
                value: Sat::new(utxo.satoshis),
                script: ScriptBuf::new(hex::decode(utxo.script).ok()?),
            })
        };
        Ok(utxos.into_iter().filter_map(read).collect())
    }

    /// An output that nobody spent, the mempool included; `None` when it is spent or unknown.
    pub async fn unspent(&self, outpoint: &OutPoint) -> Result<Option<TxOut>, RpcError> {
        let params = json!([outpoint.txid.to_string(), outpoint.n, true]);
        self.call("gettxout", params).await
    }

    /// Hands in a transaction. The same bytes again do no harm.
    pub async fn send(&self, raw: &[u8]) -> Result<Sent, RpcError> {
        let sent: Result<Value, RpcError> = self
            .call("sendrawtransaction", json!([hex::encode(raw)]))
            .await;
        match sent {
            Ok(_) => Ok(Sent::Taken),
            Err(RpcError::Refused { code, message, .. }) => Ok(judge_refusal(code, message)),
            Err(err) => Err(err),
        }
    }

    /// Where a transaction is.
    pub async fn find(&self, txid: &str) -> Result<Found, RpcError> {
        let found: Result<RawTransaction, RpcError> =
            self.call("getrawtransaction", json!([txid, 1])).await;
        let found = match found {
            Ok(found) => found,
            Err(RpcError::Refused {
                code: INVALID_ADDRESS_OR_KEY,
                ..
            }) => return Ok(Found::Nowhere),
            Err(err) => return Err(err),
        };
        let height = found.height.and_then(|height| u64::try_from(height).ok());
        let confirmations = u64::try_from(found.confirmations).unwrap_or(0);
        Ok(match (height, found.blockhash) {
            (Some(height), Some(block_hash)) if confirmations > 0 => Found::InBlock {
                height,
                block_hash,
                confirmations,
            },
            _ => Found::InMempool,
        })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let inner = &self.0;
        let body =
            json!({ "jsonrpc": "1.0", "id": "validator", "method": method, "params": params });
        let response = inner
            .http
            .post(&inner.url)
            .basic_auth(&inner.user, Some(inner.password.expose()))
            .json(&body)
            .send()
            .await
            .map_err(RpcError::Unreachable)?;
        let status = response.status();
        let body = bounded(response, method).await?;
        let malformed = |source| RpcError::Malformed { method, source };
        // fluxd answers errors with status 404 or 500 and a body; a proxy or a wrong password gives no such body.
        let answer: Answer = match serde_json::from_slice(&body) {
            Ok(answer) => answer,
            Err(_) if !status.is_success() => {
                let status = status.as_u16();
                return Err(RpcError::Status { method, status });
            }
            Err(source) => return Err(malformed(source)),
        };
        if let Some(Failure { code, message }) = answer.error {
            return Err(RpcError::Refused {
                method,
                code,
                message,
            });
        }
        serde_json::from_value(answer.result.unwrap_or(Value::Null)).map_err(malformed)
    }
}

/// What a refusal of `sendrawtransaction` means (fluxd `src/rpc/rawtransaction.cpp`, `src/main.cpp`).
fn judge_refusal(code: i64, message: String) -> Sent {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match code {
        VERIFY_ALREADY_IN_CHAIN => Sent::Taken,
        _ if says(&[
            "already in mempool",
            "txn-already-in-mempool",
            "txn-already-known",
        ]) =>
        {
            Sent::Taken
        }
        VERIFY_ERROR => Sent::InputsMissing(message),
        VERIFY_REJECTED if says(&["inputs-spent", "missing", "mempool-conflict"]) => {
            Sent::InputsMissing(message)
        }
        VERIFY_REJECTED if says(&["expir"]) => Sent::Expired(message),
        _ => Sent::Refused(format!("{message} (code {code})")),
    }
}

async fn bounded(response: reqwest::Response, method: &'static str) -> Result<Vec<u8>, RpcError> {
    let body = http::body(response, ANSWER_LIMIT).await;
    body.map_err(|err| match err {
        BodyError::TooLong { .. } => RpcError::TooLong { method },
        BodyError::Broken(err) => RpcError::Unreachable(err),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_the_chain_has_is_as_good_as_sent() {
        assert_eq!(
            judge_refusal(-27, "transaction already in block chain".to_owned()),
            Sent::Taken
        );
        assert!(matches!(
            judge_refusal(-25, String::new()),
            Sent::InputsMissing(_)
        ));
        assert!(matches!(
            judge_refusal(-26, "18: bad-txns-inputs-spent".to_owned()),
            Sent::InputsMissing(_)
        ));
        assert!(matches!(
            judge_refusal(-26, "tx-expiring-soon: expiryheight is 5".to_owned()),
            Sent::Expired(_)
        ));
        assert!(matches!(
            judge_refusal(-26, "66: insufficient priority".to_owned()),
            Sent::Refused(_)
        ));
    }
}
