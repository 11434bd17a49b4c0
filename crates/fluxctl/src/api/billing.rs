//! Balance, invoices and their proofs, earnings.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Amount, Client, Error, call::Call, epochs::EpochState, page::Listing};

/// What a customer has with the plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub principal: String,
    /// Free to spend.
    pub available: Amount,
    /// Held for running applications.
    pub held: Amount,
    /// Spent so far.
    pub spent: Amount,
}

/// A customer's bill for one settlement epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub invoice_id: Uuid,
    pub owner: String,
    pub epoch: u64,
    pub epoch_state: EpochState,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub total: Amount,
    pub line_count: u32,
    /// Left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<InvoiceLine>>,
}

/// Evidenced running time of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// Counts from 1.
    pub number: u32,
    pub app_id: Uuid,
    pub app_name: String,
    pub instance_id: Option<Uuid>,
    pub node_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
    pub seconds: u64,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub amount: Amount,
    /// Place of its leaf in the epoch's tree.
    pub leaf_index: u64,
}

/// Everything needed to check one line against an anchored root. Bytes are lower-case hex. This is also what a proof file
/// holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineProof {
    pub epoch: u64,
    /// The leaf's canonical bytes.
    pub leaf: String,
    pub leaf_index: u64,
    pub tree_size: u64,
    /// Sibling hashes from the leaf up.
    pub path: Vec<String>,
    pub root: String,
    pub previous_root: String,
    /// Opens the leaf's owner commitment.
    pub owner_salt: String,
    /// The seconds behind the line, in order; their hash is in the leaf.
    pub evidence: Vec<EvidenceInterval>,
    /// Where the root is on the chain; null until anchored.
    pub anchor: Option<ProofAnchor>,
}

/// Evidenced running time, in seconds since 1970; the end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceInterval {
    pub from_unix_s: u64,
    pub to_unix_s: u64,
}

/// A transaction that carries a root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofAnchor {
    pub txid: String,
    pub height: u32,
}

/// What one node earned in one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earning {
    pub epoch: u64,
    pub node_id: Uuid,
    /// For being online, by tier weight.
    pub availability: Amount,
    pub hosting: Amount,
    pub online_seconds: u64,
    pub hosted_seconds: u64,
    pub leaf_index: u64,
}

impl Client {
    pub async fn account(&self) -> Result<Account, Error> {
        self.json(&Call::get(&["account"])).await
    }

    /// The caller's invoices, without their lines.
    pub async fn invoices(&self, limit: u32) -> Result<Listing<Invoice>, Error> {
        self.listing(Call::get(&["invoices"]), limit).await
    }

    pub async fn invoice(&self, invoice_id: Uuid) -> Result<Invoice, Error> {
        self.json(&Call::get(&["invoices", &invoice_id.to_string()]))
            .await
    }

    pub async fn line_proof(&self, invoice_id: Uuid, number: u32) -> Result<LineProof, Error> {
        let (invoice, number) = (invoice_id.to_string(), number.to_string());
        self.json(&Call::get(&[
            "invoices", &invoice, "lines", &number, "proof",
        ]))
        .await
    }

    /// What the caller's nodes earned, newest epoch first.
    pub async fn earnings(&self, limit: u32) -> Result<Listing<Earning>, Error> {
        self.listing(Call::get(&["earnings"]), limit).await
    }
}
