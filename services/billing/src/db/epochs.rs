//! Settlement epochs.

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, id::EpochNumber};
use fluxplane_ledger::{settlement::Hash32, share::Carried};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, bytes_32, unsigned},
    ensure_one_row,
    paging::Page,
};
use sqlx::PgConnection;

use crate::domain::{epoch::EpochState, settlement::Settlement, usage::Accepting};

/// Where the anchor of an epoch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorState {
    None,
    Refused,
    /// Signed or sent, not in a block.
    Pending,
    Confirmed,
    Final,
}

impl AnchorState {
    const ALL: [Self; 5] = [
        Self::None,
        Self::Refused,
        Self::Pending,
        Self::Confirmed,
        Self::Final,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Refused => "refused",
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Final => "final",
        }
    }
}

/// An epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    pub number: u64,
    pub state: EpochState,
    pub opens_at: u64,
    pub ends_at: u64,
    /// Present once closed.
    pub root: Option<Hash32>,
    pub previous_root: Option<Hash32>,
    pub lines: u64,
    pub payouts: u64,
    pub charged: Sat,
    pub paid: Sat,
    pub carried: Carried,
    pub closed_at: Option<DateTime<Utc>>,
    pub anchor: AnchorState,
    pub anchor_txid: String,
    pub anchor_height: Option<u64>,
    pub anchor_confirmations: u64,
}

impl Epoch {
    /// Leaves of a closed epoch: header, lines, payouts.
    pub fn leaf_count(&self) -> u64 {
        match self.state {
            EpochState::Closed => 1 + self.lines + self.payouts,
            EpochState::Open | EpochState::Ending | EpochState::Closing => 0,
        }
    }
}

/// A row of `epoch`, column by column.
struct Row {
    number: i64,
    state: String,
    opens_at: i64,
    ends_at: i64,
    root: Option<Vec<u8>>,
    previous_root: Option<Vec<u8>>,
    line_count: i64,
    payout_count: i64,
    charged_sat: i64,
    paid_sat: i64,
    carried_online_sat: i64,
    carried_hosting_sat: i64,
    closed_at: Option<DateTime<Utc>>,
    anchor_state: String,
    anchor_txid: String,
    anchor_height: Option<i64>,
    anchor_confirmations: i64,
}

impl TryFrom<Row> for Epoch {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let number = row.number;
        let count = |column, value| unsigned("epoch", column, number, value);
        let hash = |column, bytes: Option<Vec<u8>>| {
            bytes
                .map(|bytes| bytes_32("epoch", column, number, &bytes).map(Hash32))
                .transpose()
        };
        let state = EpochState::from_name(&row.state);
        let anchor = AnchorState::ALL
            .into_iter()
            .find(|state| state.name() == row.anchor_state);
        Ok(Self {
            number: count("number", number)?,
            state: state.ok_or_else(|| Inconsistency::new("epoch", "state", number, &row.state))?,
            opens_at: count("opens_at", row.opens_at)?,
            ends_at: count("ends_at", row.ends_at)?,
            root: hash("root", row.root)?,
            previous_root: hash("previous_root", row.previous_root)?,
            lines: count("line_count", row.line_count)?,
            payouts: count("payout_count", row.payout_count)?,
            charged: Sat::new(row.charged_sat),
            paid: Sat::new(row.paid_sat),
            carried: Carried {
                online: Sat::new(row.carried_online_sat),
                hosting: Sat::new(row.carried_hosting_sat),
            },
            closed_at: row.closed_at,
            anchor: anchor.ok_or_else(|| {
                Inconsistency::new("epoch", "anchor_state", number, &row.anchor_state)
            })?,
            anchor_txid: row.anchor_txid,
            anchor_height: row
                .anchor_height
                .map(|height| count("anchor_height", height))
                .transpose()?,
            anchor_confirmations: count("anchor_confirmations", row.anchor_confirmations)?,
        })
    }
}

/// Opens an epoch. Another that is open makes this fail, but the same one again changes nothing.
pub async fn open(
    conn: &mut PgConnection,
    number: u64,
    opens_at: u64,
    ends_at: u64,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO epoch (number, state, opens_at, ends_at) VALUES ($1, 'open', $2, $3)
        ON CONFLICT (number) DO NOTHING
        "#,
        bigint(number),
        bigint(opens_at),
        bigint(ends_at),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets the current transaction and its statements take long; settling a large epoch does.
pub async fn allow_long_transaction(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        SELECT set_config('statement_timeout', '10min', true) AS statement,
               set_config('idle_in_transaction_session_timeout', '10min', true) AS idle
        "#
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// The epochs that take evidence, the oldest first. They stay so until the transaction ends.
pub async fn accepting(conn: &mut PgConnection) -> sqlx::Result<Vec<Accepting>> {
    let rows = sqlx::query!(
        "SELECT number, ends_at FROM epoch WHERE state IN ('open', 'ending') ORDER BY number FOR SHARE"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Accepting {
                epoch: unsigned("epoch", "number", row.number, row.number)?,
                ends_at: unsigned("epoch", "ends_at", row.number, row.ends_at)?,
            })
        })
        .collect()
}

