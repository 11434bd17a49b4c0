//! `GET /v1/chain/next-payees`

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use fluxplane_core::error::Violation;
use fluxplane_proto::{
    chain_indexer::v1::{self as wire, ListNextPayeesRequest},
    common::v1 as common,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::list_block::ListBlock;
use crate::rest::{
    Failure, Gateway,
    amount::Amount,
    extract::QueryParams,
    v1::nodes::{OutPoint, Tier},
    wire::{Malformed, some, time},
};

/// Blocks looked ahead when nobody says how many.
const DEFAULT_BLOCKS: u32 = 10;

/// Most blocks looked ahead: six hours.
const MAX_BLOCKS: u32 = 720;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NextPayeesQuery {
    /// Block after which the first payment is looked for; the last one when left out.
    pub height: Option<u32>,
    /// Only this tier.
    #[param(inline)]
    pub tier: Option<Tier>,
    /// Blocks to look ahead.
    #[param(minimum = 1, maximum = 720, default = 10)]
    pub blocks: Option<u32>,
}

/// Whom a block to come pays.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextPayee {
    /// Block that pays.
    pub height: u32,
    pub tier: Tier,
    pub collateral: OutPoint,
    /// Null when the payment script has no address form.
    pub payment_address: Option<String>,
    pub amount: Amount,
    /// When the block is due at the spacing of the network.
    pub expected_at: DateTime<Utc>,
}

impl TryFrom<wire::NextPayee> for NextPayee {
    type Error = Malformed;

    fn try_from(payee: wire::NextPayee) -> Result<Self, Malformed> {
        Ok(Self {
            height: payee.height,
            tier: Tier::from_wire(payee.tier)?,
            collateral: OutPoint::from_wire("payee.collateral", payee.collateral)?,
            payment_address: some(&payee.payment_address).map(str::to_owned),
            amount: Amount::flux(payee.amount_sat),
            expected_at: time("payee.expected_at", payee.expected_at)?,
        })
    }
}

/// Whom the blocks after one pay.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextPayees {
    /// By height, then tier. A tier whose queue is empty is left out.
    pub items: Vec<NextPayee>,
    /// The block whose list was looked at.
    pub block: ListBlock,
}

/// List the next payees
///
/// The first block is certain; the others hold as long as no node of the tier joins or leaves.
#[utoipa::path(
    get,
    path = "/v1/chain/next-payees",
    tag = "chain",
    params(NextPayeesQuery),
    responses((status = 200, description = "Whom the next blocks pay", body = NextPayees)),
)]
pub async fn list_next_payees(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<NextPayeesQuery>,
) -> Result<Json<NextPayees>, Failure> {
    let blocks = query.blocks.unwrap_or(DEFAULT_BLOCKS);
    if !(1..=MAX_BLOCKS).contains(&blocks) {
        let rule = format!("1 to {MAX_BLOCKS} blocks are looked ahead");
        let remedy = "ask for less; what lies further ahead changes anyway";
        return Err(Failure::invalid(Violation::new(
            "blocks", blocks, rule, remedy,
        )));
    }
    let tier = query.tier.map_or(common::Tier::Unspecified, Tier::to_wire);
    let request = ListNextPayeesRequest {
        height: query.height,
        tier: tier.into(),
        blocks,
    };
    let answer = gateway.peers.fluxnodes.list_next_payees(request).await?;
    let items = answer.payees.into_iter().map(NextPayee::try_from);
    Ok(Json(NextPayees {
        items: items.collect::<Result<Vec<_>, Malformed>>()?,
        block: ListBlock::from_wire(answer.block)?,
    }))
}
