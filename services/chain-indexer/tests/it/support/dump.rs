//! Everything a database holds about the chain, to look at and to compare with another one.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgPool, Row as _};

/// Tables that follow from the chain alone. `daemon` is bookkeeping, `outbox` and the platform's tables are on their way out.
const TABLES: [&str; 10] = [
    "chain",
    "block",
    "block_transaction",
    "collateral_output",
    "fluxnode",
    "fluxnode_delegates",
    "fluxnode_undo",
    "payment",
    "payment_output",
    "mempool_transaction",
];

/// The rows of each table, sorted.
pub(crate) type Dump = BTreeMap<&'static str, Vec<String>>;

#[expect(
    clippy::disallowed_methods,
    reason = "the same query for tables of every shape"
)]
pub(crate) async fn dump(pool: &PgPool) -> Dump {
    let mut dump = Dump::new();
    for table in TABLES {
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
async fn digests(pool: &PgPool) -> BTreeMap<&'static str, Option<String>> {
    let mut digests = BTreeMap::new();
    for table in TABLES {
        let sql = format!("SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t");
        let digest = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(pool)
            .await
            .unwrap();
        digests.insert(table, digest);
    }
    digests
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
    for table in TABLES {
        let (found, expected) = (&found[table], &expected[table]);
        if found == expected {
            continue;
        }
        let extra = found.iter().find(|row| !expected.contains(row));
        let missing = expected.iter().find(|row| !found.contains(row));
        panic!(
            "{context}: {table} has {} rows instead of {}\n  extra: {extra:?}\n  missing: {missing:?}",
            found.len(),
            expected.len()
        );
    }
}
