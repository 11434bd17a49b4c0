//! Customers' bills. Their lines are leaves.

use fluxplane_core::{Sat, id::InvoiceId};
use fluxplane_platform::db::{
    columns::{bigint, bytes_32, unsigned},
    paging::Page,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::settlement;

pub async fn insert(
    conn: &mut PgConnection,
    epoch: u64,
    invoices: &[settlement::Invoice],
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = invoices.iter().map(|invoice| invoice.id.uuid()).collect();
    let owners: Vec<String> = invoices
        .iter()
        .map(|invoice| invoice.owner.to_string())
        .collect();
    let salts: Vec<Vec<u8>> = invoices
        .iter()
        .map(|invoice| invoice.salt.bytes().to_vec())
        .collect();
    let numbers = |number: fn(&settlement::Invoice) -> i64| -> Vec<i64> {
        invoices.iter().map(number).collect()
    };
    sqlx::query!(
        r#"
        INSERT INTO invoice (id, epoch, owner, owner_salt, total_sat, line_count, first_leaf)
        SELECT id, $1, owner, owner_salt, total_sat, line_count, first_leaf
        FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[])
             AS new (id, owner, owner_salt, total_sat, line_count, first_leaf)
        "#,
        bigint(epoch),
        &ids,
        &owners,
        &salts,
        &numbers(|invoice| invoice.total.get()),
        &numbers(|invoice| i64::from(invoice.lines)),
        &numbers(|invoice| bigint(invoice.first_leaf)),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A stored invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub id: InvoiceId,
    pub epoch: u64,
    pub owner: String,
    pub salt: [u8; 32],
    pub total: Sat,
    pub lines: u64,
    pub first_leaf: u64,
}

/// A row of `invoice`, column by column.
struct Row {
    id: Uuid,
    epoch: i64,
    owner: String,
    owner_salt: Vec<u8>,
    total_sat: i64,
    line_count: i64,
    first_leaf: i64,
}

impl TryFrom<Row> for Invoice {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let count = |column, value| unsigned("invoice", column, row.id, value);
        Ok(Self {
            id: row.id.into(),
            epoch: count("epoch", row.epoch)?,
            salt: bytes_32("invoice", "owner_salt", row.id, &row.owner_salt)?,
            total: Sat::new(row.total_sat),
            lines: count("line_count", row.line_count)?,
            first_leaf: count("first_leaf", row.first_leaf)?,
            owner: row.owner,
        })
    }
}

/// An invoice of this owner.
pub async fn get(
    conn: &mut PgConnection,
    id: InvoiceId,
    owner: &str,
) -> sqlx::Result<Option<Invoice>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, epoch, owner, owner_salt, total_sat, line_count, first_leaf
        FROM invoice WHERE id = $1 AND owner = $2
        "#,
        id.uuid(),
        owner,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Invoice::try_from).transpose()
}

/// Invoices of an owner, the newest epoch first.
pub async fn list(
    conn: &mut PgConnection,
    owner: &str,
    page: &Page<u64>,
) -> sqlx::Result<Vec<Invoice>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, epoch, owner, owner_salt, total_sat, line_count, first_leaf
        FROM invoice WHERE owner = $1 AND ($2::bigint IS NULL OR epoch < $2)
        ORDER BY epoch DESC LIMIT $3
        "#,
        owner,
        page.after.map(bigint),
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Invoice::try_from).collect()
}

/// Sum of all invoices of an owner.
pub async fn spent(conn: &mut PgConnection, owner: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(sum(total_sat), 0)::bigint AS "spent!" FROM invoice WHERE owner = $1"#,
        owner,
    )
    .fetch_one(conn)
    .await
}
