//! The ledger. The rules are those of `fluxplane_ledger::book::Book`: what one accepts or refuses, so does the other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, id::TransferId};
use fluxplane_ledger::{
    Account, Asset, Group, Transfer,
    account::Side,
    book::{PostError as Refusal, Posted},
    routes::Purpose,
    transfer::TransferError,
};
use fluxplane_platform::db::Inconsistency;
use sqlx::PgConnection;
use uuid::Uuid;

/// Why a group was not posted.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error("database")]
    Db(#[from] sqlx::Error),
    /// The caller's transaction must be rolled back.
    #[error("the ledger refused")]
    Refused(#[source] Refusal),
    #[error("the transfers make no group")]
    Group(#[source] TransferError),
}

impl From<TransferError> for PostError {
    fn from(err: TransferError) -> Self {
        Self::Group(err)
    }
}

/// Locks accounts in a fixed order until the transaction ends, makes those that are new, and returns their balances on the
/// normal side.
pub async fn lock(
    conn: &mut PgConnection,
    accounts: &[&Account],
) -> sqlx::Result<BTreeMap<Account, i64>> {
    let mut balances = lock_known(conn, accounts).await?;
    let missing: Vec<&Account> = accounts
        .iter()
        .copied()
        .filter(|account| !balances.contains_key(account))
        .collect();
    if !missing.is_empty() {
        let (names, kinds): (Vec<String>, Vec<String>) = missing
            .iter()
            .map(|account| (account.to_string(), account.kind().name().to_owned()))
            .unzip();
        sqlx::query!(
            r#"
            INSERT INTO account (asset, name, kind)
            SELECT DISTINCT $1, name, kind FROM unnest($2::text[], $3::text[]) AS new (name, kind)
            ORDER BY name
            ON CONFLICT (asset, name) DO NOTHING
            "#,
            Asset::FLUX.to_string(),
            &names,
            &kinds,
        )
        .execute(&mut *conn)
        .await?;
        balances.extend(lock_known(conn, &missing).await?);
    }
    Ok(balances)
}

async fn lock_known(
    conn: &mut PgConnection,
    accounts: &[&Account],
) -> sqlx::Result<BTreeMap<Account, i64>> {
    let names: Vec<String> = accounts.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        r#"
        SELECT name, balance FROM account
        WHERE asset = $1 AND name IN (SELECT unnest($2::text[])) ORDER BY id FOR UPDATE
        "#,
        Asset::FLUX.to_string(),
        &names,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| named_balance(&row.name, row.balance))
        .collect()
}

fn named_balance(name: &str, balance: i64) -> sqlx::Result<(Account, i64)> {
    let account: Account = name
        .parse()
        .map_err(|_| Inconsistency::new("account", "name", name, name))?;
    let normal = match account.kind().normal_side() {
        Side::Credit => balance,
        Side::Debit => -balance,
    };
    Ok((account, normal))
}

/// Balances on the normal side, without locks. An account that was never used has none.
pub async fn balances(
    conn: &mut PgConnection,
    accounts: &[Account],
) -> sqlx::Result<BTreeMap<Account, i64>> {
    let names: Vec<String> = accounts.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        "SELECT name, balance FROM account WHERE asset = $1 AND name = ANY($2)",
        Asset::FLUX.to_string(),
        &names,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| named_balance(&row.name, row.balance))
        .collect()
}

/// Posts a group whole or not at all. The same group posted again changes nothing.
pub async fn post(
    conn: &mut PgConnection,
    group: &Group,
    booked_at: DateTime<Utc>,
) -> Result<Posted, PostError> {
    let accounts: Vec<&Account> = group
        .lock_order()
        .into_iter()
        .map(|(_, account)| account)
        .collect();
    let balances = lock(conn, &accounts).await?;
    if repetition(conn, group).await? == Posted::Repeated {
        return Ok(Posted::Repeated);
    }
    check_undoing(conn, group).await?;
    check_limits(group, &balances).map_err(PostError::Refused)?;
    let inserted = insert(conn, group, booked_at).await?;
    if usize::try_from(inserted) == Ok(group.transfers().len()) {
        return Ok(Posted::New);
    }
    // Somebody who touches other accounts took one of the ids since it was looked for.
    let taken = group.transfers()[0].id;
    Err(PostError::Refused(Refusal::IdTaken(taken)))
}