/// The running epoch, locked until the transaction ends.
pub async fn lock_open(conn: &mut PgConnection) -> sqlx::Result<Option<Epoch>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT number, state, opens_at, ends_at, root, previous_root, line_count, payout_count, charged_sat,
               paid_sat, carried_online_sat, carried_hosting_sat, closed_at, anchor_state, anchor_txid,
               anchor_height, anchor_confirmations
        FROM epoch WHERE state = 'open' FOR UPDATE
        "#
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Epoch::try_from).transpose()?)
}

/// An epoch, locked until the transaction ends.
pub async fn lock(conn: &mut PgConnection, number: u64) -> sqlx::Result<Option<Epoch>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT number, state, opens_at, ends_at, root, previous_root, line_count, payout_count, charged_sat,
               paid_sat, carried_online_sat, carried_hosting_sat, closed_at, anchor_state, anchor_txid,
               anchor_height, anchor_confirmations
        FROM epoch WHERE number = $1 FOR UPDATE
        "#,
        bigint(number),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Epoch::try_from).transpose()?)
}

/// The number of the newest epoch, which is the running one; `None` before the first.
pub async fn newest(conn: &mut PgConnection) -> sqlx::Result<Option<u64>> {
    let number = sqlx::query_scalar!("SELECT max(number) FROM epoch")
        .fetch_one(conn)
        .await?;
    number
        .map(|number| unsigned("epoch", "number", number, number).map_err(sqlx::Error::from))
        .transpose()
}

pub async fn get(conn: &mut PgConnection, number: u64) -> sqlx::Result<Option<Epoch>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT number, state, opens_at, ends_at, root, previous_root, line_count, payout_count, charged_sat,
               paid_sat, carried_online_sat, carried_hosting_sat, closed_at, anchor_state, anchor_txid,
               anchor_height, anchor_confirmations
        FROM epoch WHERE number = $1
        "#,
        bigint(number),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Epoch::try_from).transpose()?)
}

/// Epochs, the newest first.
pub async fn list(conn: &mut PgConnection, page: &Page<u64>) -> sqlx::Result<Vec<Epoch>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT number, state, opens_at, ends_at, root, previous_root, line_count, payout_count, charged_sat,
               paid_sat, carried_online_sat, carried_hosting_sat, closed_at, anchor_state, anchor_txid,
               anchor_height, anchor_confirmations
        FROM epoch WHERE $1::bigint IS NULL OR number < $1 ORDER BY number DESC LIMIT $2
        "#,
        page.after.map(bigint),
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Epoch::try_from(row).map_err(sqlx::Error::from))
        .collect()
}

/// Numbers of the epochs in a state, the oldest first, with their ends.
pub async fn in_state(conn: &mut PgConnection, state: EpochState) -> sqlx::Result<Vec<(u64, u64)>> {
    let rows = sqlx::query!(
        "SELECT number, ends_at FROM epoch WHERE state = $1 ORDER BY number",
        state.name(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let number = unsigned("epoch", "number", row.number, row.number)?;
            Ok((number, unsigned("epoch", "ends_at", number, row.ends_at)?))
        })
        .collect()
}

/// Moves a locked epoch that is not closed to another state.
pub async fn set_state(
    conn: &mut PgConnection,
    number: u64,
    state: EpochState,
    ends_at: u64,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE epoch SET state = $2, ends_at = $3 WHERE number = $1 AND state <> 'closed'",
        bigint(number),
        state.name(),
        bigint(ends_at),
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "move an epoch")
}

/// Closes the books of a locked epoch.
pub async fn set_closed(
    conn: &mut PgConnection,
    number: EpochNumber,
    previous_root: Hash32,
    settlement: &Settlement,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        r#"
        UPDATE epoch SET state = 'closed', root = $2, previous_root = $3, line_count = $4, payout_count = $5,
                         charged_sat = $6, paid_sat = $7, carried_online_sat = $8, carried_hosting_sat = $9,
                         closed_at = $10
        WHERE number = $1 AND state = 'closing'
        "#,
        bigint(number.0),
        &settlement.anchor.root.0,
        &previous_root.0,
        i64::from(settlement.line_count),
        i64::from(settlement.payout_count),
        settlement.charged.get(),
        settlement.paid.get(),
        settlement.carried.online.get(),
        settlement.carried.hosting.get(),
        now,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "close an epoch")
}

/// What the validator says of an epoch's anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    pub state: AnchorState,
    pub txid: String,
    pub height: Option<u64>,
    pub confirmations: u64,
    pub updated_at: DateTime<Utc>,
}

/// Stores it if it is newer than what is there.
pub async fn set_anchor(
    conn: &mut PgConnection,
    number: u64,
    anchored: &Anchored,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE epoch SET anchor_state = $2, anchor_txid = $3, anchor_height = $4, anchor_confirmations = $5,
                         anchor_updated_at = $6
        WHERE number = $1 AND (anchor_updated_at IS NULL OR anchor_updated_at < $6)
        "#,
        bigint(number),
        anchored.state.name(),
        anchored.txid,
        anchored.height.map(bigint),
        bigint(anchored.confirmations),
        anchored.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
