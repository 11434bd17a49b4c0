//! The fluxnode lists as a daemon tells them, from which an index may begin.
//!
//! A daemon tells its lists as they are after its last block and at no other height. So everything is asked in one request, and
//! refused when the tip moved in the meantime.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Hash256, OutPoint, PublicKey, ScriptBuf, Transaction,
    fluxnode::{Collateral, Ip, Status},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    FluxdRpc, SourceError,
    wire::{self, Answer, Call, INVALID_ADDRESS_OR_KEY},
};
use crate::domain::Tip;

/// Every node on every list after a block, by collateral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLists {
    pub block: Tip,
    pub nodes: Vec<ListedNode>,
}

/// A node as the lists tell it. What its start says besides is in the block at `added_height`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedNode {
    pub collateral: OutPoint,
    pub status: Status,
    pub amount: Sat,
    pub payment_address: String,
    pub added_height: u32,
    /// Only of confirmed nodes.
    pub confirmed: Option<Confirmation>,
}

/// What is known of a node once it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub node_key: PublicKey,
    pub ip: Ip,
    pub confirmed_height: u32,
    pub last_confirmed_height: u32,
    pub last_paid_height: u32,
}

const SNAPSHOT: &str = "getfluxnodesnapshot";
const TIP: &str = "getbestblockhash";
const DELEGATES: &str = "listfluxnodedelegates";
const OUTPUT: &str = "gettxout";
const TRANSACTION: &str = "getrawtransaction";

/// Calls per request where one question takes many.
const BATCH: usize = 50;

impl FluxdRpc {
    pub(super) async fn ask_node_lists(&self) -> Result<NodeLists, SourceError> {
        const LISTS: [(&str, Status); 2] = [
            ("getstartlist", Status::Started),
            ("getdoslist", Status::Dos),
        ];
        let methods = [TIP, SNAPSHOT, LISTS[0].0, LISTS[1].0, TIP];
        let answers = self
            .batch(&methods.map(|method| Call::new(method, json!([]))))
            .await?;
        let mut results = methods.into_iter().zip(answers).map(|(method, answer)| {
            let result = answer.map_err(|err| err.of(method))?;
            Ok::<_, SourceError>((method, result))
        });
        let mut next = || {
            results
                .next()
                .unwrap_or(Err(SourceError::Moved("the lists")))
        };
        let (_, before) = next()?;
        let snapshot: Snapshot = read(next()?)?;
        let mut nodes = snapshot
            .nodes
            .into_iter()
            .map(Listed::node)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|problem| malformed(SNAPSHOT, problem))?;
        for (method, status) in LISTS {
            let waiting: Vec<Waiting> = read(next()?)?;
            for node in waiting {
                nodes.push(
                    node.node(status)
                        .map_err(|problem| malformed(method, problem))?,
                );
            }
        }
        let (_, after) = next()?;
        let tip = wire::hash(TIP, &before)?;
        if tip != wire::hash(TIP, &after)? || tip != snapshot.blockhash {
            return Err(SourceError::Moved("the fluxnode lists"));
        }
        nodes.sort_by_key(|node| node.collateral);
        Ok(NodeLists {
            block: Tip {
                height: snapshot.height,
                hash: tip,
            },
            nodes,
        })
    }

    pub(super) async fn ask_delegates(
        &self,
        collaterals: &[OutPoint],
    ) -> Result<Vec<Vec<PublicKey>>, SourceError> {
        let mut found = Vec::with_capacity(collaterals.len());
        for part in collaterals.chunks(BATCH) {
            let calls: Vec<Call> = part
                .iter()
                // The daemon wants the index as a text here.
                .map(|out| Call::new(DELEGATES, json!([out.txid, out.n.to_string()])))
                .collect();
            for answer in self.batch(&calls).await? {
                let result = answer.map_err(|err| err.of(DELEGATES))?;
                found.push(read::<Delegates>((DELEGATES, result))?.delegate_keys);
            }
        }
        Ok(found)
    }

    /// Unspent outputs from the set of those; others from their transaction, where the daemon keeps an index of transactions.
    pub(super) async fn ask_outputs(
        &self,
        names: &[OutPoint],
    ) -> Result<Vec<Option<Collateral>>, SourceError> {
        let mut found = Vec::with_capacity(names.len());
        for part in names.chunks(BATCH) {
            let mut calls = vec![Call::new("getblockchaininfo", json!([]))];
            calls.extend(part.iter().flat_map(|out| {
                [
                    Call::new(OUTPUT, json!([out.txid, out.n, false])),
                    Call::new(TRANSACTION, json!([out.txid, 1])),
                ]
            }));
            calls.push(Call::new(TIP, json!([])));
            let mut answers = self.batch(&calls).await?.into_iter();
            let mut next = || answers.next().unwrap_or(Ok(Value::Null));
            let info = next().map_err(|err| err.of("getblockchaininfo"))?;
            let tip = Tip {
                height: height(&info["blocks"]).ok_or_else(|| {
                    malformed("getblockchaininfo", "`blocks` is no height".into())
                })?,
                hash: wire::hash("getblockchaininfo", &info["bestblockhash"])?,
            };
            for name in part {
                let (unspent, transaction) = (next(), next());
                found.push(output(*name, tip, unspent, transaction)?);
            }
            let after = next().map_err(|err| err.of(TIP))?;
            if wire::hash(TIP, &after)? != tip.hash {
                return Err(SourceError::Moved("outputs"));
            }
        }
        Ok(found)
    }
}

