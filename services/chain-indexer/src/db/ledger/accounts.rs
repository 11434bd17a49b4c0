//! Scripts, what each transaction did to them, and what they have.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use fluxplane_flux_chain::{Hash256, ScriptBuf};
use fluxplane_platform::db::paging::Page;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::{ensure_rows, outputs::beyond};
use crate::{
    db::{
        columns::{Column, int},
        copy::Rows,
    },
    domain::ledger::settle::{Account, BalanceChange, EntryRow},
};

/// Bytes of a row of `account_entry` in the stream.
const ENTRY_BYTES: usize = 2 + 5 * 4 + 3 * 4 + 2 * 8;

/// Bytes of a usual row of `account` in the stream.
const ACCOUNT_BYTES: usize = 2 + 2 * 4 + 4 + 25;

/// Bytes of a row of `balance` in the stream.
const BALANCE_BYTES: usize = 2 + 6 * 4 + 4 * 4 + 2 * 8;

/// What a script has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub script: ScriptBuf,
    pub balance: Sat,
    pub received: Sat,
    pub sent: Sat,
    pub transactions: u32,
    pub first_height: u32,
    pub last_height: u32,
}

/// What a transaction did to a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: EntryKey,
    pub txid: Hash256,
    pub block_time: DateTime<Utc>,
    pub received: Sat,
    pub sent: Sat,
}

/// Place of a transaction on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryKey {
    pub height: u32,
    pub position: u32,
}

/// Place in the order of riches. The rank goes along, so that a page need not count what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RichKey {
    pub balance_sat: i64,
    pub account: Account,
    pub rank: u64,
}

struct Row {
    account: Account,
    script: Vec<u8>,
    balance_sat: Option<i64>,
    received_sat: i64,
    sent_sat: i64,
    transactions: i32,
    first_height: i32,
    last_height: i32,
}

const fn column(name: &'static str) -> Column {
    Column("balance", name)
}

impl TryFrom<Row> for Summary {
    type Error = fluxplane_platform::db::Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let id = row.account;
        let uint = |name, value| column(name).uint(id, value);
        let balance = row.balance_sat;
        Ok(Self {
            script: ScriptBuf::new(row.script),
            balance: Sat::new(balance.ok_or_else(|| column("balance_sat").wrong(id, balance))?),
            received: Sat::new(row.received_sat),
            sent: Sat::new(row.sent_sat),
            transactions: uint("transactions", row.transactions)?,
            first_height: uint("first_height", row.first_height)?,
            last_height: uint("last_height", row.last_height)?,
        })
    }
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    accounts: &[(Account, &[u8])],
) -> sqlx::Result<()> {
    let mut rows = Rows::new(2, accounts.len() * ACCOUNT_BYTES);
    for (id, script) in accounts {
        rows.row().integer(*id).bytea(script)?;
    }
    rows.write(conn, "account (id, script)").await
}

pub(super) async fn insert_entries(
    conn: &mut PgConnection,
    entries: &[EntryRow],
) -> sqlx::Result<()> {
    let mut rows = Rows::new(5, entries.len() * ENTRY_BYTES);
    for entry in entries {
        rows.row()
            .integer(entry.account)
            .uint(entry.at.height)?
            .uint(entry.at.position)?
            .bigint(entry.received)
            .bigint(entry.sent);
    }
    let target = "account_entry (account, height, position, received_sat, sent_sat)";
    rows.write(conn, target).await
}

/// Adds to balances. Scripts whose number is above `known` begin theirs.
///
/// In two statements, because one that inserts or updates would judge what is added as if it were a balance of its own.
pub(super) async fn add(
    conn: &mut PgConnection,
    changes: &BTreeMap<Account, BalanceChange>,
    known: Account,
) -> sqlx::Result<()> {
    let begun = || changes.range(known.saturating_add(1)..);
    let mut rows = Rows::new(6, begun().count() * BALANCE_BYTES);
    for (account, change) in begun() {
        rows.row()
            .integer(*account)
            .bigint(change.received)
            .bigint(change.sent)
            .integer(change.transactions)
            .uint(change.first_height)?
            .uint(change.last_height)?;
    }
    let target =
        "balance (account, received_sat, sent_sat, transactions, first_height, last_height)";
    rows.write(conn, target).await?;
    update(conn, changes.range(..=known).collect()).await
}

