//! A daemon with fluxd's JSON-RPC over a scripted chain: shapes and error codes as fluxd has them, faults on demand.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use fluxplane_flux_chain::{Block, Hash256};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::chain::{hash_of, txid};

pub(crate) const USER: &str = "indexer";
pub(crate) const PASSWORD: &str = "the daemon's password";

/// `indexer:the daemon's password`.
const BASIC: &str = "Basic aW5kZXhlcjp0aGUgZGFlbW9uJ3MgcGFzc3dvcmQ=";

/// What the daemon has and how it behaves.
#[derive(Debug, Default)]
pub(crate) struct World {
    chain: Vec<(Hash256, String)>,
    mempool: BTreeMap<Hash256, String>,
    /// Pause before every answer.
    pub(crate) delay: Duration,
    /// Answers to batches of more calls than this never come.
    pub(crate) most_calls: Option<usize>,
    /// HTTP status of every answer.
    pub(crate) status: Option<u16>,
    /// Blocks that are served with another block's bytes.
    pub(crate) garbled: Option<u32>,
    /// Blocks that are served instead of those of the chain, whatever the hashes say.
    pub(crate) forged: BTreeMap<u32, Vec<u8>>,
    /// Whether `getblockchaininfo` repeats its keys.
    pub(crate) repeats: bool,
    /// Requests for blocks so far.
    pub(crate) block_requests: usize,
    /// Whether it is still starting.
    pub(crate) loading: bool,
    /// Requests so far.
    pub(crate) requests: usize,
    /// Calls of the largest batch that was answered.
    pub(crate) largest_batch: usize,
}

/// A running daemon, stopped on drop.
#[derive(Debug, Clone)]
pub(crate) struct Daemon {
    world: Arc<Mutex<World>>,
    pub(crate) address: SocketAddr,
    _server: Arc<JoinSet<()>>,
}

impl Daemon {
    /// Serves the given blocks.
    pub(crate) async fn start(blocks: &[Vec<u8>]) -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", post(answer))
            .with_state(Arc::clone(&world));
        let mut server = JoinSet::new();
        server.spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        let daemon = Self {
            world,
            address,
            _server: Arc::new(server),
        };
        daemon.set_chain(blocks);
        daemon
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Replaces the best chain. Blocks that are known keep their hex.
    pub(crate) fn set_chain(&self, blocks: &[Vec<u8>]) {
        let mut world = self.world();
        let same = world
            .chain
            .iter()
            .zip(blocks)
            .take_while(|((hash, _), raw)| *hash == hash_of(raw))
            .count();
        world.chain.truncate(same);
        let new = blocks[same..].iter();
        world
            .chain
            .extend(new.map(|raw| (hash_of(raw), hex::encode(raw))));
    }

    pub(crate) fn set_mempool(&self, transactions: &[Vec<u8>]) {
        self.world().mempool = transactions
            .iter()
            .map(|raw| (txid(raw), hex::encode(raw)))
            .collect();
    }

