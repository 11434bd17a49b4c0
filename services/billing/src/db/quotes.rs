//! Quotes.

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, id::QuoteId};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, bytes_32, integer, small, unsigned},
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{price_list, price_list_columns, rates};
use crate::domain::{
    price_list::PriceList,
    quote::{ListTerms, Offer, PriceLine, Quote, WhatIf, lines::MICRO_PER_CENT},
    rate::Basis,
};

pub async fn insert(conn: &mut PgConnection, quote: &Quote) -> sqlx::Result<()> {
    let offer = &quote.offer;
    let (row, version) = price_list_columns(offer.list.list());
    let (minimum, blocks) = match offer.list {
        ListTerms::FluxOs {
            network_minimum,
            term_blocks,
            ..
        } => (Some(network_minimum.get()), Some(bigint(term_blocks))),
        ListTerms::Native { .. } => (None, None),
    };
    sqlx::query!(
        r#"
        INSERT INTO quote (
            id, owner, app_name, spec, spec_sha256, replaces, price_sat, value_sat, price_usd_cents,
            network_minimum_sat, rate_micro_usd, rate_source, rate_at, height, price_row, price_table,
            term_blocks, term_seconds, instances, payment_address, breakdown, created_at, expires_at, rate_id,
            price_lines, what_if, name_reserved_until, price_micro_usd, table_version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
        "#,
        quote.id.uuid(),
        quote.owner,
        quote.app_name,
        quote.spec,
        &quote.spec_sha256,
        quote.replaces.map(Uuid::from),
        offer.price.get(),
        offer.value.get(),
        offer.micro_usd / MICRO_PER_CENT,
        minimum,
        i64::from(quote.rate.flux_usd.micros()),
        quote.rate.source,
        quote.rate.at,
        bigint(quote.height),
        row,
        offer.price_table,
        blocks,
        bigint(offer.term_seconds),
        integer(quote.instances),
        quote.payment_address,
        &offer.breakdown,
        quote.created_at,
        quote.expires_at,
        bigint(quote.rate.id),
        Json(&offer.lines) as _,
        quote.what_if.as_ref().map(Json) as _,
        quote.name_reserved_until,
        offer.micro_usd,
        version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A row of `quote`, column by column.
struct Stored {
    id: Uuid,
    owner: String,
    app_name: String,
    spec: String,
    spec_sha256: Vec<u8>,
    replaces: Option<Uuid>,
    price_sat: i64,
    value_sat: i64,
    price_micro_usd: i64,
    network_minimum_sat: Option<i64>,
    rate_micro_usd: i64,
    rate_source: String,
    rate_at: DateTime<Utc>,
    height: i64,
    price_row: Option<i64>,
    table_version: Option<i32>,
    price_table: String,
    term_blocks: Option<i64>,
    term_seconds: i64,
    instances: i32,
    payment_address: String,
    breakdown: Vec<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    rate_id: Option<i64>,
    basis: Option<Json<Basis>>,
    price_lines: Json<Vec<PriceLine>>,
    what_if: Option<Json<WhatIf>>,
    name_reserved_until: Option<DateTime<Utc>>,
}

impl TryFrom<Stored> for Quote {
    type Error = Inconsistency;

    fn try_from(row: Stored) -> Result<Self, Self::Error> {
        let id = row.id;
        let needed = |column, value: Option<i64>| {
            value.ok_or_else(|| Inconsistency::new("quote", column, id, "null"))
        };
        Ok(Self {
            id: id.into(),
            owner: row.owner,
            app_name: row.app_name,
            spec: row.spec,
            spec_sha256: bytes_32("quote", "spec_sha256", id, &row.spec_sha256)?,
            replaces: row.replaces.map(Into::into),
            offer: Offer {
                price: Sat::new(row.price_sat),
                value: Sat::new(row.value_sat),
                micro_usd: row.price_micro_usd,
                list: match price_list("quote", id, row.price_row, row.table_version)? {
                    PriceList::FluxOs { row: height } => ListTerms::FluxOs {
                        row: height,
                        network_minimum: Sat::new(needed(
                            "network_minimum_sat",
                            row.network_minimum_sat,
                        )?),
                        term_blocks: unsigned(
                            "quote",
                            "term_blocks",
                            id,
                            needed("term_blocks", row.term_blocks)?,
                        )?,
                    },
                    PriceList::Native { version } => ListTerms::Native { version },
                },
                price_table: row.price_table,
                term_seconds: unsigned("quote", "term_seconds", id, row.term_seconds)?,
                breakdown: row.breakdown,
                lines: row.price_lines.0,
            },
            rate: rates::of_quote(
                row.rate_id,
                small("quote", "rate_micro_usd", id, row.rate_micro_usd)?,
                row.rate_source,
                row.rate_at,
                row.basis.map(|Json(basis)| basis),
            )?,
            height: unsigned("quote", "height", id, row.height)?,
            what_if: row.what_if.map(|Json(what_if)| what_if),
            name_reserved_until: row.name_reserved_until,
            instances: small("quote", "instances", id, row.instances)?,
            payment_address: row.payment_address,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    }
}

pub async fn get(conn: &mut PgConnection, id: QuoteId) -> sqlx::Result<Option<Quote>> {
    let row = sqlx::query_as!(
        Stored,
        r#"
        SELECT q.id, owner, app_name, spec, spec_sha256, replaces, price_sat, value_sat,
               coalesce(price_micro_usd, price_usd_cents * 10000) AS "price_micro_usd!", network_minimum_sat, rate_micro_usd, rate_source, rate_at, height, price_row, table_version, price_table,
               term_blocks, term_seconds, instances, payment_address, breakdown, created_at, expires_at,
               rate_id, r.basis AS "basis?: Json<Basis>", price_lines AS "price_lines: Json<Vec<PriceLine>>",
               what_if AS "what_if: Json<WhatIf>", name_reserved_until
        FROM quote AS q LEFT JOIN rate AS r ON r.id = q.rate_id WHERE q.id = $1
        "#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Quote::try_from).transpose()?)
}
