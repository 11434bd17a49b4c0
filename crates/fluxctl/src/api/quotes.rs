//! Firm prices.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Amount, Client, Error, call::Call};

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
    pub term_blocks: u32,
    pub term_seconds: u64,
    pub instances: u32,
    pub payment_address: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub price_table: String,
    /// How the price came about, one step a line.
    pub breakdown: Vec<String>,
    /// The smallest amount that FluxOS nodes themselves would accept.
    pub network_minimum: Amount,
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