async fn update(
    conn: &mut PgConnection,
    changes: Vec<(&Account, &BalanceChange)>,
) -> sqlx::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let accounts: Vec<Account> = changes.iter().map(|(account, _)| **account).collect();
    let sums = |field: fn(&BalanceChange) -> i64| -> Vec<i64> {
        changes.iter().map(|(_, change)| field(change)).collect()
    };
    let transactions: Vec<i32> = changes
        .iter()
        .map(|(_, change)| change.transactions)
        .collect();
    let heights = changes
        .iter()
        .map(|(_, change)| int(change.last_height))
        .collect::<sqlx::Result<Vec<_>>>()?;
    let changed = sqlx::query!(
        r#"
        UPDATE balance b SET
            received_sat = b.received_sat + c.received, sent_sat = b.sent_sat + c.sent,
            transactions = b.transactions + c.transactions, last_height = c.height
        FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[])
            AS c (account, received, sent, transactions, height)
        WHERE b.account = c.account
        "#,
        &accounts,
        &sums(|change| change.received),
        &sums(|change| change.sent),
        &transactions,
        &heights,
    )
    .execute(conn)
    .await?;
    ensure_rows(changed.rows_affected(), changes.len(), "add to balances")
}

/// The numbers of those of `scripts` that have one.
pub async fn find(
    conn: &mut PgConnection,
    scripts: &[&[u8]],
) -> sqlx::Result<HashMap<Vec<u8>, Account>> {
    if scripts.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"
        SELECT a.id, a.script FROM unnest($1::bytea[]) AS wanted (script)
        JOIN account a ON sha256(a.script) = sha256(wanted.script)
        "#,
        scripts as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.script, row.id)).collect())
}

/// The highest number given, 0 for none.
pub async fn last(conn: &mut PgConnection) -> sqlx::Result<Account> {
    let last = sqlx::query_scalar!("SELECT max(id) FROM account")
        .fetch_one(conn)
        .await?;
    Ok(last.unwrap_or(0))
}

/// The number of a script.
pub async fn number(conn: &mut PgConnection, script: &[u8]) -> sqlx::Result<Option<Account>> {
    sqlx::query_scalar!(
        "SELECT id FROM account WHERE sha256(script) = sha256($1::bytea)",
        script,
    )
    .fetch_optional(conn)
    .await
}

/// What a script has.
pub async fn summary(conn: &mut PgConnection, script: &[u8]) -> sqlx::Result<Option<Summary>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT b.account, a.script, b.balance_sat, b.received_sat, b.sent_sat, b.transactions,
               b.first_height, b.last_height
        FROM account a JOIN balance b ON b.account = a.id
        WHERE sha256(a.script) = sha256($1::bytea)
        "#,
        script,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Summary::try_from).transpose()?)
}

/// What transactions did to a script, newest first.
pub async fn entries(
    conn: &mut PgConnection,
    account: Account,
    page: &Page<EntryKey>,
) -> sqlx::Result<Vec<Entry>> {
    let after = page.after;
    let rows = sqlx::query!(
        r#"
        SELECT e.height, e.position, e.received_sat, e.sent_sat, t.txid, b.time
        FROM (
            SELECT height, position, received_sat, sent_sat FROM account_entry
            WHERE account = $1
              AND ($2::integer IS NULL OR (height, position) < ($2, $3::integer))
            ORDER BY height DESC, position DESC LIMIT $4
        ) e
        JOIN block_transaction t ON t.height = e.height AND t.position = e.position
        JOIN block b ON b.height = e.height
        ORDER BY e.height DESC, e.position DESC
        "#,
        account,
        after.map(|key| beyond(key.height)),
        after.map(|key| beyond(key.position)),
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let entry = |name| Column("account_entry", name);
            let height = entry("height").uint(account, row.height)?;
            Ok(Entry {
                key: EntryKey {
                    height,
                    position: entry("position").uint(account, row.position)?,
                },
                txid: Column("block_transaction", "txid").hash(height, &row.txid)?,
                block_time: row.time,
                received: Sat::new(row.received_sat),
                sent: Sat::new(row.sent_sat),
            })
        })
        .collect()
}

/// Scripts by balance, richest first, each with its key.
pub async fn rich(
    conn: &mut PgConnection,
    page: &Page<RichKey>,
) -> sqlx::Result<Vec<(RichKey, Summary)>> {
    let after = page.after;
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT b.account, a.script, b.balance_sat, b.received_sat, b.sent_sat, b.transactions,
               b.first_height, b.last_height
        FROM (
            SELECT * FROM balance
            WHERE balance_sat > 0
              AND ($1::bigint IS NULL OR balance_sat < $1 OR (balance_sat = $1 AND account > $2))
            ORDER BY balance_sat DESC, account LIMIT $3
        ) b
        JOIN account a ON a.id = b.account
        ORDER BY b.balance_sat DESC, b.account
        "#,
        after.map(|key| key.balance_sat),
        after.map(|key| key.account),
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    let before = after.map_or(0, |key| key.rank);
    (before.saturating_add(1)..)
        .zip(rows)
        .map(|(rank, row)| {
            let account = row.account;
            let summary = Summary::try_from(row)?;
            let key = RichKey {
                balance_sat: summary.balance.get(),
                account,
                rank,
            };
            Ok((key, summary))
        })
        .collect()
}
