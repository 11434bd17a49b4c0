//! An entry of the deterministic fluxnode list.

use fluxplane_proto::chain_indexer::v1 as wire;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{
    v1::nodes::{OutPoint, Tier},
    wire::Malformed,
};

/// How the chain sees a fluxnode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FluxnodeStatus {
    /// Start seen, not confirmed.
    Started,
    /// Start not confirmed in time; may not start again yet.
    Dos,
    Confirmed,
}

impl FluxnodeStatus {
    pub const fn to_wire(self) -> wire::FluxnodeStatus {
        match self {
            Self::Started => wire::FluxnodeStatus::Started,
            Self::Dos => wire::FluxnodeStatus::Dos,
            Self::Confirmed => wire::FluxnodeStatus::Confirmed,
        }
    }
}

/// A fluxnode as the chain has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fluxnode {
    pub collateral: OutPoint,
    pub tier: Tier,
    pub status: FluxnodeStatus,
    /// Key of the node, hex.
    pub node_pubkey: String,
    pub payment_address: String,
    /// As the last confirm transaction states it; host or host:port.
    pub ip: String,
    pub added_height: u32,
    pub confirmed_height: u32,
    pub last_confirmed_height: u32,
    pub last_paid_height: u32,
    /// Place in the payment queue of its tier, from 0; null unless confirmed.
    pub rank: Option<u32>,
}

impl TryFrom<wire::Fluxnode> for Fluxnode {
    type Error = Malformed;

    fn try_from(node: wire::Fluxnode) -> Result<Self, Malformed> {
        Ok(Self {
            tier: Tier::from_wire(node.tier)?,
            status: status(node.status)?,
            collateral: OutPoint::from_wire("collateral", node.collateral)?,
            node_pubkey: node.node_pubkey,
            payment_address: node.payment_address,
            ip: node.ip,
            added_height: node.added_height,
            confirmed_height: node.confirmed_height,
            last_confirmed_height: node.last_confirmed_height,
            last_paid_height: node.last_paid_height,
            rank: node.rank,
        })
    }
}

fn status(status: i32) -> Result<FluxnodeStatus, Malformed> {
    match wire::FluxnodeStatus::try_from(status) {
        Ok(wire::FluxnodeStatus::Started) => Ok(FluxnodeStatus::Started),
        Ok(wire::FluxnodeStatus::Dos) => Ok(FluxnodeStatus::Dos),
        Ok(wire::FluxnodeStatus::Confirmed) => Ok(FluxnodeStatus::Confirmed),
        Ok(wire::FluxnodeStatus::Unspecified) | Err(_) => {
            Err(Malformed::value("fluxnode.status", status))
        }
    }
}
