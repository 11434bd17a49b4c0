//! `GET /v1/chain/tiers`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::{self as wire, GetTierStatisticsRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::{at_height::HeightQuery, list_block::ListBlock};
use crate::rest::{
    Failure, Gateway, amount::Amount, extract::QueryParams, v1::nodes::Tier, wire::Malformed,
};

/// Nodes, locked coins and turnover of a tier.
#[derive(Debug, Serialize, ToSchema)]
pub struct TierStatistics {
    pub tier: Tier,
    pub started: u32,
    pub confirmed: u32,
    pub dos: u32,
    /// Collateral of the confirmed nodes.
    pub locked: Amount,
    /// What the next block gives to a node of the tier.
    pub reward: Amount,
    /// Blocks between two payments of one node, as long as the tier keeps its size; null when it is empty.
    pub payment_interval_blocks: Option<u32>,
    /// What happened in the last `window_blocks` blocks.
    pub recent: TierTurnover,
}

/// Nodes of a tier that came and went.
#[derive(Debug, Serialize, ToSchema)]
pub struct TierTurnover {
    pub started: u32,
    pub confirmed: u32,
    /// Left for want of an update confirm, or because the amount of the collateral stopped to count.
    pub expired: u32,
    /// Left because the collateral was spent.
    pub spent: u32,
    /// Were not confirmed in time.
    pub dos: u32,
}

impl TryFrom<wire::TierStatistics> for TierStatistics {
    type Error = Malformed;

    fn try_from(tier: wire::TierStatistics) -> Result<Self, Malformed> {
        Ok(Self {
            tier: Tier::from_wire(tier.tier)?,
            started: tier.started,
            confirmed: tier.confirmed,
            dos: tier.dos,
            locked: Amount::flux(tier.locked_sat),
            reward: Amount::flux(tier.reward_sat),
            payment_interval_blocks: Some(tier.payment_interval_blocks)
                .filter(|blocks| *blocks > 0),
            recent: TierTurnover {
                started: tier.newly_started,
                confirmed: tier.newly_confirmed,
                expired: tier.newly_expired,
                spent: tier.newly_spent,
                dos: tier.newly_dos,
            },
        })
    }
}

/// The tiers after a block.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tiers {
    /// Lowest tier first; always all three.
    pub items: Vec<TierStatistics>,
    /// Blocks that `recent` looks back over: those of 24 hours, or fewer where the index began later.
    pub window_blocks: u32,
    pub block: ListBlock,
}

/// Compare the tiers
#[utoipa::path(
    get,
    path = "/v1/chain/tiers",
    tag = "chain",
    params(HeightQuery),
    responses((status = 200, description = "The tiers", body = Tiers)),
)]
pub async fn get_tiers(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<HeightQuery>,
) -> Result<Json<Tiers>, Failure> {
    let request = GetTierStatisticsRequest {
        height: query.height,
    };
    let answer = gateway.peers.fluxnodes.get_tier_statistics(request).await?;
    let items = answer.tiers.into_iter().map(TierStatistics::try_from);
    Ok(Json(Tiers {
        items: items.collect::<Result<Vec<_>, Malformed>>()?,
        window_blocks: answer.window_blocks,
        block: ListBlock::from_wire(answer.block)?,
    }))
}
