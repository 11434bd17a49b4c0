//! Outputs, balances and histories of every script. Empty in mode plane.
//!
//! ## What do we store?
//!
//! - `account`: scripts and their numbers. `output`: what was made and by what it was spent. `account_entry`: what each
//!   transaction did to each script. All of it could be computed again from the blocks.
//! - `balance`, `block_supply`: folds of these, kept because adding up on demand would take minutes.

pub mod accounts;
pub mod outputs;
pub mod supply;
pub mod undo;

use sqlx::PgConnection;

use crate::domain::ledger::settle::{Account, Settled};

/// A statement that was to change `expected` rows changed another number of them.
fn ensure_rows(affected: u64, expected: usize, what: &'static str) -> sqlx::Result<()> {
    if usize::try_from(affected).is_ok_and(|affected| affected == expected) {
        return Ok(());
    }
    let text = format!("{what} changed {affected} rows instead of {expected}");
    Err(sqlx::Error::Protocol(text))
}

/// Stores settled blocks. `known` is the last number that was given to a script before them.
pub async fn write(
    conn: &mut PgConnection,
    settled: &Settled<'_>,
    known: Account,
) -> sqlx::Result<()> {
    accounts::insert(conn, &settled.accounts).await?;
    outputs::insert(conn, &settled.outputs).await?;
    outputs::spend(conn, &settled.spent).await?;
    accounts::insert_entries(conn, &settled.entries).await?;
    accounts::add(conn, &settled.balances, known).await?;
    supply::insert(conn, &settled.supplies).await
}
