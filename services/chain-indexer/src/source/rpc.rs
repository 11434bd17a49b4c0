//! A fluxd asked by JSON-RPC: batches, basic authentication, a deadline and a bound on every answer.

use std::{ops::RangeInclusive, time::Duration};

use fluxplane_flux_chain::{
    Hash256, OutPoint, PublicKey, block::MAX_BLOCK_SIZE, fluxnode::Collateral,
};
use fluxplane_platform::{config::Secret, http};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    ChainSource, Located, MempoolView, NodeLists, Position, SourceError,
    batch_size::BatchSize,
    body::{self, failed},
    wire::{self, Answer, Call, INVALID_ADDRESS_OR_KEY, INVALID_PARAMETER},
};
use crate::{
    domain::Tip,
    metrics::{ChainMetrics, RpcLabels},
};

/// Longest answer that is read. It bounds the memory of a request whatever the daemon sends, and always has room for one block.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;

const _: () = assert!(
    LONGEST_ANSWER > 2 * MAX_BLOCK_SIZE + 4_096,
    "one block in hex"
);

/// How to reach a daemon.
#[derive(Debug, Clone)]
pub struct RpcConfig {
    pub url: String,
    pub user: String,
    pub password: Secret,
    /// For one request, which may ask for many blocks.
    pub timeout: Duration,
}

/// A fluxd, or whatever speaks its language.
#[derive(Debug)]
pub struct FluxdRpc {
    http: reqwest::Client,
    config: RpcConfig,
    metrics: ChainMetrics,
    longest_answer: usize,
    batch_size: BatchSize,
}

impl FluxdRpc {
    pub fn new(config: RpcConfig, metrics: ChainMetrics) -> anyhow::Result<Self> {
        Ok(Self {
            http: http::client(config.timeout)?,
            config,
            metrics,
            longest_answer: LONGEST_ANSWER,
            batch_size: BatchSize::default(),
        })
    }

    /// Reads answers of at most `limit` bytes.
    #[must_use]
    pub fn with_longest_answer(mut self, limit: usize) -> Self {
        self.longest_answer = limit;
        self
    }

    /// Asks several things at once. The answers are in the order of the calls, which is not the order of their making.
    pub(super) async fn batch(&self, calls: &[Call]) -> Result<Vec<Answer>, SourceError> {
        let method = calls.first().map_or("batch", |call| call.method);
        let started = Instant::now();
        let result = self.exchange(calls).await;
        let outcome = match &result {
            Ok(answers) if answers.iter().any(refused) => "error",
            Ok(_) => "ok",
            Err(err) => err.outcome(),
        };
        let labels = RpcLabels { method, outcome };
        self.metrics
            .rpc_seconds
            .get_or_create(&labels)
            .observe(started.elapsed().as_secs_f64());
        result
    }

    async fn exchange(&self, calls: &[Call]) -> Result<Vec<Answer>, SourceError> {
        let request = self
            .http
            .post(&self.config.url)
            .basic_auth(&self.config.user, Some(self.config.password.expose()))
            .json(&wire::request(calls));
        let response = request.send().await.map_err(failed)?;
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(SourceError::Unauthorised);
            }
            // fluxd answers an error of a single call, and of a batch it cannot read, with status 500 and a body.
            status if status.is_success() || status == StatusCode::INTERNAL_SERVER_ERROR => {}
            status => return Err(SourceError::Status(status.as_u16())),
        }
        let body = body::read(response, self.longest_answer).await?;
        wire::answers(calls, &body)
    }

    /// One batch of blocks.
    async fn block_batch(&self, heights: RangeInclusive<u32>) -> Result<Vec<Vec<u8>>, SourceError> {
        const METHOD: &str = "getblock";
        // The daemon takes a number for a hash; only a text is a height.
        let calls: Vec<Call> = heights
            .map(|height| Call::new(METHOD, json!([height.to_string(), 0])))
            .collect();
        let answers = self.batch(&calls).await?;
        answers
            .into_iter()
            .map(|answer| wire::bytes(METHOD, &answer.map_err(|err| err.of(METHOD))?))
            .collect()
    }
}

impl ChainSource for FluxdRpc {
    async fn locate(&self, txid: Hash256) -> Result<Option<Located>, SourceError> {
        const METHOD: &str = "getrawtransaction";
        let answers = self.batch(&[Call::new(METHOD, json!([txid, 1]))]).await?;
        let answer = answers.into_iter().next().ok_or_else(|| missing(METHOD))?;
        let found = match answer {
            Ok(found) => found,
            Err(err) if err.code == INVALID_ADDRESS_OR_KEY => return Ok(None),
            Err(err) => return Err(err.of(METHOD)),
        };
        let block = &found["blockhash"];
        Ok(Some(Located {
            raw: wire::bytes(METHOD, &found["hex"])?,
            block: if block.is_null() {
                None
            } else {
                Some(wire::hash(METHOD, block)?)
            },
        }))
    }

    async fn genesis(&self) -> Result<Hash256, SourceError> {
        const METHOD: &str = "getblockhash";
        let answers = self.batch(&[Call::new(METHOD, json!([0]))]).await?;
        wire::hash(METHOD, &only(METHOD, answers)?)
    }

