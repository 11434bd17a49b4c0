//! Configuration of the scheduler. `scheduler check-config` prints what is in effect.

use std::path::PathBuf;

use fluxplane_platform::{
    config::{Base, Db, Listen, Nats, Span, Tls},
    runner,
};
use serde::{Deserialize, Serialize};

pub const DEFAULTS: &str = include_str!("defaults.toml");

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub base: Base,
    pub db: Db,
    pub nats: Nats,
    pub tls: Tls,
    /// For other services.
    pub grpc: Listen,
    pub intent: Intent,
    pub placement: Placement,
    pub rollout: Rollout,
    pub private: Private,
}

impl runner::Config for Config {
    fn base(&self) -> &Base {
        &self.base
    }

    fn db(&self) -> Option<&Db> {
        Some(&self.db)
    }
}

/// What owners may want, and for how long.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Time in which a revision must be paid. FluxOS gives a temporary message 60 minutes.
    pub pay_within: Span,
    /// Further time for a payment that was seen in full but is not confirmed yet.
    pub confirmation_grace: Span,
    /// Most applications of one owner that wait for their payment: an unpaid application reserves its name.
    pub unpaid_per_owner: u32,
    /// Most names that the quotes of one owner keep at once.
    pub reserved_per_owner: u32,
    /// Most copies for which the quotes of one owner keep room at once.
    pub reserved_copies_per_owner: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// How often the leader looks for work that nobody told it of.
    pub period: Span,
    /// Pause before a node is looked for again for an instance that found none.
    pub retry: Span,
    /// Longest time an application that has not ended stays unlooked at.
    pub recheck: Span,
    /// Largest part of what the nodes that take new work have, that all quotes together keep, in per cent.
    pub reserved_percent: u32,
    /// How long the fleet is kept for previews.
    pub preview_keep: Span,
    /// How long a start is expected to take while too few were measured.
    pub assumed_start: Span,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// Time an instance of a new revision gets to become healthy before the rollout stops.
    pub health_timeout: Span,
}

/// What is private of applications, and who keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Private {
    /// The root keys; readable by the owner of the process alone. `fluxctl admin root-keys` makes and changes it.
    pub root_keys_file: PathBuf,
    /// Most secrets of one owner.
    pub secrets_per_owner: u32,
    /// How long specification and environment of an application are kept after it ended.
    pub keep_ended: Span,
    /// How often what is sealed with old keys, or not at all, is looked for.
    pub upkeep_period: Span,
}
