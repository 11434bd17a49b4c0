//! What is priced, as plain quantities: no specification, no application.

use fluxplane_core::{Resources, Tier};
use serde::{Deserialize, Serialize};

/// What an application asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Copies of the application, at least one.
    pub instances: u32,
    /// The tier that its nodes must have; without one any node will do, at the price of the lowest.
    #[serde(default)]
    pub tier: Option<Tier>,
    /// What one copy consists of.
    pub parts: Vec<Part>,
    /// Whether every copy needs an address that stays.
    #[serde(default)]
    pub static_ip: bool,
    /// How long, in seconds: 1 to [`Order::MAX_SECONDS`].
    pub seconds: u64,
    #[serde(default)]
    pub plan: Plan,
    /// Traffic out of all copies over the whole time, in GiB. Not discounted.
    #[serde(default)]
    pub egress_gib: u64,
}

impl Order {
    /// Ten years of 365 days.
    pub const MAX_SECONDS: u64 = 315_360_000;
}

/// One component of one copy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// How the lines of the price name it.
    pub name: String,
    pub resources: Resources,
    #[serde(default)]
    pub gpus: Vec<Gpus>,
    /// Ports that cost extra: those that many want, such as 443.
    #[serde(default)]
    pub priced_ports: u32,
}

/// Graphics processors of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpus {
    /// A class of the price table.
    pub class: String,
    pub count: u32,
}

/// How the time is bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// By the second, to be ended at any time, without discount.
    #[default]
    PayAsYouGo,
    /// A term that may be ended early: then it costs what the shorter term would have cost.
    Term,
    /// A term that is owed to its end, for a larger discount.
    Committed,
}
