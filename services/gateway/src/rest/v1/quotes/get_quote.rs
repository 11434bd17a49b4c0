//! `GET /v1/quotes/{quote_id}`

use axum::{Json, extract::State};
use serde::Deserialize;
use uuid::Uuid;

use super::{Quote, own_quote};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct QuotePath {
    /// Id of the quote.
    pub quote_id: Uuid,
}

/// Read a quote
#[utoipa::path(
    get,
    path = "/v1/quotes/{quote_id}",
    tag = "quotes",
    params(QuotePath),
    responses((status = 200, description = "The quote", body = Quote)),
)]
pub async fn get_quote(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<QuotePath>,
) -> Result<Json<Quote>, Failure> {
    own_quote(&gateway, &call, path.quote_id).await.map(Json)
}
