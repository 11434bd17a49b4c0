//! Tokens on other chains.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Client, Error, call::Call, page::Listing};

/// A token contract on one chain. Amounts are in its smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvmAsset {
    pub name: String,
    pub chain_id: u64,
    pub contract: String,
    pub decimals: u32,
    pub start_block: u64,
    pub confirmations: u32,
    pub height: Option<u64>,
    pub hash: Option<String>,
    pub block_time: Option<DateTime<Utc>>,
    pub final_height: Option<u64>,
    pub node_height: Option<u64>,
    pub lag_blocks: u64,
    pub minted: String,
    pub burned: String,
    pub observed_supply: String,
    pub transfer_count: u64,
    pub halted_reason: Option<String>,
    pub problem: Option<String>,
    pub node_seen_at: Option<DateTime<Utc>>,
    pub followed: bool,
}

/// A transfer of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvmTransfer {
    pub asset: String,
    pub chain_id: u64,
    pub contract: String,
    pub height: u64,
    pub block_hash: String,
    pub block_time: DateTime<Utc>,
    pub tx_hash: String,
    pub log_index: u32,
    pub from: String,
    pub to: String,
    pub amount: String,
    pub decimals: u32,
    pub confirmations: u64,
    pub r#final: bool,
}

impl Client {
    /// Token contracts that are or were followed, by name.
    pub async fn evm_assets(&self, limit: u32) -> Result<Listing<EvmAsset>, Error> {
        let call = Call::get(&["chain", "evm", "assets"]).public();
        self.listing(call, limit).await
    }

    /// Transfers, newest first.
    pub async fn evm_transfers(
        &self,
        asset: Option<&str>,
        address: Option<&str>,
        limit: u32,
    ) -> Result<Listing<EvmTransfer>, Error> {
        let call = Call::get(&["chain", "evm", "transfers"])
            .public()
            .maybe("asset", asset)
            .maybe("address", address);
        self.listing(call, limit).await
    }
}
