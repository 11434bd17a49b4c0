//! What the chain says, as the plane follows it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Amount, Client, Error, OutPoint,
    call::Call,
    nodes::Tier,
    open_enum::open_enum,
    page::{Listing, Page},
};

/// How far the plane follows the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainStatus {
    pub network: String,
    pub genesis_hash: String,
    /// Height of the last block that was applied.
    pub height: u32,
    pub hash: String,
    pub block_time: Option<DateTime<Utc>>,
    /// Height of the last block that enough chain nodes agree on.
    pub daemon_height: u32,
    /// Why following stopped and needs a person; null while it goes on.
    pub halted_reason: Option<String>,
    pub payment_addresses: Vec<String>,
    /// The chain nodes that are asked; none from a plane that is older than this client.
    #[serde(default)]
    pub sources: Vec<ChainSource>,
    /// So many of them must agree; null before the first look.
    pub quorum: Option<u32>,
    /// Why following waits for the chain nodes; null while it goes on.
    pub sources_problem: Option<String>,
    /// Blocks up to this height are not known; null when the index began at the first block.
    pub base_height: Option<u32>,
}

/// A chain node that is asked, and what it said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainSource {
    pub name: String,
    /// Its last block; null before it answered.
    pub height: Option<u32>,
    pub hash: Option<String>,
    pub problem: Option<String>,
    pub agrees: bool,
    pub seen_at: Option<DateTime<Utc>>,
}

/// A block of the best chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub height: u32,
    pub hash: String,
    pub previous_hash: String,
    pub time: DateTime<Utc>,
    pub size_bytes: u32,
    pub txids: Vec<String>,
    /// Whom the block pays.
    pub coinbase_outputs: Vec<Output>,
}

/// An output of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    pub amount: Amount,
    pub address: Option<String>,
    pub script: String,
}

/// A transaction of the best chain or the mempool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainTransaction {
    pub txid: String,
    /// The whole transaction, hex.
    pub raw: String,
    /// Null while in the mempool.
    pub height: Option<u32>,
    pub block_hash: Option<String>,
    pub confirmations: u32,
}

open_enum! {
    /// How the chain sees a fluxnode.
    FluxnodeStatus {
        Started = "started",
        Dos = "dos",
        Confirmed = "confirmed",
    }
}

/// A fluxnode as the chain has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fluxnode {
    pub collateral: OutPoint,
    pub tier: Tier,
    pub status: FluxnodeStatus,
    pub node_pubkey: String,
    pub payment_address: String,
    pub ip: String,
    pub added_height: u32,
    pub confirmed_height: u32,
    pub last_confirmed_height: u32,
    pub last_paid_height: u32,
    /// Place in the payment queue of its tier, from 0; null unless confirmed.
    pub rank: Option<u32>,
}

/// A payment that carries a message hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainPayment {
    pub txid: String,
    pub message_hash: String,
    pub outputs: Vec<PaidOutput>,
    pub total: Amount,
    /// Null while in the mempool.
    pub height: Option<u32>,
    pub block_hash: Option<String>,
    pub confirmations: u32,
}

/// An output to a payment address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidOutput {
    pub vout: u32,
    pub address: String,
    pub amount: Amount,
}

open_enum! {
    /// Why a payment names no message.
    MemoProblem {
        Missing = "missing",
        Ambiguous = "ambiguous",
        Length = "length",
        Alphabet = "alphabet",
    }
}

open_enum! {
    /// Where a payment is.
    PaymentState {
        Mempool = "mempool",
        Mined = "mined",
        Dropped = "dropped",
    }
}

open_enum! {
    /// Why a payment is neither in the mempool nor in a block.
    Departure {
        Missing = "missing",
        Replaced = "replaced",
        DoubleSpent = "double_spent",
    }
}

/// A payment with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedPayment {
    pub payment: ChainPayment,
    pub state: PaymentState,
    /// Why it names no message; null when it names one.
    pub problem: Option<MemoProblem>,
    pub problem_detail: Option<String>,
    pub first_seen_at: DateTime<Utc>,
    /// Why it was dropped; null unless it was.
    pub departure: Option<Departure>,
    pub conflicting_txid: Option<String>,
}

/// Which fluxnodes are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FluxnodeQuery {
    pub tier: Option<Tier>,
    pub status: Option<FluxnodeStatus>,
    /// The lists after this block.
    pub height: Option<u32>,
    /// `host`, or `host:port`.
    pub ip: Option<String>,
    /// Hex.
    pub node_pubkey: Option<String>,
    pub payment_address: Option<String>,
}

impl Client {
    pub async fn chain_status(&self) -> Result<ChainStatus, Error> {
        self.json(&Call::get(&["chain", "status"]).public()).await
    }

    /// A block by its height or hash.
    pub async fn block(&self, height_or_hash: &str) -> Result<Block, Error> {
        self.json(&Call::get(&["chain", "blocks", height_or_hash]).public())
            .await
    }

    pub async fn transaction(&self, txid: &str) -> Result<ChainTransaction, Error> {
        self.json(&Call::get(&["chain", "transactions", txid]).public())
            .await
    }

    /// The fluxnode list in payment order, the lists after a block, or nodes by what is known of them.
    pub async fn fluxnodes(
        &self,
        query: &FluxnodeQuery,
        limit: u32,
    ) -> Result<Listing<Fluxnode>, Error> {
        let call = Call::get(&["chain", "fluxnodes"])
            .public()
            .maybe("tier", query.tier.as_ref())
            .maybe("status", query.status.as_ref())
            .maybe("height", query.height)
            .maybe("ip", query.ip.as_ref())
            .maybe("node_pubkey", query.node_pubkey.as_ref())
            .maybe("payment_address", query.payment_address.as_ref());
        self.listing(call, limit).await
    }

    pub async fn fluxnode(&self, collateral: &OutPoint) -> Result<Fluxnode, Error> {
        let vout = collateral.vout.to_string();
        self.json(&Call::get(&["chain", "fluxnodes", &collateral.txid, &vout]).public())
            .await
    }

    /// Payments for a message, from the mempool on, oldest first.
    pub async fn payments(&self, message_hash: &str) -> Result<Vec<ChainPayment>, Error> {
        let call = Call::get(&["chain", "payments", message_hash]).public();
        let listing: Listing<ChainPayment> = self.json::<Page<ChainPayment>>(&call).await?.into();
        Ok(listing.items)
    }

    /// Payments that name no message, oldest first.
    pub async fn unmatched_payments(&self, limit: u32) -> Result<Listing<RecordedPayment>, Error> {
        let call = Call::get(&["chain", "unmatched-payments"]).public();
        self.listing(call, limit).await
    }

    /// A payment by its transaction, whatever it says and wherever it is.
    pub async fn payment(&self, txid: &str) -> Result<RecordedPayment, Error> {
        self.json(&Call::get(&["chain", "transactions", txid, "payment"]).public())
            .await
    }
}
