//! A scripted Ethereum node: a chain in memory, or another node behind it, with faults on demand.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use alloy_primitives::{Address, B256, U256, keccak256};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use fluxplane_chain_indexer::evm::domain::transfer::TRANSFER_TOPIC;
use serde_json::{Value, json};
use tokio::task::JoinSet;

pub(crate) const CHAIN_ID: u64 = 1_234;
pub(crate) const CONTRACT: Address = Address::repeat_byte(0xc0);

/// A change of an answer on its way out.
pub(crate) type Tamper = Arc<dyn Fn(&str, &mut Value) + Send + Sync>;

/// A transfer of the token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) amount: U256,
}

#[derive(Debug, Clone)]
pub(crate) struct Block {
    hash: B256,
    parent: B256,
    transfers: Vec<Moved>,
}

/// A node behind this one.
#[derive(Clone)]
struct Upstream {
    url: String,
    http: reqwest::Client,
}

/// What the node has and how it behaves.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) chain: Vec<Block>,
    pub(crate) chain_id: u64,
    /// `None`: there is no contract.
    pub(crate) decimals: Option<u8>,
    /// Another node that answers.
    upstream: Option<Upstream>,
    /// Logs of more blocks are refused.
    pub(crate) most_blocks: Option<u64>,
    /// With these words.
    pub(crate) refusal: (i64, String),
    /// Requests for logs of more blocks are never answered.
    pub(crate) stalls_above: Option<u64>,
    /// The node knows no higher block.
    pub(crate) head: Option<u64>,
    pub(crate) tamper: Option<Tamper>,
    /// Every answer.
    pub(crate) answer: Option<(u16, String)>,
    pub(crate) delay: Duration,
    /// Ranges of logs that were asked for, and whether they were given.
    pub(crate) ranges: Vec<(u64, u64, bool)>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

/// A running node, stopped on drop.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    world: Arc<Mutex<World>>,
    address: SocketAddr,
    _server: Arc<JoinSet<()>>,
}

impl Node {
    /// A node with a first block and nothing in it.
    pub(crate) async fn start() -> Self {
        let node = Self::serve(World {
            chain_id: CHAIN_ID,
            decimals: Some(8),
            refusal: (-32_005, "query returned more than 10000 results".to_owned()),
            ..World::default()
        })
        .await;
        node.world().extend(0, Vec::new());
        node
    }

    /// A node that has `url` answer.
    pub(crate) async fn before(url: &str) -> Self {
        Self::serve(World {
            upstream: Some(Upstream {
                url: url.to_owned(),
                http: fluxplane_platform::http::client(Duration::from_secs(10)).unwrap(),
            }),
            refusal: (-32_602, "block range is too large".to_owned()),
            ..World::default()
        })
        .await
    }