/// Posts transfers that are made together, if there are any.
pub async fn post_all(
    conn: &mut PgConnection,
    transfers: Vec<Transfer>,
    booked_at: DateTime<Utc>,
) -> Result<(), PostError> {
    if transfers.is_empty() {
        return Ok(());
    }
    post(conn, &Group::new(transfers)?, booked_at).await?;
    Ok(())
}

fn check_limits(group: &Group, balances: &BTreeMap<Account, i64>) -> Result<(), Refusal> {
    let mut after: BTreeMap<&Account, i128> = BTreeMap::new();
    for transfer in group.transfers() {
        let amount = i128::from(transfer.amount.get());
        for (account, side) in [
            (&transfer.debit, Side::Debit),
            (&transfer.credit, Side::Credit),
        ] {
            let start = i128::from(balances.get(account).copied().unwrap_or(0));
            let left = after.entry(account).or_insert(start);
            if account.kind().normal_side() == side {
                *left += amount;
            } else {
                *left -= amount;
            }
        }
    }
    for (account, left) in after {
        let before = i128::from(balances.get(account).copied().unwrap_or(0));
        if !account.kind().may_go_negative() && left < 0 && left < before {
            return Err(Refusal::Overdrawn {
                account: account.clone(),
                asset: Asset::FLUX,
                left,
                held: 0,
            });
        }
    }
    Ok(())
}

/// Whether all of the group is in the journal, word for word.
async fn repetition(conn: &mut PgConnection, group: &Group) -> Result<Posted, PostError> {
    let ids: Vec<Uuid> = group.transfers().iter().map(|one| one.id.uuid()).collect();
    let known = by_ids(conn, &ids).await?;
    let mut unknown = None;
    let mut count = 0;
    for transfer in group.transfers() {
        match known.get(&transfer.id) {
            Some(posted) if posted != transfer => {
                return Err(PostError::Refused(Refusal::IdTaken(transfer.id)));
            }
            Some(_) => count += 1,
            None => unknown = Some(transfer.id),
        }
    }
    match unknown {
        Some(id) if count > 0 => Err(PostError::Refused(Refusal::PartlyPosted(id))),
        Some(_) => Ok(Posted::New),
        None => Ok(Posted::Repeated),
    }
}

/// A transfer is undone at most once over, by transfers that run exactly against it. The accounts are locked, and whoever
/// undoes the same transfer needs the same accounts.
async fn check_undoing(conn: &mut PgConnection, group: &Group) -> Result<(), PostError> {
    let undone: Vec<Uuid> = group
        .transfers()
        .iter()
        .filter_map(|one| one.undoes.map(TransferId::uuid))
        .collect();
    if undone.is_empty() {
        return Ok(());
    }
    let originals = by_ids(conn, &undone).await?;
    let before = undone_amounts(conn, &undone).await?;
    for transfer in group.transfers() {
        if let Some(undone) = transfer.undoes {
            let siblings = group.transfers().iter();
            let together: i128 = siblings
                .filter(|other| other.undoes == Some(undone))
                .map(|other| i128::from(other.amount.get()))
                .sum();
            let already = before.get(&undone).copied().unwrap_or(0);
            check_one_undoing(transfer, undone, originals.get(&undone), already, together)
                .map_err(PostError::Refused)?;
        }
    }
    Ok(())
}

