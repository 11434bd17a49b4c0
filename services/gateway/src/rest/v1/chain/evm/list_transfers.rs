//! `GET /v1/chain/evm/transfers`

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use fluxplane_core::error::Violation;
use fluxplane_proto::chain_indexer::v1::{self as wire, ListTransfersRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    page::{Page, wish},
    wire::{Malformed, time},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TransfersQuery {
    /// Most entries wanted.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub page_size: Option<u32>,
    /// `next_cursor` of the previous page; leave it out for the first.
    pub cursor: Option<String>,
    /// Only transfers of this asset.
    #[param(example = "ethereum")]
    pub asset: Option<String>,
    /// Only transfers from or to this address.
    pub address: Option<String>,
    /// Only transfers of this transaction.
    pub tx_hash: Option<String>,
    /// Only transfers of this height and above; needs an asset.
    pub min_height: Option<u64>,
    /// Only transfers up to this height; needs an asset.
    pub max_height: Option<u64>,
}

impl TransfersQuery {
    fn into_wire(self) -> Result<ListTransfersRequest, Failure> {
        let bound = [
            ("min_height", self.min_height),
            ("max_height", self.max_height),
        ];
        let bound = bound.into_iter().find_map(|(name, at)| Some((name, at?)));
        if let (None, Some((field, height))) = (&self.asset, bound) {
            let rule = "every chain counts its own blocks";
            let remedy = "name the asset too; /v1/chain/evm/assets lists them";
            return Err(Failure::invalid(Violation::new(
                field, height, rule, remedy,
            )));
        }
        Ok(ListTransfersRequest {
            asset: self.asset.unwrap_or_default(),
            address: self.address.unwrap_or_default(),
            tx_hash: self.tx_hash.unwrap_or_default(),
            min_height: self.min_height.unwrap_or_default(),
            max_height: self.max_height,
            page: Some(wish(self.page_size, self.cursor)?),
        })
    }
}

/// A transfer of a token.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvmTransfer {
    /// Name of the asset.
    #[schema(example = "ethereum")]
    pub asset: String,
    pub chain_id: u64,
    pub contract: String,
    pub height: u64,
    pub block_hash: String,
    pub block_time: DateTime<Utc>,
    pub tx_hash: String,
    /// Place among the logs of the block.
    pub log_index: u32,
    /// Address zero for a mint.
    pub from: String,
    /// Address zero for a burn.
    pub to: String,
    /// In the token's smallest unit.
    #[schema(example = "2500000000")]
    pub amount: String,
    #[schema(example = 8)]
    pub decimals: u32,
    pub confirmations: u64,
    /// Never taken back any more.
    pub r#final: bool,
}

impl TryFrom<wire::EvmTransfer> for EvmTransfer {
    type Error = Malformed;

    fn try_from(transfer: wire::EvmTransfer) -> Result<Self, Malformed> {
        Ok(Self {
            asset: transfer.asset,
            chain_id: transfer.chain_id,
            contract: transfer.contract,
            height: transfer.height,
            block_hash: transfer.block_hash,
            block_time: time("transfer.block_time", transfer.block_time)?,
            tx_hash: transfer.tx_hash,
            log_index: transfer.log_index,
            from: transfer.from,
            to: transfer.to,
            amount: transfer.amount,
            decimals: transfer.decimals,
            confirmations: transfer.confirmations,
            r#final: transfer.is_final,
        })
    }
}

/// A page of the list.
pub type EvmTransferPage = Page<EvmTransfer>;

/// List transfers of tokens on other chains
///
/// Newest first; with no asset named, asset by asset.
#[utoipa::path(
    get,
    path = "/v1/chain/evm/transfers",
    tag = "chain",
    params(TransfersQuery),
    responses((status = 200, description = "A page of transfers", body = EvmTransferPage)),
)]
pub async fn list_transfers(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<TransfersQuery>,
) -> Result<Json<EvmTransferPage>, Failure> {
    let request = query.into_wire()?;
    let answer = gateway.peers.evm.list_transfers(request).await?;
    let transfers = answer.transfers.into_iter().map(EvmTransfer::try_from);
    let transfers = transfers.collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Json(Page::new(transfers, answer.page)))
}
