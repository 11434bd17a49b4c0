//! Everything a database holds about the chain, to look at and to compare with another one.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgPool, Row as _};

/// Tables that do not follow from the chain: what daemons said, what the platform keeps, and other chains.
const BOOKKEEPING: [&str; 11] = [
    "_sqlx_migrations",
    "agreement",
    "daemon",
    "evm_asset",
    "evm_block",
    "evm_node",
    "evm_transfer",
    "idempotency_key",
    "inbox",
    "lease",
    "outbox",
];

/// The rows of each table, sorted.
pub(crate) type Dump = BTreeMap<String, Vec<String>>;

/// Every table that follows from the chain, whoever added it.
#[expect(
    clippy::disallowed_methods,
    reason = "the catalogue has no checked queries"
)]
async fn tables(pool: &PgPool) -> Vec<String> {
    let all: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(all.iter().any(|table| table == "block"), "{all:?}");
    all.into_iter()
        .filter(|table| !BOOKKEEPING.contains(&table.as_str()))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the same query for tables of every shape"
)]
pub(crate) async fn dump(pool: &PgPool) -> Dump {
    let mut dump = Dump::new();
    for table in tables(pool).await {
        let sql = format!("SELECT to_jsonb(t)::text AS row FROM {table} t");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(pool)
            .await
            .unwrap();
        let mut rows: Vec<String> = rows.iter().map(|row| row.get("row")).collect();
        rows.sort();
        dump.insert(table, rows);
    }
    dump
}

/// One digest over each table, made where the rows are.
#[expect(
    clippy::disallowed_methods,
    reason = "the same query for tables of every shape"
)]
async fn digests(pool: &PgPool) -> Vec<(String, String)> {
    let parts: Vec<String> = tables(pool)
        .await
        .iter()
        .map(|table| {
            format!(
                "SELECT '{table}' AS name, coalesce((
                     SELECT md5(string_agg(line, '|' ORDER BY line))
                     FROM (SELECT md5(t::text) AS line FROM {table} t) lines), '') AS digest"
            )
        })
        .collect();
    let sql = parts.join(" UNION ALL ");
    let rows = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get("name"), row.get("digest")))
        .collect()
}

/// Compares two databases row for row. Panics with the first rows that differ.
pub(crate) async fn assert_same_rows(found: &PgPool, expected: &PgPool, context: &str) {
    if digests(found).await != digests(expected).await {
        assert_same(&dump(found).await, &dump(expected).await, context);
        panic!("{context}: the digests differ");
    }
}

/// Panics with the first rows that differ.
#[track_caller]
pub(crate) fn assert_same(found: &Dump, expected: &Dump, context: &str) {
    assert!(
        found.keys().eq(expected.keys()),
        "{context}: {:?} are other tables than {:?}",
        found.keys(),
        expected.keys()
    );
    for (table, expected) in expected {
        assert_same_table(&found[table], expected, &format!("{context}: {table}"));
    }
}

/// Panics with the first row that differs.
#[track_caller]
pub(crate) fn assert_same_table(found: &[String], expected: &[String], context: &str) {
    if found == expected {
        return;
    }
    let extra = found.iter().find(|row| !expected.contains(row));
    let missing = expected.iter().find(|row| !found.contains(row));
    panic!(
        "{context} has {} rows instead of {}\n  extra: {extra:?}\n  missing: {missing:?}",
        found.len(),
        expected.len()
    );
}
