//! `GET /v1/chain/addresses/{address}`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::GetAddressRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::owner::{AddressSummary, OwnerPath};
use crate::rest::{Failure, Gateway, extract::PathParams};

/// What an address has after a block.
#[derive(Debug, Serialize, ToSchema)]
pub struct Address {
    pub summary: AddressSummary,
    /// The numbers are those after this block.
    pub height: u32,
}

/// Read an address
///
/// Balance and turnover. An address that never received anything is not found.
#[utoipa::path(
    get,
    path = "/v1/chain/addresses/{address}",
    tag = "chain",
    params(OwnerPath),
    responses((status = 200, description = "The address", body = Address)),
)]
pub async fn get_address(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<OwnerPath>,
) -> Result<Json<Address>, Failure> {
    let request = GetAddressRequest {
        owner: Some(path.into_wire()),
    };
    let answer = gateway.peers.ledger.get_address(request).await?;
    Ok(Json(Address {
        summary: AddressSummary::from_wire(answer.summary)?,
        height: answer.height,
    }))
}
