//! `GET /v1/chain/anchors`

use axum::{Json, extract::State};
use fluxplane_core::error::Violation;
use fluxplane_proto::chain_indexer::v1::{self as wire, ListChainAnchorsRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    page::{Page, wish},
    wire::some,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AnchorsQuery {
    /// Most entries wanted.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub page_size: Option<u32>,
    /// `next_cursor` of the previous page; leave it out for the first.
    pub cursor: Option<String>,
    /// Only anchors of this epoch.
    #[param(minimum = 1)]
    pub epoch: Option<u64>,
}

/// What a transaction says about a settlement epoch. Anybody can write such a text: judge it by its root and its senders.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainAnchor {
    pub txid: String,
    /// Null, as root and leaf count are, when the payload cannot be read.
    pub epoch: Option<u64>,
    /// Lower-case hex.
    pub root: Option<String>,
    /// Leaves under the root, the header included.
    pub leaf_count: Option<u32>,
    /// Why the payload cannot be read though it begins with the magic; null when it can.
    pub problem: Option<String>,
    /// The payload as it is in the `OP_RETURN`, hex.
    pub payload: String,
    /// Owners of the inputs, as their unlocking scripts tell.
    pub senders: Vec<String>,
    /// Null while in the mempool.
    pub height: Option<u32>,
    pub block_hash: Option<String>,
    pub confirmations: u32,
    /// Never taken back.
    pub r#final: bool,
}

impl From<wire::ChainAnchor> for ChainAnchor {
    fn from(anchor: wire::ChainAnchor) -> Self {
        let block_hash = some(&anchor.block_hash).map(str::to_owned);
        let readable = anchor.problem.is_empty();
        Self {
            txid: anchor.txid,
            epoch: readable.then_some(anchor.epoch),
            root: readable.then(|| hex::encode(anchor.root)),
            leaf_count: readable.then_some(anchor.leaf_count),
            problem: some(&anchor.problem).map(str::to_owned),
            payload: hex::encode(anchor.payload),
            senders: anchor.senders,
            height: block_hash.is_some().then_some(anchor.height),
            block_hash,
            confirmations: anchor.confirmations,
            r#final: anchor.r#final,
        }
    }
}

/// A page of the list.
pub type ChainAnchorPage = Page<ChainAnchor>;

/// List anchors on the chain
///
/// Every transaction that claims to anchor an epoch, whoever sent it, oldest first. `/v1/epochs/{number}/anchor` is the
/// plane's own.
#[utoipa::path(
    get,
    path = "/v1/chain/anchors",
    tag = "chain",
    params(AnchorsQuery),
    responses((status = 200, description = "A page of anchors", body = ChainAnchorPage)),
)]
pub async fn list_anchors(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<AnchorsQuery>,
) -> Result<Json<ChainAnchorPage>, Failure> {
    if query.epoch == Some(0) {
        let rule = "epochs are numbered from 1";
        let remedy = "leave it out for all epochs";
        return Err(Failure::invalid(Violation::new("epoch", 0, rule, remedy)));
    }
    let request = ListChainAnchorsRequest {
        epoch: query.epoch.unwrap_or_default(),
        page: Some(wish(query.page_size, query.cursor)?),
    };
    let answer = gateway.peers.payments.list_anchors(request).await?;
    let anchors = answer.anchors.into_iter().map(ChainAnchor::from).collect();
    Ok(Json(Page::new(anchors, answer.page)))
}
