//! Applications whose owners published them: everybody may read their messages and where they run, as FluxOS has it for all.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Sat,
    id::{InstanceId, RevisionId},
};

use super::AppState;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Waits for its payment.
    Waiting,
    /// Was paid, whatever came after.
    Paid,
    /// Was paid, and is what its living application runs or moves to.
    Current,
}

impl Standing {
    /// As the store knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Paid => "paid",
            Self::Current => "current",
        }
    }
}

/// Which messages are wanted. An empty text stands for any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub standing: Option<Standing>,
    pub message_hash: String,
    /// Wallet address.
    pub owner: String,
    /// Whatever its case.
    pub name: String,
}

/// A signed message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedMessage {
    pub revision: RevisionId,
    pub kind: String,
    /// Canonical JSON.
    pub spec_json: String,
    pub signed_at_ms: u64,
    pub signature: String,
    pub message_hash: String,
    /// Wallet address of the owner it names.
    pub owner: String,
    pub submitted_at: DateTime<Utc>,
    pub pay_until: DateTime<Utc>,
    pub funded_at: Option<DateTime<Utc>>,
    /// Empty when no payment funded it.
    pub payment_txid: String,
    pub payment_height: u32,
    pub paid: Sat,
    pub app_name: String,
    pub app_state: AppState,
    pub app_version: u64,
}

/// A copy whose container runs, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub instance: InstanceId,
    pub app_name: String,
    pub message_hash: String,
    /// Transaction and output.
    pub collateral: (String, u32),
    pub ip: IpAddr,
    pub static_ip: bool,
    pub healthy_at: DateTime<Utc>,
}