fn check_one_undoing(
    transfer: &Transfer,
    undone: TransferId,
    original: Option<&Transfer>,
    already: i128,
    together: i128,
) -> Result<(), Refusal> {
    let id = transfer.id;
    let original = original.ok_or(Refusal::UndoesUnknown { id, undone })?;
    if original.undoes.is_some() {
        return Err(Refusal::UndoesUndoing { id, undone });
    }
    let against = transfer.credit == original.debit
        && transfer.asset == original.asset
        && (transfer.purpose == Purpose::Debt || transfer.debit == original.credit);
    let debt_of_deposit = transfer.purpose != Purpose::Debt || original.purpose == Purpose::Deposit;
    if !(against && debt_of_deposit) {
        return Err(Refusal::UndoesAnother { id, undone });
    }
    let left = i128::from(original.amount.get()) - already;
    if together > left {
        return Err(Refusal::UndoesTooMuch {
            id,
            undone,
            amount: transfer.amount,
            left,
        });
    }
    Ok(())
}

async fn undone_amounts(
    conn: &mut PgConnection,
    undone: &[Uuid],
) -> sqlx::Result<BTreeMap<TransferId, i128>> {
    let rows = sqlx::query!(
        r#"
        SELECT undoes AS "undoes!", sum(amount)::bigint AS "amount!"
        FROM transfer WHERE undoes = ANY($1) GROUP BY undoes
        "#,
        undone,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.undoes.into(), i128::from(row.amount)))
        .collect())
}

async fn insert(
    conn: &mut PgConnection,
    group: &Group,
    booked_at: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let transfers = group.transfers();
    let texts = |text: fn(&Transfer) -> String| transfers.iter().map(text).collect::<Vec<_>>();
    let ids: Vec<Uuid> = transfers.iter().map(|one| one.id.uuid()).collect();
    let amounts: Vec<i64> = transfers.iter().map(|one| one.amount.get()).collect();
    let happened: Vec<DateTime<Utc>> = transfers.iter().map(|one| one.happened_at).collect();
    let undoes: Vec<Option<Uuid>> = transfers
        .iter()
        .map(|one| one.undoes.map(TransferId::uuid))
        .collect();
    let inserted = sqlx::query!(
        r#"
        INSERT INTO transfer
            (id, purpose, asset, debit, credit, amount, happened_at, booked_at, undoes, reference)
        SELECT new.id, new.purpose, new.asset, debited.id, credited.id, new.amount, new.happened_at,
               $10, new.undoes, new.reference
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
                    $7::timestamptz[], $8::uuid[], $9::text[])
             AS new (id, purpose, asset, debit, credit, amount, happened_at, undoes, reference)
        JOIN account AS debited ON debited.asset = new.asset AND debited.name = new.debit
        JOIN account AS credited ON credited.asset = new.asset AND credited.name = new.credit
        ON CONFLICT (id) DO NOTHING
        "#,
        &ids,
        &texts(|one| one.purpose.name().to_owned()),
        &texts(|one| one.asset.to_string()),
        &texts(|one| one.debit.to_string()),
        &texts(|one| one.credit.to_string()),
        &amounts,
        &happened,
        &undoes as &[Option<Uuid>],
        &texts(|one| one.reference.clone()),
        booked_at,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected())
}

/// Transfers of the journal.
pub async fn by_ids(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> sqlx::Result<BTreeMap<TransferId, Transfer>> {
    let rows = sqlx::query!(
        r#"
        SELECT transfer.id, purpose, transfer.asset, debited.name AS debit, credited.name AS credit,
               amount, happened_at, undoes, reference
        FROM transfer
        JOIN account AS debited ON debited.id = transfer.debit
        JOIN account AS credited ON credited.id = transfer.credit
        WHERE transfer.id = ANY($1)
        "#,
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |column, value: &str| Inconsistency::new("transfer", column, row.id, value);
            let account =
                |column, name: &str| name.parse::<Account>().map_err(|_| wrong(column, name));
            let purpose = row.purpose.parse();
            let asset = row.asset.parse();
            let transfer = Transfer {
                id: row.id.into(),
                purpose: purpose.map_err(|_| wrong("purpose", &row.purpose))?,
                debit: account("debit", &row.debit)?,
                credit: account("credit", &row.credit)?,
                asset: asset.map_err(|_| wrong("asset", &row.asset))?,
                amount: Sat::new(row.amount),
                happened_at: row.happened_at,
                undoes: row.undoes.map(TransferId::from),
                reference: row.reference.clone(),
            };
            Ok((transfer.id, transfer))
        })
        .collect()
}

