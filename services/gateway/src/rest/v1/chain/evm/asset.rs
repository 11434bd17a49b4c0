//! A token contract, and how far it is followed.

use chrono::{DateTime, Utc};
use fluxplane_proto::chain_indexer::v1 as wire;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::wire::{Malformed, optional_time, some};

/// A token contract on one chain. Amounts are whole numbers of the token's smallest unit, as text: they may have 78 digits.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvmAsset {
    /// As the plane's configuration calls it.
    #[schema(example = "ethereum")]
    pub name: String,
    /// EIP-155.
    #[schema(example = 1)]
    pub chain_id: u64,
    #[schema(example = "0x720CD16b011b987Da3518fbf38c3071d4F0D1495")]
    pub contract: String,
    /// Decimal places of an amount as people read it.
    #[schema(example = 8)]
    pub decimals: u32,
    /// First block that is looked at; transfers before it are not known.
    pub start_block: u64,
    /// A block with so many confirmations, its own included, is final.
    pub confirmations: u32,
    /// Last applied block; null before the first.
    pub height: Option<u64>,
    pub hash: Option<String>,
    pub block_time: Option<DateTime<Utc>>,
    /// Transfers up to this block are never taken back; null before the first.
    pub final_height: Option<u64>,
    /// Height the node reported last; null before it answered.
    pub node_height: Option<u64>,
    /// Blocks the index is behind the node.
    pub lag_blocks: u64,
    /// Transferred from address zero since the start block.
    pub minted: String,
    /// Transferred to address zero since the start block.
    pub burned: String,
    /// Minted less burned: the whole supply when the index began with the contract.
    pub observed_supply: String,
    pub transfer_count: u64,
    /// Why following stopped and needs a person; null while it goes on.
    pub halted_reason: Option<String>,
    /// What is wrong with the node for now; null when nothing is.
    pub problem: Option<String>,
    /// When the node answered last.
    pub node_seen_at: Option<DateTime<Utc>>,
    /// Whether it is still followed. What was indexed is served either way.
    pub followed: bool,
}

impl TryFrom<wire::EvmAsset> for EvmAsset {
    type Error = Malformed;

    fn try_from(asset: wire::EvmAsset) -> Result<Self, Malformed> {
        Ok(Self {
            name: asset.name,
            chain_id: asset.chain_id,
            contract: asset.contract,
            decimals: asset.decimals,
            start_block: asset.start_block,
            confirmations: asset.confirmations,
            height: asset.height,
            hash: some(&asset.hash).map(str::to_owned),
            block_time: optional_time("asset.block_time", asset.block_time)?,
            final_height: asset.final_height,
            node_height: Some(asset.node_height).filter(|height| *height > 0),
            lag_blocks: asset.lag_blocks,
            minted: asset.minted,
            burned: asset.burned,
            observed_supply: asset.observed_supply,
            transfer_count: asset.transfer_count,
            halted_reason: some(&asset.halted_reason).map(str::to_owned),
            problem: some(&asset.problem).map(str::to_owned),
            node_seen_at: optional_time("asset.node_seen_at", asset.node_seen_at)?,
            followed: asset.followed,
        })
    }
}
