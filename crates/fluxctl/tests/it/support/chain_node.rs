//! A chain node that tells what a test says: JSON-RPC with fluxd's shapes and error codes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use fluxplane_flux_chain::{Block, Transaction};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, task::JoinSet};

/// What the node knows.
#[derive(Debug)]
pub(crate) struct Chain {
    /// `main` or `regtest`.
    pub(crate) network: &'static str,
    pub(crate) height: u32,
    /// Serialisation and height by id; height `None` in the mempool.
    pub(crate) transactions: BTreeMap<String, (String, Option<u32>)>,
    pub(crate) utxos: Vec<Value>,
    pub(crate) mempool: Vec<Value>,
    /// Ids by address.
    pub(crate) address_txids: Vec<String>,
    /// What was broadcast.
    pub(crate) sent: Vec<String>,
    /// Blocks that are not on the best chain.
    pub(crate) stale: Vec<u32>,
    /// Blocks from the first on, hexadecimal; without them a block has only a made-up hash.
    pub(crate) blocks: Vec<String>,
    /// The fluxnode list.
    pub(crate) listed: Vec<Value>,
    /// Rules of a development chain.
    pub(crate) devnet: Option<Value>,
}

impl Chain {
    /// The block with a hash, if there are blocks.
    fn block_at(&self, key: &str) -> Option<(u32, &String)> {
        let found = match key.parse() {
            Ok(height) => Some(height),
            Err(_) => self.blocks.iter().position(|hex| hash_of(hex) == key),
        };
        let height = found?;
        Some((u32::try_from(height).unwrap(), self.blocks.get(height)?))
    }
}

fn hash_of(hex: &str) -> String {
    let raw = hex::decode(hex).unwrap();
    Block::parse(&raw).unwrap().header.hash().to_string()
}

/// A node on a free port.
#[derive(Debug)]
pub(crate) struct ChainNode {
    pub(crate) url: String,
    chain: Arc<Mutex<Chain>>,
    _server: JoinSet<()>,
}

/// `user:password` in base64.
const CREDENTIALS: &str = "Basic dXNlcjpwYXNzd29yZA==";

impl ChainNode {
    pub(crate) async fn start(network: &'static str, height: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let chain = Arc::new(Mutex::new(Chain {
            network,
            height,
            transactions: BTreeMap::new(),
            utxos: Vec::new(),
            mempool: Vec::new(),
            address_txids: Vec::new(),
            sent: Vec::new(),
            stale: Vec::new(),
            blocks: Vec::new(),
            listed: Vec::new(),
            devnet: None,
        }));
        let router = Router::new()
            .route("/", post(handle))
            .with_state(Arc::clone(&chain));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url: format!("http://user:password@{address}"),
            chain,
            _server: server,
        }
    }

    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap()
    }

    /// Puts a transaction into a block, or into the mempool. Returns its id.
    pub(crate) fn add(&self, bytes: &[u8], height: Option<u32>) -> String {
        let txid = Transaction::parse(bytes).unwrap().txid().to_string();
        self.chain()
            .transactions
            .insert(txid.clone(), (hex::encode(bytes), height));
        txid
    }
}

pub(crate) fn block_hash(height: u32) -> String {
    hex::encode(Sha256::digest(height.to_be_bytes()))
}

async fn handle(
    State(chain): State<Arc<Mutex<Chain>>>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    if headers
        .get(header::AUTHORIZATION)
        .is_none_or(|value| value != CREDENTIALS)
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut chain = chain.lock().unwrap();
    let params = request["params"].as_array().unwrap().clone();
    match answer(&mut chain, request["method"].as_str().unwrap(), &params) {
        Ok(result) => {
            Json(json!({ "result": result, "error": null, "id": request["id"] })).into_response()
        }
        Err((code, message)) => {
            let error = json!({ "code": code, "message": message });
            let body = json!({ "result": null, "error": error, "id": request["id"] });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
        }
    }
}

fn answer(chain: &mut Chain, method: &str, params: &[Value]) -> Result<Value, (i64, String)> {
    let text = |index: usize| params[index].as_str().unwrap().to_owned();
    let unknown = || (-5, "No information available about transaction".to_owned());
    let confirmations = |chain: &Chain, height: u32| i64::from(chain.height - height + 1);
    match method {
        "getblockchaininfo" => Ok(json!({
            "chain": chain.network, "blocks": chain.height,
            "consensus": { "chaintip": "76b809bb", "nextblock": "76b809bb" },
        })),
        "getaddressutxos" => Ok(chain.utxos.clone().into()),
        "getaddressmempool" => Ok(chain.mempool.clone().into()),
        "getaddresstxids" => Ok(chain.address_txids.clone().into()),
        "getrawtransaction" => {
            let (hex, height) = chain.transactions.get(&text(0)).ok_or_else(unknown)?;
            let mut found = json!({ "hex": hex, "txid": text(0) });
            if let Some(height) = height {
                found["blockhash"] = block_hash(*height).into();
                found["confirmations"] = confirmations(chain, *height).into();
            }
            Ok(found)
        }
        "getblock" => {
            let found = chain.block_at(&text(0));
            let (_, hex) = found.ok_or_else(|| (-8, "Block height out of range".to_owned()))?;
            Ok(hex.clone().into())
        }
        "viewdeterministicfluxnodelist" => Ok(chain.listed.clone().into()),
        "devnet_params" => chain
            .devnet
            .clone()
            .ok_or_else(|| (-32_601, "Method not found: devnet_params".to_owned())),
        "getblockheader" if !chain.blocks.is_empty() => {
            let found = chain.block_at(&text(0));
            let (height, hex) = found.ok_or_else(|| (-5, "Block not found".to_owned()))?;
            let raw = hex::decode(hex).unwrap();
            let header = Block::parse(&raw).unwrap().header;
            let confirmations = confirmations(chain, height);
            Ok(json!({
                "height": height, "confirmations": confirmations, "time": header.time,
                "bits": format!("{:08x}", header.bits),
            }))
        }
        "getblockhash" if !chain.blocks.is_empty() => {
            let height = usize::try_from(params[0].as_u64().unwrap()).unwrap();
            let hex = chain.blocks.get(height);
            let hex = hex.ok_or_else(|| (-8, "Block height out of range".to_owned()))?;
            Ok(hash_of(hex).into())
        }
        "getblockheader" => {
            let height = (0..=chain.height).find(|height| block_hash(*height) == text(0));
            let height = height.ok_or_else(|| (-5, "Block not found".to_owned()))?;
            let stale = chain.stale.contains(&height);
            let confirmations = if stale {
                -1
            } else {
                confirmations(chain, height)
            };
            Ok(json!({ "height": height, "confirmations": confirmations }))
        }
        "getblockhash" => {
            let height = u32::try_from(params[0].as_u64().unwrap()).unwrap();
            Ok(block_hash(height).into())
        }
        "sendrawtransaction" => {
            let bytes = hex::decode(text(0)).unwrap();
            let Ok(transaction) = Transaction::parse(&bytes) else {
                return Err((-22, "TX decode failed".to_owned()));
            };
            chain.sent.push(text(0));
            Ok(transaction.txid().to_string().into())
        }
        other => Err((-32_601, format!("Method not found: {other}"))),
    }
}
