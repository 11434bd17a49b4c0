//! `GET /v1/account`

use axum::{Json, extract::State};
use fluxplane_proto::billing::v1::GetAccountRequest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::{Failure, Gateway, amount::Amount, extract::Call};

/// Your balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    pub principal: String,
    /// Free to spend.
    pub available: Amount,
    /// Held for running applications.
    pub held: Amount,
    /// Spent so far.
    pub spent: Amount,
}

/// Read your balance
#[utoipa::path(
    get,
    path = "/v1/account",
    tag = "billing",
    responses((status = 200, description = "The balance", body = Account)),
)]
pub async fn get_account(
    State(gateway): State<Gateway>,
    call: Call,
) -> Result<Json<Account>, Failure> {
    let owner = call.principal.address;
    let answer = gateway
        .peers
        .billing
        .get_account(GetAccountRequest {
            owner: owner.clone(),
        })
        .await?;
    Ok(Json(Account {
        principal: owner,
        available: Amount::from_wire("available", answer.available)?,
        held: Amount::from_wire("held", answer.held)?,
        spent: Amount::from_wire("spent", answer.spent)?,
    }))
}
