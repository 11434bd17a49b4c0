//! The fluxnode lists as a whole: who is paid next, and what the tiers add up to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Amount, Client, Error, OutPoint, call::Call, nodes::Tier};

/// The block after which an answer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListBlock {
    pub height: u32,
    pub hash: String,
    pub time: DateTime<Utc>,
}

/// Whom a block to come pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextPayee {
    pub height: u32,
    pub tier: Tier,
    pub collateral: OutPoint,
    /// Null when the payment script has no address form.
    pub payment_address: Option<String>,
    pub amount: Amount,
    pub expected_at: DateTime<Utc>,
}

/// Whom the blocks after one pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextPayees {
    pub items: Vec<NextPayee>,
    pub block: ListBlock,
}

/// Nodes, locked coins and turnover of a tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierStatistics {
    pub tier: Tier,
    pub started: u32,
    pub confirmed: u32,
    pub dos: u32,
    pub locked: Amount,
    pub reward: Amount,
    pub payment_interval_blocks: Option<u32>,
    pub recent: TierTurnover,
}

/// Nodes of a tier that came and went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierTurnover {
    pub started: u32,
    pub confirmed: u32,
    pub expired: u32,
    pub spent: u32,
    pub dos: u32,
}

/// The tiers after a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    pub items: Vec<TierStatistics>,
    pub window_blocks: u32,
    pub block: ListBlock,
}

/// Hardware of nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    pub nodes: u64,
    pub cores: u64,
    pub threads: u64,
    pub ram_gb: u64,
    pub ssd_gb: u64,
}

/// Hardware of a tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierHardware {
    pub tier: Tier,
    pub minimum: Hardware,
    pub total: Hardware,
}

/// The hardware that the confirmed nodes must have at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkCapacity {
    pub tiers: Vec<TierHardware>,
    pub total: Hardware,
    pub block: ListBlock,
}

impl Client {
    /// Whom the blocks after `height`, or after the last one, pay.
    pub async fn next_payees(
        &self,
        height: Option<u32>,
        tier: Option<&Tier>,
        blocks: u32,
    ) -> Result<NextPayees, Error> {
        let call = Call::get(&["chain", "next-payees"])
            .public()
            .query("blocks", blocks.to_string())
            .maybe("height", height)
            .maybe("tier", tier.map(Tier::name));
        self.json(&call).await
    }

    pub async fn tiers(&self, height: Option<u32>) -> Result<Tiers, Error> {
        let call = Call::get(&["chain", "tiers"]).public();
        self.json(&call.maybe("height", height)).await
    }

    pub async fn capacity(&self, height: Option<u32>) -> Result<NetworkCapacity, Error> {
        let call = Call::get(&["chain", "capacity"]).public();
        self.json(&call.maybe("height", height)).await
    }
}