    async fn serve(world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", post(answer))
            .with_state(Arc::clone(&world));
        let mut server = JoinSet::new();
        server.spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self {
            world,
            address,
            _server: Arc::new(server),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl World {
    /// Adds a block. Blocks of another `branch` have other hashes.
    pub(crate) fn extend(&mut self, branch: u64, transfers: Vec<Moved>) {
        let parent = self.chain.last().map_or(B256::ZERO, |block| block.hash);
        let mut seed = parent.to_vec();
        seed.extend(branch.to_be_bytes());
        self.chain.push(Block {
            hash: keccak256(seed),
            parent,
            transfers,
        });
    }

    /// Drops the last blocks.
    pub(crate) fn drop_last(&mut self, blocks: usize) {
        let left = self.chain.len() - blocks;
        self.chain.truncate(left);
    }

    fn head(&self) -> u64 {
        let head = u64::try_from(self.chain.len()).unwrap() - 1;
        self.head.map_or(head, |most| most.min(head))
    }

    fn block(&self, height: u64) -> Option<&Block> {
        let index = usize::try_from(height).unwrap();
        self.chain.get(index).filter(|_| height <= self.head())
    }

    fn result(&self, method: &str, params: &Value) -> Value {
        match method {
            "eth_chainId" => hex(self.chain_id),
            "eth_blockNumber" => hex(self.head()),
            "eth_getBlockByNumber" => {
                assert_eq!(params[1], false, "transactions are not needed");
                let height = number(&params[0]);
                self.block(height).map_or(Value::Null, |block| {
                    json!({
                        "number": hex(height), "hash": block.hash.to_string(), "parentHash": block.parent.to_string(),
                        "timestamp": hex(1_700_000_000 + 12 * height),
                    })
                })
            }
            "eth_call" => self.decimals.map_or(json!("0x"), |decimals| {
                json!(format!(
                    "0x{}",
                    hex::encode(U256::from(decimals).to_be_bytes::<32>())
                ))
            }),
            "eth_getLogs" => {
                let filter = &params[0];
                assert_eq!(filter["address"], CONTRACT.to_string());
                assert_eq!(filter["topics"], json!([TRANSFER_TOPIC.to_string()]));
                let (first, last) = (number(&filter["fromBlock"]), number(&filter["toBlock"]));
                let logs = (first..=last.min(self.head())).flat_map(|height| self.logs(height));
                Value::Array(logs.collect())
            }
            other => panic!("{other} is not asked"),
        }
    }

    fn logs(&self, height: u64) -> Vec<Value> {
        let Some(block) = self.block(height) else {
            return Vec::new();
        };
        let logs = block.transfers.iter().zip(0_u64..);
        logs.map(|(moved, index)| {
            let topics = [TRANSFER_TOPIC, moved.from.into_word(), moved.to.into_word()];
            json!({
                "address": CONTRACT.to_string(),
                "topics": topics.map(|topic| topic.to_string()),
                "data": format!("0x{}", hex::encode(moved.amount.to_be_bytes::<32>())),
                "blockNumber": hex(height),
                "blockHash": block.hash.to_string(),
                "transactionHash": keccak256([block.hash.as_slice(), &index.to_be_bytes()].concat()).to_string(),
                "transactionIndex": "0x0",
                "logIndex": hex(index),
                "removed": false,
            })
        })
        .collect()
    }
}

fn hex(number: u64) -> Value {
    json!(format!("{number:#x}"))
}

fn number(value: &Value) -> u64 {
    let digits = value.as_str().unwrap().strip_prefix("0x").unwrap();
    u64::from_str_radix(digits, 16).unwrap()
}

/// What one request meets.
struct Fate {
    stalls: bool,
    delay: Duration,
    answer: Option<(u16, String)>,
    refused: bool,
    upstream: Option<Upstream>,
    tamper: Option<Tamper>,
}

fn fate(world: &mut World, method: &str, params: &Value) -> Fate {
    let blocks = (method == "eth_getLogs").then(|| {
        let filter = &params[0];
        (number(&filter["fromBlock"]), number(&filter["toBlock"]))
    });
    let above = |limit: Option<u64>| {
        blocks.is_some_and(|(first, last)| limit.is_some_and(|most| last - first + 1 > most))
    };
    let (stalls, refused) = (above(world.stalls_above), above(world.most_blocks));
    if let Some((first, last)) = blocks {
        world.ranges.push((first, last, !stalls && !refused));
    }
    Fate {
        stalls,
        delay: world.delay,
        answer: world.answer.clone(),
        refused,
        upstream: world.upstream.clone(),
        tamper: world.tamper.clone(),
    }
}

async fn answer(State(world): State<Arc<Mutex<World>>>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let (method, params) = (request["method"].as_str().unwrap(), &request["params"]);
    let fate = fate(&mut world.lock().unwrap(), method, params);
    if fate.stalls {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(fate.delay).await;
    if let Some((status, text)) = fate.answer {
        return (StatusCode::from_u16(status).unwrap(), text).into_response();
    }
    let id = &request["id"];
    if fate.refused {
        let (code, message) = world.lock().unwrap().refusal.clone();
        let error = json!({ "code": code, "message": message });
        return json!({ "jsonrpc": "2.0", "id": id, "error": error })
            .to_string()
            .into_response();
    }
    let mut result = match fate.upstream {
        Some(upstream) => upstream.forward(&body).await,
        None => world.lock().unwrap().result(method, params),
    };
    if let Some(tamper) = fate.tamper {
        tamper(method, &mut result);
    }
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
        .to_string()
        .into_response()
}

impl Upstream {
    async fn forward(&self, body: &Bytes) -> Value {
        let request = self.http.post(&self.url);
        let request = request
            .header("content-type", "application/json")
            .body(body.clone());
        let mut reply: Value = request.send().await.unwrap().json().await.unwrap();
        reply["result"].take()
    }
}