/// What the audit found. Everything but zero is an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// How far the balances of each currency are from zero, added up: money from nowhere, or gone.
    pub imbalance: i64,
    /// Accounts whose balance is not the fold of the journal.
    pub drifted_accounts: i64,
    /// Applications whose terms do not add up to what is held for them.
    pub drifted_terms: i64,
    /// Transfers the audit folded.
    pub transfers: i64,
}

/// Recomputes every balance from nothing but the journal. One statement, so one snapshot.
pub async fn audit(conn: &mut PgConnection) -> sqlx::Result<Audit> {
    let row = sqlx::query!(
        r#"
        WITH side AS (
            SELECT debit AS id, -amount AS amount FROM transfer
            UNION ALL
            SELECT credit, amount FROM transfer
        ), folded AS (
            SELECT id, sum(amount)::bigint AS amount, count(*) AS sides FROM side GROUP BY id
        ), bought AS (
            SELECT 'customer_held:' || app_id AS name, sum(total_sat - charged_sat - returned_sat)::bigint AS held
            FROM term GROUP BY app_id
        )
        SELECT
            (SELECT coalesce(sum(abs(off)), 0)::bigint
             FROM (SELECT sum(balance) AS off FROM account GROUP BY asset) AS of_asset) AS "imbalance!",
            (SELECT count(*) FROM account FULL JOIN folded USING (id)
             WHERE coalesce(account.balance, 0) <> coalesce(folded.amount, 0)) AS "drifted_accounts!",
            (SELECT count(*) FROM (SELECT name, balance FROM account WHERE kind = 'customer_held') AS held
             FULL JOIN bought USING (name)
             WHERE coalesce(held.balance, 0) <> coalesce(bought.held, 0)) AS "drifted_terms!",
            (SELECT coalesce(sum(sides), 0)::bigint / 2 FROM folded) AS "transfers!"
        "#
    )
    .fetch_one(conn)
    .await?;
    Ok(Audit {
        imbalance: row.imbalance,
        drifted_accounts: row.drifted_accounts,
        drifted_terms: row.drifted_terms,
        transfers: row.transfers,
    })
}

/// The sum of all balances of each currency. Each must be 0.
pub async fn imbalances(conn: &mut PgConnection) -> sqlx::Result<Vec<(String, i64)>> {
    let rows =
        sqlx::query!(r#"SELECT asset, sum(balance)::bigint AS "sum!" FROM account GROUP BY asset"#)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|row| (row.asset, row.sum)).collect())
}

/// The sums of the accounts that are watched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub customers: i64,
    pub held: i64,
    pub debts: i64,
    pub revenue: i64,
    pub operators: i64,
    pub suspense: i64,
}

pub async fn sums(conn: &mut PgConnection) -> sqlx::Result<Sums> {
    let rows = sqlx::query!(
        r#"SELECT kind, sum(balance)::bigint AS "balance!" FROM account WHERE asset = $1 GROUP BY kind"#,
        Asset::FLUX.to_string(),
    )
    .fetch_all(conn)
    .await?;
    let mut sums = Sums::default();
    for row in rows {
        match row.kind.as_str() {
            "customer" => sums.customers = row.balance,
            "customer_held" => sums.held = row.balance,
            "customer_debt" => sums.debts = -row.balance,
            "revenue" => sums.revenue = row.balance,
            "operator" | "operator_pool" => sums.operators += row.balance,
            "suspense" => sums.suspense = row.balance,
            _ => {}
        }
    }
    Ok(sums)
}
