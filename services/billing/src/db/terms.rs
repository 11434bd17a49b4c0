//! What funded revisions bought.

use fluxplane_core::{
    Sat,
    id::{AppId, EpochNumber},
};
use fluxplane_ledger::accrual::Term as Price;
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, integer, small, unsigned},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{party, price_list, price_list_columns};
use crate::domain::term::Term;

/// A row of `term`, column by column.
struct Stored {
    revision_id: Uuid,
    app_id: Uuid,
    owner: String,
    quote_id: Uuid,
    price_row: Option<i64>,
    table_version: Option<i32>,
    total_sat: i64,
    seconds: i64,
    instances: i32,
    starts_at: i64,
    ends_at: i64,
    limit_seconds: i64,
    used_seconds: i64,
    charged_sat: i64,
    returned_sat: i64,
    cut: bool,
    settled_epoch: Option<i64>,
}

impl TryFrom<Stored> for Term {
    type Error = Inconsistency;

    fn try_from(row: Stored) -> Result<Self, Self::Error> {
        let id = row.revision_id;
        let count = |column, value| unsigned("term", column, id, value);
        let instances = small("term", "instances", id, row.instances)?;
        let seconds = count("seconds", row.seconds)?;
        let price = Price::new(Sat::new(row.total_sat), seconds, instances);
        Ok(Self {
            revision: id.into(),
            app: row.app_id.into(),
            owner: party("term", "owner", id, &row.owner)?,
            quote: row.quote_id.into(),
            list: price_list("term", id, row.price_row, row.table_version)?,
            price: price.map_err(|_| Inconsistency::new("term", "total_sat", id, row.total_sat))?,
            instances,
            starts_at: count("starts_at", row.starts_at)?,
            ends_at: count("ends_at", row.ends_at)?,
            limit: count("limit_seconds", row.limit_seconds)?,
            used: count("used_seconds", row.used_seconds)?,
            charged: Sat::new(row.charged_sat),
            returned: Sat::new(row.returned_sat),
            cut: row.cut,
            settled: row.settled_epoch.is_some(),
        })
    }
}

/// Stores a new term. `seconds` is its planned length.
pub async fn insert(conn: &mut PgConnection, term: &Term, seconds: u64) -> sqlx::Result<()> {
    let (row, version) = price_list_columns(term.list);
    sqlx::query!(
        r#"
        INSERT INTO term (revision_id, app_id, owner, quote_id, price_row, total_sat, seconds, instances,
                          starts_at, ends_at, limit_seconds, table_version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        "#,
        term.revision.uuid(),
        term.app.uuid(),
        term.owner.as_str(),
        term.quote.uuid(),
        row,
        term.price.total().get(),
        bigint(seconds),
        integer(term.instances),
        bigint(term.starts_at),
        bigint(term.ends_at),
        bigint(term.limit),
        version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The terms of an application that may still change, locked.
pub async fn lock_of_app(conn: &mut PgConnection, app: AppId) -> sqlx::Result<Vec<Term>> {
    let rows = sqlx::query_as!(
        Stored,
        r#"
        SELECT revision_id, app_id, owner, quote_id, price_row, table_version, total_sat, seconds, instances,
               starts_at, ends_at, limit_seconds, used_seconds, charged_sat, returned_sat, cut, settled_epoch
        FROM term WHERE app_id = $1 AND settled_epoch IS NULL ORDER BY revision_id FOR UPDATE
        "#,
        app.uuid(),
    )
    .fetch_all(conn)
    .await?;
    terms(rows)
}

/// The same, only read.
pub async fn of_app(conn: &mut PgConnection, app: AppId) -> sqlx::Result<Vec<Term>> {
    let rows = sqlx::query_as!(
        Stored,
        r#"
        SELECT revision_id, app_id, owner, quote_id, price_row, table_version, total_sat, seconds, instances,
               starts_at, ends_at, limit_seconds, used_seconds, charged_sat, returned_sat, cut, settled_epoch
        FROM term WHERE app_id = $1 AND settled_epoch IS NULL ORDER BY revision_id
        "#,
        app.uuid(),
    )
    .fetch_all(conn)
    .await?;
    terms(rows)
}

/// The terms that an epoch may touch, locked: those of applications with evidence, and those that ended by its end.
pub async fn lock_for_settlement(
    conn: &mut PgConnection,
    apps: &[Uuid],
    ends_at: u64,
) -> sqlx::Result<Vec<Term>> {
    let rows = sqlx::query_as!(
        Stored,
        r#"
        SELECT revision_id, app_id, owner, quote_id, price_row, table_version, total_sat, seconds, instances,
               starts_at, ends_at, limit_seconds, used_seconds, charged_sat, returned_sat, cut, settled_epoch
        FROM term
        WHERE settled_epoch IS NULL AND (ends_at <= $2 OR app_id IN (SELECT unnest($1::uuid[])))
        ORDER BY revision_id FOR UPDATE
        "#,
        apps,
        bigint(ends_at),
    )
    .fetch_all(conn)
    .await?;
    terms(rows)
}

fn terms(rows: Vec<Stored>) -> sqlx::Result<Vec<Term>> {
    rows.into_iter()
        .map(|row| Term::try_from(row).map_err(sqlx::Error::from))
        .collect()
}

/// Stores what changed of locked terms. Those that are settled now name the epoch that did it.
pub async fn update(
    conn: &mut PgConnection,
    terms: &[Term],
    epoch: Option<EpochNumber>,
) -> sqlx::Result<()> {
    let column = |value: fn(&Term) -> i64| terms.iter().map(value).collect::<Vec<i64>>();
    let ids: Vec<Uuid> = terms.iter().map(|term| term.revision.uuid()).collect();
    let cut: Vec<bool> = terms.iter().map(|term| term.cut).collect();
    let epoch = epoch.map(|epoch| bigint(epoch.0));
    let settled: Vec<Option<i64>> = terms
        .iter()
        .map(|term| epoch.filter(|_| term.settled))
        .collect();
    let updated = sqlx::query!(
        r#"
        UPDATE term SET ends_at = new.ends_at, limit_seconds = new.limit_seconds, used_seconds = new.used_seconds,
                        charged_sat = new.charged_sat, returned_sat = new.returned_sat, cut = new.cut,
                        settled_epoch = new.settled_epoch
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                    $7::boolean[], $8::bigint[])
             AS new (id, ends_at, limit_seconds, used_seconds, charged_sat, returned_sat, cut, settled_epoch)
        WHERE term.revision_id = new.id AND term.settled_epoch IS NULL
        "#,
        &ids,
        &column(|term| bigint(term.ends_at)),
        &column(|term| bigint(term.limit)),
        &column(|term| bigint(term.used)),
        &column(|term| term.charged.get()),
        &column(|term| term.returned.get()),
        &cut,
        &settled as &[Option<i64>],
    )
    .execute(conn)
    .await?;
    if usize::try_from(updated.rows_affected()) == Ok(terms.len()) {
        return Ok(());
    }
    let text = format!(
        "{} of {} terms were updated",
        updated.rows_affected(),
        terms.len()
    );
    Err(sqlx::Error::Protocol(text))
}