    async fn position(&self, height: Option<u32>) -> Result<Position, SourceError> {
        const METHOD: &str = "getblockchaininfo";
        let mut calls = vec![Call::new(METHOD, json!([]))];
        calls.extend(height.map(|height| Call::new("getblockhash", json!([height]))));
        let mut answers = self.batch(&calls).await?.into_iter();
        let info = answers
            .next()
            .ok_or_else(|| missing(METHOD))?
            .map_err(|err| err.of(METHOD))?;
        let tip = Tip {
            height: info["blocks"]
                .as_u64()
                .and_then(|height| u32::try_from(height).ok())
                .ok_or_else(|| SourceError::Malformed {
                    method: METHOD,
                    problem: "`blocks` is no height".to_owned(),
                })?,
            hash: wire::hash(METHOD, &info["bestblockhash"])?,
        };
        let at = match answers.next() {
            Some(answer) => hash_at(answer)?,
            None => None,
        };
        Ok(Position { tip, at })
    }

    async fn block_hashes(
        &self,
        heights: RangeInclusive<u32>,
    ) -> Result<Vec<Option<Hash256>>, SourceError> {
        let calls: Vec<Call> = heights
            .map(|height| Call::new("getblockhash", json!([height])))
            .collect();
        let answers = self.batch(&calls).await?;
        answers.into_iter().map(hash_at).collect()
    }

    async fn blocks(&self, heights: RangeInclusive<u32>) -> Result<Vec<Vec<u8>>, SourceError> {
        let mut blocks = Vec::new();
        let mut open = self.batch_size.cut(heights);
        while let Some(heights) = open.pop() {
            let asked = heights.end() - heights.start() + 1;
            match self.block_batch(heights.clone()).await {
                Ok(more) => {
                    self.batch_size.went_well(asked);
                    blocks.extend(more);
                }
                Err(err) if err.too_much() && asked > 1 => {
                    self.batch_size.too_much(asked);
                    open.extend(self.batch_size.cut(heights));
                }
                Err(err) => return Err(err),
            }
        }
        Ok(blocks)
    }

    async fn mempool(&self) -> Result<MempoolView, SourceError> {
        const METHOD: &str = "getrawmempool";
        const TIP: &str = "getbestblockhash";
        let calls = [
            Call::new(TIP, json!([])),
            Call::new(METHOD, json!([false])),
            Call::new(TIP, json!([])),
        ];
        let answers = self.batch(&calls).await?;
        let [before, listed, after] =
            <[Answer; 3]>::try_from(answers).map_err(|_| missing(METHOD))?;
        let Value::Array(txids) = listed.map_err(|err| err.of(METHOD))? else {
            return Err(SourceError::Malformed {
                method: METHOD,
                problem: "not a list of transaction ids".to_owned(),
            });
        };
        Ok(MempoolView {
            tip_before: wire::hash(TIP, &before.map_err(|err| err.of(TIP))?)?,
            txids: txids
                .iter()
                .map(|txid| wire::hash(METHOD, txid))
                .collect::<Result<_, _>>()?,
            tip_after: wire::hash(TIP, &after.map_err(|err| err.of(TIP))?)?,
        })
    }

    async fn transactions(&self, txids: &[Hash256]) -> Result<Vec<Option<Vec<u8>>>, SourceError> {
        const METHOD: &str = "getrawtransaction";
        /// Transactions per request: at most 100 kB each in hex, by the daemon's own policy.
        const BATCH: usize = 50;
        let mut found = Vec::with_capacity(txids.len());
        for part in txids.chunks(BATCH) {
            let calls: Vec<Call> = part
                .iter()
                .map(|txid| Call::new(METHOD, json!([txid, 0])))
                .collect();
            for answer in self.batch(&calls).await? {
                found.push(match answer {
                    Ok(hex) => Some(wire::bytes(METHOD, &hex)?),
                    Err(err) if err.code == INVALID_ADDRESS_OR_KEY => None,
                    Err(err) => return Err(err.of(METHOD)),
                });
            }
        }
        Ok(found)
    }

    async fn node_lists(&self) -> Result<NodeLists, SourceError> {
        self.ask_node_lists().await
    }

    async fn delegates(
        &self,
        collaterals: &[OutPoint],
    ) -> Result<Vec<Vec<PublicKey>>, SourceError> {
        self.ask_delegates(collaterals).await
    }

    async fn outputs(&self, names: &[OutPoint]) -> Result<Vec<Option<Collateral>>, SourceError> {
        self.ask_outputs(names).await
    }
}

/// Whether the daemon refused a call. That something does not exist is an answer.
fn refused(answer: &Answer) -> bool {
    let absent = [INVALID_ADDRESS_OR_KEY, INVALID_PARAMETER];
    answer
        .as_ref()
        .is_err_and(|err| !absent.contains(&err.code))
}

/// The block at a height, `None` above the end of the chain.
fn hash_at(answer: Answer) -> Result<Option<Hash256>, SourceError> {
    const METHOD: &str = "getblockhash";
    match answer {
        Ok(hash) => wire::hash(METHOD, &hash).map(Some),
        Err(err) if err.code == INVALID_PARAMETER => Ok(None),
        Err(err) => Err(err.of(METHOD)),
    }
}

fn only(method: &'static str, answers: Vec<Answer>) -> Result<Value, SourceError> {
    let answer = answers.into_iter().next().ok_or_else(|| missing(method))?;
    answer.map_err(|err| err.of(method))
}

fn missing(method: &'static str) -> SourceError {
    SourceError::Malformed {
        method,
        problem: "no answer".to_owned(),
    }
}
