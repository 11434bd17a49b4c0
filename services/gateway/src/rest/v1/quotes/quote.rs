//! A quote as its owner sees it.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_proto::billing::v1::{self as wire, GetQuoteRequest};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::{
    Failure, Gateway,
    amount::Amount,
    extract::Call,
    wire::{Malformed, id, required, time},
};

/// A price that holds until it expires.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Quote {
    pub quote_id: Uuid,
    /// Who asked, and who must own the application.
    pub owner: String,
    #[schema(example = "KadenaChainWebNode")]
    pub app_name: String,
    /// SHA-256 of the canonical specification the price is for, lower-case hex.
    pub spec_sha256: String,
    /// What must be paid in all.
    pub price: Amount,
    /// The same in dollars, at `rate`.
    pub price_usd: Amount,
    /// Dollars per FLUX.
    pub rate: Amount,
    /// Length of the paid term in blocks.
    #[schema(example = 88_000)]
    pub term_blocks: u32,
    /// Length of the paid term in seconds.
    pub term_seconds: u64,
    /// Copies the price is for.
    #[schema(example = 3)]
    pub instances: u32,
    /// Where a chain payment goes.
    #[schema(example = "t3NryfAQLGeFs9jEoeqsxmBN2QLRaRKFLUX")]
    pub payment_address: String,
    pub created_at: DateTime<Utc>,
    /// The price holds until then.
    pub expires_at: DateTime<Utc>,
    /// Name and height of the price table.
    pub price_table: String,
    /// How the price came about, one step a line.
    pub breakdown: Vec<String>,
    /// The smallest amount that FluxOS nodes themselves would accept.
    pub network_minimum: Amount,
}

impl TryFrom<wire::Quote> for Quote {
    type Error = Malformed;

    fn try_from(quote: wire::Quote) -> Result<Self, Malformed> {
        Ok(Self {
            quote_id: id("quote_id", &quote.quote_id)?,
            owner: quote.owner,
            app_name: quote.app_name,
            spec_sha256: quote.spec_sha256,
            price: Amount::from_wire("price", quote.price)?,
            price_usd: Amount::from_wire("price_usd", quote.price_usd)?,
            rate: Amount::usd(quote.rate_micro_usd),
            term_blocks: quote.term_blocks,
            term_seconds: quote.term_seconds,
            instances: quote.instances,
            payment_address: quote.payment_address,
            created_at: time("created_at", quote.created_at)?,
            expires_at: time("expires_at", quote.expires_at)?,
            price_table: quote.price_table,
            breakdown: quote.breakdown,
            network_minimum: Amount::from_wire("network_minimum", quote.network_minimum)?,
        })
    }
}

/// A quote of the caller; another one's does not exist for them.
pub async fn own_quote(gateway: &Gateway, call: &Call, quote_id: Uuid) -> Result<Quote, Failure> {
    let request = GetQuoteRequest {
        quote_id: quote_id.to_string(),
    };
    let answer = gateway.peers.billing.get_quote(request).await?;
    let quote = Quote::try_from(required("quote", answer.quote)?)?;
    if quote.owner == call.principal.address {
        Ok(quote)
    } else {
        Err(Failure::not_found(format!(
            "quote {quote_id} does not exist"
        )))
    }
}

/// The quote that a submission names. That it does not exist is then a fault of the submission.
pub async fn quote_to_pay(
    gateway: &Gateway,
    call: &Call,
    quote_id: Uuid,
) -> Result<Quote, Failure> {
    own_quote(gateway, call, quote_id).await.map_err(|failure| {
        if failure.reason() != Reason::NotFound {
            return failure;
        }
        let rule = "a quote of yours";
        Failure::refuse(
            ErrorKind::Conflict,
            Reason::QuoteInvalid,
            format!("quote {quote_id} does not exist"),
            vec![Violation::new(
                "quote_id",
                quote_id,
                rule,
                "ask for a quote first",
            )],
        )
    })
}
