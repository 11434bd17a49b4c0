//! SQL of billing.
//!
//! ## What do we store?
//!
//! - `account`, `transfer`: the ledger. Durable truth, append-only; balances are moved by the database itself.
//! - `quote`, `app`, `app_end`, `revision`, `term`: what was offered, asked for and bought. Durable truth of what is owed; names
//!   and ends of applications are copies of the scheduler's truth.
//! - `payment`, `payment_output`, `block`: copies of what the chain indexer announced, and whom a payment was credited to,
//!   which is truth.
//! - `usage_report`: the evidence as nodes signed it. Durable truth. `usage`, `node_online` are made from it, and say after an
//!   epoch closed what it counted.
//! - `assignment`, `node`: copies of the scheduler's and the registry's truth.
//! - `epoch`, `leaf`, `invoice`, `payout`: closed books. Durable truth, never changed but for the anchor's state.
//! - `rate_observation`: what sources of the exchange rate said last; can be asked again. `rate_statement`, `rate`: what was set by
//!   hand and what was accepted. Durable truth, never changed.
//! - `share_table`: parameters. Rows are added, never changed.

pub mod apps;
pub mod assignments;
pub mod blocks;
pub mod epochs;
pub mod invoices;
pub mod leaves;
pub mod ledger;
pub mod locks;
pub mod nodes;
pub mod online;
pub mod payments;
pub mod payouts;
pub mod quotes;
pub mod rates;
pub mod reports;
pub mod revisions;
pub mod shares;
pub mod terms;
pub mod usage;

use fluxplane_ledger::account::Party;
use fluxplane_platform::db::{
    Inconsistency,
    columns::{integer, small},
};

use crate::domain::price_list::PriceList;

/// A column that names a customer or an operator.
fn party(
    table: &'static str,
    column: &'static str,
    row: impl std::fmt::Display,
    value: &str,
) -> Result<Party, Inconsistency> {
    value
        .parse()
        .map_err(|_| Inconsistency::new(table, column, row, value))
}

/// The columns `price_row` and `table_version` of a price list; exactly one is set.
fn price_list_columns(list: PriceList) -> (Option<i64>, Option<i32>) {
    match list {
        PriceList::FluxOs { row } => (Some(row), None),
        PriceList::Native { version } => (None, Some(integer(version))),
    }
}

fn price_list(
    table: &'static str,
    id: impl std::fmt::Display + Copy,
    row: Option<i64>,
    version: Option<i32>,
) -> Result<PriceList, Inconsistency> {
    match (row, version) {
        (Some(row), None) => Ok(PriceList::FluxOs { row }),
        (None, Some(version)) => Ok(PriceList::Native {
            version: small(table, "table_version", id, version)?,
        }),
        (Some(_), Some(_)) | (None, None) => {
            Err(Inconsistency::new(table, "price_row", id, "not one list"))
        }
    }
}