fn output(
    name: OutPoint,
    tip: Tip,
    unspent: Answer,
    transaction: Answer,
) -> Result<Option<Collateral>, SourceError> {
    // The transaction proves itself by its id; the set of unspent outputs has only the daemon's word.
    match transaction {
        Ok(result) => return of_transaction(name, tip, &result),
        // There is no index of transactions, or it does not know this one.
        Err(err) if err.code == INVALID_ADDRESS_OR_KEY => {}
        Err(err) => return Err(err.of(TRANSACTION)),
    }
    let result = unspent.map_err(|err| err.of(OUTPUT))?;
    if result.is_null() {
        return Ok(None);
    }
    let unspent: Unspent = read((OUTPUT, result))?;
    if unspent.bestblock != tip.hash {
        return Err(SourceError::Moved("outputs"));
    }
    Ok(Some(Collateral {
        value: amount(&unspent.value.to_string()).map_err(|problem| malformed(OUTPUT, problem))?,
        height: created(tip, unspent.confirmations)
            .ok_or_else(|| malformed(OUTPUT, "more confirmations than blocks".to_owned()))?,
        script: ScriptBuf::new(wire::bytes(OUTPUT, &unspent.script["hex"])?),
    }))
}

fn of_transaction(
    name: OutPoint,
    tip: Tip,
    result: &Value,
) -> Result<Option<Collateral>, SourceError> {
    let raw = wire::bytes(TRANSACTION, &result["hex"])?;
    let transaction =
        Transaction::parse(&raw).map_err(|err| malformed(TRANSACTION, err.to_string()))?;
    if transaction.txid() != name.txid {
        let problem = format!("asked for {}, got {}", name.txid, transaction.txid());
        return Err(malformed(TRANSACTION, problem));
    }
    // Without a block it is still in the mempool, or its block is not on the best chain.
    let height = height(&result["confirmations"]).and_then(|blocks| created(tip, blocks));
    let output = usize::try_from(name.n)
        .ok()
        .and_then(|n| transaction.outputs().get(n));
    Ok(height.zip(output).map(|(height, output)| Collateral {
        value: output.value,
        height,
        script: output.script.to_owned(),
    }))
}

/// The height of the block that gives something this many confirmations.
fn created(tip: Tip, confirmations: u32) -> Option<u32> {
    tip.height.checked_sub(confirmations.checked_sub(1)?)
}

fn height(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

fn amount(text: &str) -> Result<Sat, String> {
    text.parse().map_err(|err| format!("`{text}`: {err}"))
}

fn malformed(method: &'static str, problem: String) -> SourceError {
    SourceError::Malformed { method, problem }
}

fn read<T: DeserializeOwned>((method, result): (&'static str, Value)) -> Result<T, SourceError> {
    serde_json::from_value(result).map_err(|err| malformed(method, err.to_string()))
}

#[derive(Deserialize)]
struct Snapshot {
    height: u32,
    blockhash: Hash256,
    nodes: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    txhash: Hash256,
    outidx: String,
    ip: String,
    added_height: u32,
    confirmed_height: u32,
    last_confirmed_height: u32,
    last_paid_height: u32,
    payment_address: String,
    pubkey: PublicKey,
    amount: String,
}

impl Listed {
    fn node(self) -> Result<ListedNode, String> {
        let n = self.outidx.parse();
        let n = n.map_err(|_| format!("`outidx` of {} is no index", self.txhash))?;
        Ok(ListedNode {
            collateral: OutPoint::new(self.txhash, n),
            status: Status::Confirmed,
            amount: amount(&self.amount)?,
            payment_address: self.payment_address,
            added_height: self.added_height,
            confirmed: Some(Confirmation {
                node_key: self.pubkey,
                ip: self.ip.parse().map_err(|err| format!("`ip`: {err}"))?,
                confirmed_height: self.confirmed_height,
                last_confirmed_height: self.last_confirmed_height,
                last_paid_height: self.last_paid_height,
            }),
        })
    }
}

#[derive(Deserialize)]
struct Waiting {
    /// `COutPoint(<64 digits>, <index>)`.
    collateral: String,
    added_height: u32,
    payment_address: String,
    amount: String,
}

impl Waiting {
    fn node(self, status: Status) -> Result<ListedNode, String> {
        let outpoint = self
            .collateral
            .strip_prefix("COutPoint(")
            .and_then(|rest| rest.strip_suffix(')'))
            .and_then(|inner| inner.split_once(", "))
            .and_then(|(txid, n)| Some(OutPoint::new(txid.parse().ok()?, n.parse().ok()?)));
        Ok(ListedNode {
            collateral: outpoint
                .ok_or_else(|| format!("`{}` is no collateral", self.collateral))?,
            status,
            amount: amount(&self.amount)?,
            payment_address: self.payment_address,
            added_height: self.added_height,
            confirmed: None,
        })
    }
}

#[derive(Deserialize)]
struct Delegates {
    /// Absent without delegates.
    #[serde(default)]
    delegate_keys: Vec<PublicKey>,
}

#[derive(Deserialize)]
struct Unspent {
    bestblock: Hash256,
    confirmations: u32,
    value: serde_json::Number,
    #[serde(rename = "scriptPubKey")]
    script: Value,
}
