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
    v1::rate::Rate,
    wire::{Malformed, id, optional_time, required, some, time},
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
    /// Length of the paid term in blocks; null for `fluxplane/v1`, whose terms are seconds.
    #[schema(example = 88_000)]
    pub term_blocks: Option<u32>,
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
    /// The price list: name and height of FluxOS' row, or the version of the plane's own.
    pub price_table: String,
    /// How the price came about, one step a line.
    pub breakdown: Vec<String>,
    /// The smallest amount that FluxOS nodes themselves would accept; null for `fluxplane/v1`.
    pub network_minimum: Option<Amount>,
    /// The rate that the quote is pinned to, and what it rests on.
    pub rate_basis: Option<Rate>,
    /// What the price consists of. The amounts of each currency add up to its price.
    pub lines: Vec<PriceLine>,
    /// Where it could run, and how soon it would, as it was when the quote was made.
    pub what_if: Option<WhatIf>,
    /// Until when the name is kept for the owner; null for updates, and where the owner has it already.
    pub name_reserved_until: Option<DateTime<Utc>>,
}

/// One part of a price, in both currencies. Negative where something is taken off.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PriceLine {
    #[schema(example = "web: 500/1000 of a cpu thread")]
    pub item: String,
    pub usd: Amount,
    pub flux: Amount,
}

/// What placement would do with the specification.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WhatIf {
    /// Nodes that could take a copy.
    #[schema(example = 412)]
    pub nodes_matching: u32,
    #[schema(example = 1_200)]
    pub nodes_known: u32,
    /// Copies that find a node, all placed together.
    #[schema(example = 3)]
    pub instances_placeable: u32,
    /// Why the others find none, and the smallest change that would help; null when all do.
    pub pending_reason: Option<String>,
    /// From funding to healthy, as fast as nine of ten of the latest starts were; null when no copy finds a node.
    #[schema(example = 9)]
    pub expected_start_seconds: Option<u32>,
    /// Latest starts that this rests on; 0 when it is an assumption.
    #[schema(example = 200)]
    pub starts_measured: u32,
    /// Copies that have room until the quote expires, and on until their application is placed when it is submitted in time;
    /// null for updates, which are where they are. Of several quotes for one name the newest keeps room.
    #[schema(example = 3)]
    pub instances_reserved: Option<u32>,
    /// Why that is not as many as are wanted; null when it is.
    pub reservation_shortage: Option<String>,
}

impl From<wire::WhatIf> for WhatIf {
    fn from(what_if: wire::WhatIf) -> Self {
        Self {
            nodes_matching: what_if.nodes_matching,
            nodes_known: what_if.nodes_known,
            instances_placeable: what_if.instances_placeable,
            pending_reason: some(&what_if.pending_reason).map(str::to_owned),
            expected_start_seconds: what_if.expected_start_seconds,
            starts_measured: what_if.starts_measured,
            instances_reserved: what_if.instances_reserved,
            reservation_shortage: some(&what_if.reservation_shortage).map(str::to_owned),
        }
    }
}

impl TryFrom<wire::PriceLine> for PriceLine {
    type Error = Malformed;

    fn try_from(line: wire::PriceLine) -> Result<Self, Malformed> {
        Ok(Self {
            item: line.item,
            usd: Amount::from_wire("line.usd", line.usd)?,
            flux: Amount::from_wire("line.flux", line.flux)?,
        })
    }
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
            network_minimum: quote
                .network_minimum
                .map(|minimum| Amount::from_wire("network_minimum", Some(minimum)))
                .transpose()?,
            rate_basis: quote.rate.map(Rate::try_from).transpose()?,
            lines: quote
                .lines
                .into_iter()
                .map(PriceLine::try_from)
                .collect::<Result<_, _>>()?,
            what_if: quote.what_if.map(WhatIf::from),
            name_reserved_until: optional_time("name_reserved_until", quote.name_reserved_until)?,
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
