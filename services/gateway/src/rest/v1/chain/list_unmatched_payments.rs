//! `GET /v1/chain/unmatched-payments`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::{self as wire, ListUnmatchedPaymentsRequest};
use serde::Deserialize;

use super::payment::{MemoProblem, RecordedPayment};
use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    page::{Page, wish},
    wire::Malformed,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UnmatchedQuery {
    /// Most entries wanted.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub page_size: Option<u32>,
    /// `next_cursor` of the previous page; leave it out for the first.
    pub cursor: Option<String>,
    /// Only payments with this problem.
    #[param(inline)]
    pub problem: Option<MemoProblem>,
}

/// A page of the list.
pub type RecordedPaymentPage = Page<RecordedPayment>;

/// List payments without a usable message
///
/// Money that arrived for applications and names none: without a text, with two, or with one that is no message hash.
/// Oldest first.
#[utoipa::path(
    get,
    path = "/v1/chain/unmatched-payments",
    tag = "chain",
    params(UnmatchedQuery),
    responses((status = 200, description = "A page of payments", body = RecordedPaymentPage)),
)]
pub async fn list_unmatched_payments(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<UnmatchedQuery>,
) -> Result<Json<RecordedPaymentPage>, Failure> {
    let problem = query
        .problem
        .map_or(wire::MemoProblem::Unspecified, MemoProblem::to_wire);
    let request = ListUnmatchedPaymentsRequest {
        problem: problem.into(),
        page: Some(wish(query.page_size, query.cursor)?),
    };
    let answer = gateway
        .peers
        .payments
        .list_unmatched_payments(request)
        .await?;
    let payments = answer.payments.into_iter().map(RecordedPayment::try_from);
    let payments = payments.collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Json(Page::new(payments, answer.page)))
}
