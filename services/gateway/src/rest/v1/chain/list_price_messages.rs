//! `GET /v1/chain/price-messages`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::{self as wire, ListPriceMessagesRequest};
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    page::{Page, PageQuery},
    wire::some,
};

/// Prices of the network in FLUX for one period, as decimal numbers in the message's own digits.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceRow {
    /// For a tenth of a core.
    pub cpu: String,
    /// For 100 MB.
    pub ram: String,
    /// For a GB.
    pub hdd: String,
    pub min_price: String,
    pub port: String,
    pub scope: String,
    pub static_ip: String,
}

impl From<wire::PriceRow> for PriceRow {
    fn from(row: wire::PriceRow) -> Self {
        Self {
            cpu: row.cpu,
            ram: row.ram,
            hdd: row.hdd,
            min_price: row.min_price,
            port: row.port,
            scope: row.scope,
            static_ip: row.static_ip,
        }
    }
}

/// A price message of the foundation. It counts for blocks above its own.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceMessage {
    pub txid: String,
    /// As written.
    pub text: String,
    /// Null when the text is malformed.
    pub prices: Option<PriceRow>,
    /// Why the text is no price row; null when it is one.
    pub problem: Option<String>,
    pub height: u32,
    pub block_hash: String,
    pub confirmations: u32,
    /// Never taken back.
    pub r#final: bool,
}

impl From<wire::ChainPriceMessage> for PriceMessage {
    fn from(message: wire::ChainPriceMessage) -> Self {
        Self {
            txid: message.txid,
            text: message.text,
            prices: message.prices.map(PriceRow::from),
            problem: some(&message.problem).map(str::to_owned),
            height: message.height,
            block_hash: message.block_hash,
            confirmations: message.confirmations,
            r#final: message.r#final,
        }
    }
}

/// A page of the list.
pub type PriceMessagePage = Page<PriceMessage>;

/// List price messages
///
/// How the foundation changed the network's prices, oldest first.
#[utoipa::path(
    get,
    path = "/v1/chain/price-messages",
    tag = "chain",
    params(PageQuery),
    responses((status = 200, description = "A page of messages", body = PriceMessagePage)),
)]
pub async fn list_price_messages(
    State(gateway): State<Gateway>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<PriceMessagePage>, Failure> {
    let page = Some(page.wish()?);
    let request = ListPriceMessagesRequest { page };
    let answer = gateway.peers.payments.list_price_messages(request).await?;
    let messages = answer.messages.into_iter().map(PriceMessage::from);
    Ok(Json(Page::new(messages.collect(), answer.page)))
}
