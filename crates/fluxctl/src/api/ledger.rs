//! Coins: who has them, and how many there are.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Amount, Client, Error, OutPoint, call::Call, page::Listing};

/// What an owner has, and had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressSummary {
    /// Null when the script has no address form.
    pub address: Option<String>,
    /// Hex.
    pub script: String,
    pub balance: Amount,
    /// Sum of all outputs ever received, also of change.
    pub received: Amount,
    pub sent: Amount,
    pub transaction_count: u32,
    pub first_height: u32,
    pub last_height: u32,
}

/// What an address has after a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub summary: AddressSummary,
    pub height: u32,
}

/// What one transaction did to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressTransaction {
    pub txid: String,
    pub height: u32,
    /// Place in its block, from 0.
    pub position: u32,
    pub block_time: DateTime<Utc>,
    pub received: Amount,
    pub sent: Amount,
}

/// An output that can still be spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnspentOutput {
    pub outpoint: OutPoint,
    pub amount: Amount,
    pub height: u32,
    pub coinbase: bool,
}

/// An output of the best chain, spent or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainOutput {
    pub outpoint: OutPoint,
    pub amount: Amount,
    pub address: Option<String>,
    /// Hex.
    pub script: String,
    pub height: u32,
    /// Null while nothing spends it.
    pub spent_by: Option<Spend>,
    pub tip_height: u32,
}

/// What spends an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    pub txid: String,
    pub vin: u32,
    pub height: u32,
}

/// An owner and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RichOwner {
    /// From 1.
    pub rank: u64,
    pub summary: AddressSummary,
}

/// The coins there are after a block, beside what the schedule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supply {
    pub height: u32,
    pub block_hash: String,
    pub block_time: DateTime<Utc>,
    pub transparent: Amount,
    pub shielded: Amount,
    pub total: Amount,
    pub coinbase: Amount,
    pub fees: Amount,
    pub scheduled: Amount,
    /// Scheduled less total.
    pub unclaimed: Amount,
}

impl Client {
    /// Balance and turnover of an address, or of a script in hex.
    pub async fn address(&self, address: &str) -> Result<Address, Error> {
        self.json(&Call::get(&["chain", "addresses", address]).public())
            .await
    }

    /// Transactions of an address, newest first.
    pub async fn address_transactions(
        &self,
        address: &str,
        limit: u32,
    ) -> Result<Listing<AddressTransaction>, Error> {
        let call = Call::get(&["chain", "addresses", address, "transactions"]).public();
        self.listing(call, limit).await
    }

    /// Outputs of an address that can still be spent, oldest first.
    pub async fn unspent(
        &self,
        address: &str,
        limit: u32,
    ) -> Result<Listing<UnspentOutput>, Error> {
        let call = Call::get(&["chain", "addresses", address, "unspent"]).public();
        self.listing(call, limit).await
    }

    pub async fn output(&self, outpoint: &OutPoint) -> Result<ChainOutput, Error> {
        let vout = outpoint.vout.to_string();
        self.json(&Call::get(&["chain", "outputs", &outpoint.txid, &vout]).public())
            .await
    }

    /// Owners by balance, richest first.
    pub async fn rich_list(&self, limit: u32) -> Result<Listing<RichOwner>, Error> {
        let call = Call::get(&["chain", "rich-list"]).public();
        self.listing(call, limit).await
    }

    /// The supply after a block; after the last one when no height is named.
    pub async fn supply(&self, height: Option<u32>) -> Result<Supply, Error> {
        let call = Call::get(&["chain", "supply"]).public();
        self.json(&call.maybe("height", height)).await
    }
}
