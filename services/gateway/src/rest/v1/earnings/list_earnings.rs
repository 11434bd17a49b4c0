//! `GET /v1/earnings`

use axum::{Json, extract::State};
use fluxplane_proto::billing::v1::{self as wire, ListEarningsRequest};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::{
    Failure, Gateway,
    amount::Amount,
    extract::{Call, QueryParams},
    page::{Page, PageQuery},
    wire::{Malformed, id},
};

/// What one node earned in one epoch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Earning {
    #[schema(example = 12)]
    pub epoch: u64,
    pub node_id: Uuid,
    /// For being online, by tier weight.
    pub availability: Amount,
    /// For hosting.
    pub hosting: Amount,
    pub online_seconds: u64,
    /// Running time of instances, evidenced.
    pub hosted_seconds: u64,
    /// Place of its leaf in the epoch's tree.
    pub leaf_index: u64,
}

impl TryFrom<wire::Earning> for Earning {
    type Error = Malformed;

    fn try_from(earning: wire::Earning) -> Result<Self, Malformed> {
        Ok(Self {
            epoch: earning.epoch,
            node_id: id("node_id", &earning.node_id)?,
            availability: Amount::from_wire("availability", earning.availability)?,
            hosting: Amount::from_wire("hosting", earning.hosting)?,
            online_seconds: earning.online_seconds,
            hosted_seconds: earning.hosted_seconds,
            leaf_index: earning.leaf_index,
        })
    }
}

/// A page of the list.
pub type EarningPage = Page<Earning>;

/// List what your nodes earned
///
/// Newest epoch first.
#[utoipa::path(
    get,
    path = "/v1/earnings",
    tag = "nodes",
    params(PageQuery),
    responses((status = 200, description = "A page of earnings", body = EarningPage)),
)]
pub async fn list_earnings(
    State(gateway): State<Gateway>,
    call: Call,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<EarningPage>, Failure> {
    let request = ListEarningsRequest {
        operator: call.principal.address,
        page: Some(page.wish()?),
    };
    let answer = gateway.peers.billing.list_earnings(request).await?;
    let earnings = answer.earnings.into_iter().map(Earning::try_from);
    let earnings = earnings.collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Json(Page::new(earnings, answer.page)))
}
