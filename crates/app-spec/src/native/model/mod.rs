//! A native specification as types: amounts are integers of one base unit, defaults are filled in.
//!
//! A value of these types has the right shape; whether it keeps the rules is what [`super::examine`] finds out.

mod component;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use component::{
    Component, ExecProbe, Gpu, GpuVendor, HttpProbe, LoadBalancing, Port, Probe, Probes, Protocol,
    Restart, RestartPolicy, Snapshots, Source, Stop, Strategy, TcpProbe, Volume, VolumeKind,
};

/// The version of the specification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SchemaVersion {
    #[default]
    #[serde(rename = "fluxplane/v1")]
    V1,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NativeSpec {
    pub schema: SchemaVersion,
    pub name: String,
    pub description: String,
    /// Flux ID, checksummed 0x address, or public key.
    pub owner: String,
    pub components: BTreeMap<String, Component>,
    /// Exactly one of this, `autoscale` and `job` is given.
    pub instances: Option<u32>,
    pub autoscale: Option<Autoscale>,
    pub job: Option<Job>,
    pub update: Update,
    pub placement: Placement,
    pub billing: Billing,
    pub notifications: Vec<Notification>,
    pub legacy: Option<Legacy>,
}

/// A range of instances and the load at which their number changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Autoscale {
    pub min: u32,
    pub max: u32,
    pub cpu_percent: Option<u32>,
    pub memory_percent: Option<u32>,
    /// Per instance, over all http ports.
    pub requests_per_second: Option<u32>,
    /// Seconds for which the load must be lower before an instance is removed.
    pub window: u64,
}

/// Work that ends; exactly one of its fields is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Job {
    pub batch: Option<Batch>,
    pub cron: Option<Cron>,
    pub gang: Option<Gang>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    pub completions: u32,
    pub parallelism: u32,
    pub retries: u32,
    /// Seconds.
    pub deadline: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cron {
    /// Minute, hour, day, month and weekday in UTC.
    pub schedule: String,
    pub concurrency: Concurrency,
    pub retries: u32,
    /// Seconds.
    pub deadline: Option<u64>,
}

/// What happens when a run is due while one runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Concurrency {
    Forbid,
    Allow,
    Replace,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gang {
    pub workers: u32,
    pub rendezvous: Rendezvous,
    pub retries: u32,
    /// Seconds.
    pub deadline: Option<u64>,
}

/// Names of the variables in which a worker finds the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rendezvous {
    pub port: u16,
    pub address_variable: String,
    pub port_variable: String,
    pub rank_variable: String,
    pub size_variable: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Update {
    pub strategy: UpdateStrategy,
    pub max_unavailable: Share,
    /// Seconds.
    pub bake_time: u64,
    /// Per cent of the instances; empty means 10, then 50.
    pub canary_steps: Vec<u32>,
    pub rollback: Rollback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UpdateStrategy {
    Rolling,
    Canary,
    BlueGreen,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollback {
    pub automatic: bool,
    pub max_failed: Share,
    /// Seconds that a step may take.
    pub deadline: u64,
}

/// A number of instances, or a part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Share {
    Count(u32),
    Percent(Percent),
}

/// A whole number of per cent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percent(u8);

impl Percent {
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A text that is no percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no percentage; write 25%")]
pub struct PercentError(String);

impl TryFrom<String> for Percent {
    type Error = PercentError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = text
            .strip_suffix('%')
            .and_then(|digits| digits.parse().ok());
        match number.filter(|number| *number <= 100) {
            Some(number) => Ok(Self(number)),
            None => Err(PercentError(text)),
        }
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> Self {
        format!("{}%", percent.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placement {
    /// Areas such as `EU_DE`; empty means everywhere.
    pub allow: Vec<String>,
    pub forbid: Vec<String>,
    pub spread: Vec<SpreadKey>,
    /// Empty means all.
    pub tiers: Vec<Tier>,
    pub operators: Operators,
    pub nodes: Vec<String>,
    pub static_ip: bool,
    pub data_center: bool,
    /// Millionths of a US dollar per instance and 30 days.
    pub max_price: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SpreadKey {
    Operator,
    Network,
    Region,
    Country,
    Continent,
    Tier,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tier {
    Cumulus,
    Nimbus,
    Stratus,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operators {
    pub allow: Vec<String>,
    pub forbid: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Billing {
    pub mode: BillingMode,
    /// Seconds; given when the mode is a term.
    pub term: Option<u64>,
    pub renew: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BillingMode {
    PayAsYouGo,
    Term,
}

/// Someone who hears of what happens; exactly one address is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notification {
    pub email: Option<String>,
    pub webhook: Option<String>,
    /// Empty means all.
    pub events: Vec<EventKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventKind {
    Deployed,
    Degraded,
    Failed,
    RolledBack,
    Expiring,
    Invoice,
}

/// What a converted FluxOS specification says beyond the other fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Legacy {
    pub version: u8,
    /// The components in FluxOS' order.
    pub components: Vec<String>,
    pub residue: Vec<Residue>,
}

/// One difference between what the other fields amount to and the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Residue {
    /// A JSON pointer into the FluxOS specification.
    pub path: String,
    /// JSON text of what the other fields amount to; the difference counts only while they do.
    pub was: Option<String>,
    /// JSON text of the original.
    pub value: Option<String>,
    /// For a list of the same items: the place in `was` of each item of the original.
    pub order: Vec<u32>,
}