    /// Puts bytes into the mempool under an id that is not theirs.
    pub(crate) fn garble_mempool(&self, id: Hash256, bytes: &[u8]) {
        self.world().mempool.insert(id, hex::encode(bytes));
    }
}

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let authorised = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value == BASIC);
    if !authorised {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let request: Value = serde_json::from_slice(&body).unwrap();
    let calls = request.as_array().unwrap();
    let (delay, most_calls) = {
        let mut world = world.lock().unwrap();
        world.requests += 1;
        (world.delay, world.most_calls)
    };
    if most_calls.is_some_and(|most| calls.len() > most) {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(delay).await;
    let mut world = world.lock().unwrap();
    if let Some(status) = world.status {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    world.block_requests += usize::from(calls[0]["method"] == "getblock");
    world.largest_batch = world.largest_batch.max(calls.len());
    // The last call first: fluxd promises no order.
    let replies: Vec<String> = calls.iter().rev().map(|call| world.reply(call)).collect();
    format!("[{}]", replies.join(",")).into_response()
}

impl World {
    fn reply(&self, call: &Value) -> String {
        let id = &call["id"];
        let result = if self.loading {
            Err((-28, "Loading block index..."))
        } else {
            self.result(call["method"].as_str().unwrap(), &call["params"])
        };
        match result {
            Ok(result) => format!(r#"{{"result":{result},"error":null,"id":{id}}}"#),
            Err((code, message)) => {
                let error = json!({ "code": code, "message": message });
                format!(r#"{{"result":null,"error":{error},"id":{id}}}"#)
            }
        }
    }

    fn result(&self, method: &str, params: &Value) -> Result<String, (i64, &'static str)> {
        let out_of_range = (-8, "Block height out of range");
        match method {
            "getblockchaininfo" => Ok(self.chain_info()),
            "getbestblockhash" => Ok(json!(self.tip().0).to_string()),
            "getblockhash" => {
                let height = params[0].as_u64().unwrap();
                let block = usize::try_from(height)
                    .ok()
                    .and_then(|at| self.chain.get(at));
                let (hash, _) = block.ok_or(out_of_range)?;
                Ok(json!(hash).to_string())
            }
            "getblock" => {
                assert_eq!(params[1], 0, "only raw blocks are asked for");
                let height: u32 = params[0].as_str().unwrap().parse().unwrap();
                if let Some(forged) = self.forged.get(&height) {
                    return Ok(json!(hex::encode(forged)).to_string());
                }
                let served = if self.garbled == Some(height) {
                    height - 1
                } else {
                    height
                };
                let block = self.chain.get(usize::try_from(served).unwrap());
                let (_, hex) = block.ok_or(out_of_range)?;
                let hex = if self.garbled == Some(height) {
                    // The header of another block over the same transactions.
                    let own = &self.chain[usize::try_from(height).unwrap()].1;
                    format!("{}{}", hex.split_at(200).0, own.split_at(200).1)
                } else {
                    hex.clone()
                };
                Ok(json!(hex).to_string())
            }
            "getrawmempool" => {
                let ids: Vec<&Hash256> = self.mempool.keys().collect();
                Ok(json!(ids).to_string())
            }
            "getrawtransaction" => {
                let id: Hash256 = params[0].as_str().unwrap().parse().unwrap();
                let unknown = (-5, "No information available about transaction");
                if params[1] == 1 {
                    return Ok(self.located(id).ok_or(unknown)?.to_string());
                }
                let hex = self.mempool.get(&id);
                Ok(json!(hex.ok_or(unknown)?).to_string())
            }
            _ => Err((-32601, "Method not found")),
        }
    }

    /// A transaction with its block, as a daemon with `txindex` has it.
    fn located(&self, id: Hash256) -> Option<Value> {
        if let Some(hex) = self.mempool.get(&id) {
            return Some(json!({ "hex": hex, "txid": id }));
        }
        (0_usize..)
            .zip(&self.chain)
            .find_map(|(height, (hash, hex))| {
                let raw = hex::decode(hex).unwrap();
                let block = Block::parse(&raw).unwrap();
                let found = block.transactions.iter().find(|tx| tx.txid() == id)?;
                let confirmations = self.chain.len() - height;
                let hex = hex::encode(found.raw());
                Some(json!({
                    "hex": hex, "txid": id, "blockhash": hash, "height": height,
                    "confirmations": confirmations,
                }))
            })
    }

    fn tip(&self) -> &(Hash256, String) {
        self.chain.last().unwrap()
    }

    /// As fluxd prints it, with the branch id that all upgrades share repeated.
    fn chain_info(&self) -> String {
        let mut upgrades = String::new();
        for (name, height) in [("Acadia", 1), ("Kamiooka", 1), ("PON", 1)] {
            let comma = if upgrades.is_empty() { "" } else { "," };
            write!(
                upgrades,
                r#"{comma}"76b809bb":{{"name":"{name}","activationheight":{height},"status":"active"}}"#
            )
            .unwrap();
        }
        let again = if self.repeats { r#""blocks":7,"# } else { "" };
        format!(
            r#"{{"chain":"regtest",{again}"blocks":{},"headers":{},"bestblockhash":"{}","difficulty":1.01678125132005,
                "pruned":false,"upgrades":{{{upgrades}}},"consensus":{{"chaintip":"76b809bb","nextblock":"76b809bb"}}}}"#,
            self.chain.len() - 1,
            self.chain.len() - 1,
            self.tip().0,
        )
    }
}
