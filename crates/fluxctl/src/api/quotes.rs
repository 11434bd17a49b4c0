//! Firm prices.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Amount, Client, Error, Rate, call::Call};

/// A price that holds until it expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub quote_id: Uuid,
    pub owner: String,
    pub app_name: String,
    pub spec_sha256: String,
    /// What must be paid in all.
    pub price: Amount,
    pub price_usd: Amount,
    /// Dollars per FLUX.
    pub rate: Amount,
    /// Of FluxOS' specifications only.
    pub term_blocks: Option<u32>,
    pub term_seconds: u64,
    pub instances: u32,
    pub payment_address: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub price_table: String,
    /// How the price came about, one step a line.
    pub breakdown: Vec<String>,
    /// The smallest amount that FluxOS nodes themselves would accept; of FluxOS' specifications only.
    pub network_minimum: Option<Amount>,
    /// The rate that the quote is pinned to, and what it rests on.
    pub rate_basis: Option<Rate>,
    /// What the price consists of; each currency adds up to its price.
    pub lines: Vec<PriceLine>,
    /// Where it could run when the quote was made, and how soon it would.
    pub what_if: Option<WhatIf>,
    /// Until when the name is kept for the owner.
    pub name_reserved_until: Option<DateTime<Utc>>,
}

/// One part of a price, in both currencies. Negative where something is taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceLine {
    pub item: String,
    pub usd: Amount,
    pub flux: Amount,
}

/// What placement would do with a specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIf {
    pub nodes_matching: u32,
    pub nodes_known: u32,
    /// Copies that find a node, all placed together.
    pub instances_placeable: u32,
    /// Why the others find none, and what would help.
    pub pending_reason: Option<String>,
    /// From funding to healthy; null when no copy finds a node.
    pub expected_start_seconds: Option<u32>,
    /// Latest starts that this rests on; 0 for an assumption.
    pub starts_measured: u32,
    /// Copies that have room while the quote is firm; null for updates.
    pub instances_reserved: Option<u32>,
    /// Why that is not as many as are wanted.
    pub reservation_shortage: Option<String>,
}

#[derive(Serialize)]
struct CreateQuote<'a> {
    spec: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_of: Option<&'a str>,
}

impl Client {
    /// Asks for a price. `update_of` names the running application that the specification shall replace.
    pub async fn create_quote(
        &self,
        spec: &RawValue,
        update_of: Option<&str>,
    ) -> Result<Quote, Error> {
        let body = CreateQuote { spec, update_of };
        let call = Call::change(Method::POST, &["quotes"], self.key()).json(&body)?;
        self.json(&call).await
    }

    pub async fn quote(&self, quote_id: Uuid) -> Result<Quote, Error> {
        self.json(&Call::get(&["quotes", &quote_id.to_string()]))
            .await
    }
}
