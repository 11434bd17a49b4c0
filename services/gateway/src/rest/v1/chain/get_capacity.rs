//! `GET /v1/chain/capacity`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::{self as wire, GetNetworkCapacityRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::{at_height::HeightQuery, list_block::ListBlock};
use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    v1::nodes::Tier,
    wire::{Malformed, required},
};

/// Hardware of nodes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hardware {
    pub nodes: u64,
    pub cores: u64,
    pub threads: u64,
    pub ram_gb: u64,
    pub ssd_gb: u64,
}

impl Hardware {
    fn from_wire(field: &'static str, hardware: Option<wire::Capacity>) -> Result<Self, Malformed> {
        let hardware = required(field, hardware)?;
        Ok(Self {
            nodes: hardware.nodes,
            cores: hardware.cores,
            threads: hardware.threads,
            ram_gb: hardware.ram_gb,
            ssd_gb: hardware.ssd_gb,
        })
    }
}

/// Hardware of a tier.
#[derive(Debug, Serialize, ToSchema)]
pub struct TierHardware {
    pub tier: Tier,
    /// What one node must have.
    pub minimum: Hardware,
    /// All confirmed nodes of the tier.
    pub total: Hardware,
}

impl TryFrom<wire::TierCapacity> for TierHardware {
    type Error = Malformed;

    fn try_from(tier: wire::TierCapacity) -> Result<Self, Malformed> {
        Ok(Self {
            tier: Tier::from_wire(tier.tier)?,
            minimum: Hardware::from_wire("tier.minimum", tier.minimum)?,
            total: Hardware::from_wire("tier.total", tier.total)?,
        })
    }
}

/// The hardware that the confirmed nodes must have at least.
#[derive(Debug, Serialize, ToSchema)]
pub struct NetworkCapacity {
    /// Lowest tier first; always all three.
    pub tiers: Vec<TierHardware>,
    pub total: Hardware,
    pub block: ListBlock,
}

/// Read the capacity of the network
///
/// A lower bound: what the rules of the tiers demand of the confirmed nodes.
#[utoipa::path(
    get,
    path = "/v1/chain/capacity",
    tag = "chain",
    params(HeightQuery),
    responses((status = 200, description = "The capacity", body = NetworkCapacity)),
)]
pub async fn get_capacity(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<HeightQuery>,
) -> Result<Json<NetworkCapacity>, Failure> {
    let request = GetNetworkCapacityRequest {
        height: query.height,
    };
    let answer = gateway
        .peers
        .fluxnodes
        .get_network_capacity(request)
        .await?;
    let tiers = answer.tiers.into_iter().map(TierHardware::try_from);
    Ok(Json(NetworkCapacity {
        tiers: tiers.collect::<Result<Vec<_>, Malformed>>()?,
        total: Hardware::from_wire("total", answer.total)?,
        block: ListBlock::from_wire(answer.block)?,
    }))
}
