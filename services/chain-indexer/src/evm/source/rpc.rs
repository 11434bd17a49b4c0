//! A node asked by HTTP, one call at a time: not every node and provider takes batches. Every request has a deadline, every answer a
//! bound.

use std::{
    ops::RangeInclusive,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use alloy_primitives::Address;
use fluxplane_platform::{
    config::Secret,
    http::{self, BodyError},
};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{EvmSource, SourceError, wire};
use crate::evm::{
    domain::{Header, Log, transfer::TRANSFER_TOPIC},
    metrics::AssetMetrics,
};

/// Longest answer that is read: about 40,000 logs.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;

/// `decimals()`: the beginning of its keccak256 (ERC-20).
const DECIMALS: &str = "0x313ce567";

/// An Ethereum node, or whatever speaks its language.
#[derive(Debug)]
pub struct EthRpc {
    http: reqwest::Client,
    /// Providers put their keys into it.
    url: Secret,
    metrics: AssetMetrics,
    longest_answer: usize,
    calls: AtomicU64,
}

impl EthRpc {
    /// Asks the node at `url`; each request ends after `timeout`.
    pub fn new(url: Secret, timeout: Duration, metrics: AssetMetrics) -> anyhow::Result<Self> {
        Ok(Self {
            http: http::client(timeout)?,
            url,
            metrics,
            longest_answer: LONGEST_ANSWER,
            calls: AtomicU64::new(0),
        })
    }

    /// Reads answers of at most `limit` bytes.
    #[must_use]
    pub fn with_longest_answer(mut self, limit: usize) -> Self {
        self.longest_answer = limit;
        self
    }

    async fn call(&self, method: &'static str, params: Value) -> Result<Value, SourceError> {
        let started = Instant::now();
        let result = self.exchange(method, &params).await;
        let outcome = result.as_ref().map_or_else(SourceError::outcome, |_| "ok");
        let seconds = started.elapsed().as_secs_f64();
        self.metrics.asked(method, outcome, seconds);
        result
    }

    async fn exchange(&self, method: &'static str, params: &Value) -> Result<Value, SourceError> {
        let id = self.calls.fetch_add(1, Ordering::Relaxed);
        let request = self
            .http
            .post(self.url.expose())
            .json(&wire::request(id, method, params));
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        if matches!(status.as_u16(), 401 | 403) {
            return Err(SourceError::Unauthorised(status.as_u16()));
        }
        let body = read(response, self.longest_answer).await?;
        match wire::reply(id, method, &body) {
            // Some nodes answer errors with a status of 4xx or 5xx.
            Some(reply) if status.is_success() || reply.is_err() => reply,
            Some(_) | None if !status.is_success() => Err(SourceError::Status(status.as_u16())),
            Some(_) | None => Err(SourceError::Malformed {
                method,
                problem: "it is no JSON-RPC reply".to_owned(),
            }),
        }
    }
}

impl EvmSource for EthRpc {
    async fn chain_id(&self) -> Result<u64, SourceError> {
        const METHOD: &str = "eth_chainId";
        wire::whole_number(METHOD, &self.call(METHOD, json!([])).await?)
    }

    async fn head(&self) -> Result<u64, SourceError> {
        const METHOD: &str = "eth_blockNumber";
        let height = wire::whole_number(METHOD, &self.call(METHOD, json!([])).await?)?;
        // Columns hold heights with a sign; no chain gets there.
        if i64::try_from(height).is_err() {
            return Err(SourceError::Malformed {
                method: METHOD,
                problem: format!("{height} is no height"),
            });
        }
        Ok(height)
    }

    async fn header(&self, height: u64) -> Result<Option<Header>, SourceError> {
        const METHOD: &str = "eth_getBlockByNumber";
        let answer = self.call(METHOD, json!([hex(height), false])).await?;
        if answer.is_null() {
            return Ok(None);
        }
        let header = wire::header(METHOD, &answer)?;
        let found = header.block.height;
        if found != height {
            return Err(SourceError::Malformed {
                method: METHOD,
                problem: format!("it is about block {found}, asked was {height}"),
            });
        }
        Ok(Some(header))
    }

    async fn decimals(&self, contract: Address) -> Result<Option<u8>, SourceError> {
        const METHOD: &str = "eth_call";
        let call = json!({ "to": contract.to_string(), "data": DECIMALS });
        let answer = self.call(METHOD, json!([call, "latest"])).await?;
        let word = wire::whole_bytes(METHOD, &answer)?;
        match word.as_slice() {
            [] => Ok(None),
            [zeros @ .., decimals] if word.len() == 32 && zeros.iter().all(|byte| *byte == 0) => {
                Ok(Some(*decimals))
            }
            _ => Err(SourceError::Malformed {
                method: METHOD,
                problem: "the contract's `decimals()` is no number below 256".to_owned(),
            }),
        }
    }

    async fn transfers(
        &self,
        contract: Address,
        heights: RangeInclusive<u64>,
    ) -> Result<Vec<Log>, SourceError> {
        const METHOD: &str = "eth_getLogs";
        let filter = json!({
            "fromBlock": hex(*heights.start()),
            "toBlock": hex(*heights.end()),
            "address": contract.to_string(),
            "topics": [TRANSFER_TOPIC.to_string()],
        });
        wire::logs(METHOD, &self.call(METHOD, json!([filter])).await?)
    }
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}

/// Reads a body of at most `limit` bytes.
async fn read(response: Response, limit: usize) -> Result<Vec<u8>, SourceError> {
    http::body(response, limit).await.map_err(|err| match err {
        BodyError::TooLong { limit } => SourceError::TooLong { limit },
        BodyError::Broken(err) => failed(err),
    })
}

/// A request or an answer that broke off.
fn failed(err: reqwest::Error) -> SourceError {
    let err = err.without_url();
    if err.is_timeout() {
        SourceError::Timeout(err)
    } else {
        SourceError::Unreachable(err)
    }
}
