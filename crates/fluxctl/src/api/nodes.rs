//! Machines of operators.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Client, Error, OutPoint, call::Call, open_enum::open_enum, page::Listing};

open_enum! {
    /// The class of a node, by locked collateral and measured hardware.
    Tier {
        Cumulus = "cumulus",
        Nimbus = "nimbus",
        Stratus = "stratus",
    }
}

open_enum! {
    /// How a node is.
    NodeState {
        Joined = "joined",
        Ready = "ready",
        Suspect = "suspect",
        Lost = "lost",
        Ineligible = "ineligible",
        Retired = "retired",
    }
}

/// Hardware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Thousandths of a cpu thread.
    pub cpu_milli: u64,
    pub ram_mib: u64,
    pub disk_gib: u64,
}

/// Where a machine stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub continent: String,
    pub country: String,
    pub region: String,
}

/// What a node measured of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    pub threads: u32,
    pub ram_mib: u64,
    pub disk_gib: u64,
    pub hash_mib_s: u64,
    pub disk_write_mib_s: u64,
    pub measured_at: DateTime<Utc>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub node_id: Uuid,
    /// Wallet address of its operator.
    pub operator: String,
    pub collateral: OutPoint,
    pub tier: Tier,
    pub state: NodeState,
    /// Why it is not ready; empty when it is.
    pub state_reason: String,
    /// What can be placed on it in all.
    pub capacity: Capacity,
    pub place: Place,
    pub ip: String,
    pub static_ip: bool,
    pub agent_version: String,
    pub runtime: String,
    pub joined_at: DateTime<Utc>,
    pub last_heartbeat_at: Option<DateTime<Utc>>,
    pub certificate_expires_at: DateTime<Utc>,
    pub benchmark: Option<Benchmark>,
    pub version: u64,
}

/// Nodes, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSummary {
    pub total: u64,
    pub by_state: BTreeMap<String, u64>,
    pub by_tier: BTreeMap<String, u64>,
    pub counted_at: DateTime<Utc>,
}

/// A one-time permission to join a machine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinToken {
    /// Shown once.
    pub token: String,
    pub expires_at: DateTime<Utc>,
    /// Where the agent dials.
    pub join_endpoint: String,
    /// PEM of the authority that the agent must find behind that endpoint.
    pub ca_pem: String,
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinToken(until {})", self.expires_at)
    }
}

#[derive(Serialize)]
struct CreateJoinToken<'a> {
    collateral: &'a OutPoint,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_seconds: Option<u32>,
}

impl Client {
    /// All nodes, or those of one operator or in one state.
    pub async fn nodes(
        &self,
        operator: Option<&str>,
        state: Option<&NodeState>,
        limit: u32,
    ) -> Result<Listing<Node>, Error> {
        let mut call = Call::get(&["nodes"]).public();
        if let Some(operator) = operator {
            call = call.query("operator", operator);
        }
        if let Some(state) = state {
            call = call.query("state", state.name());
        }
        self.listing(call, limit).await
    }

    pub async fn node(&self, node_id: Uuid) -> Result<Node, Error> {
        self.json(&Call::get(&["nodes", &node_id.to_string()]).public())
            .await
    }

    pub async fn node_summary(&self) -> Result<NodeSummary, Error> {
        self.json(&Call::get(&["nodes", "summary"]).public()).await
    }

    /// Permission to join one machine, bound to the caller as operator and to a collateral.
    pub async fn create_join_token(
        &self,
        collateral: &OutPoint,
        ttl_seconds: Option<u32>,
    ) -> Result<JoinToken, Error> {
        let body = CreateJoinToken {
            collateral,
            ttl_seconds,
        };
        let segments = &["nodes", "join-tokens"];
        let call = Call::change(Method::POST, segments, self.key()).json(&body)?;
        self.json(&call).await
    }
}
