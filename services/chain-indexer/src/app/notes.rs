//! Questions about payments nobody can assign, and about what else transactions say.

use fluxplane_flux_chain::Hash256;
use fluxplane_platform::db::{begin_snapshot, paging::Page};

use super::{Context, Error, queries::PaymentPage};
use crate::{
    db::{self, notes::NoteAge, payments::AgeKey},
    domain::{NoteRecord, PaymentRecord, memo::ProblemKind, note::Kind},
};

/// Payments that name no message, oldest first.
pub async fn unmatched_payments(
    ctx: &Context,
    problem: Option<ProblemKind>,
    page: &Page<AgeKey>,
) -> Result<PaymentPage, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let height = height(&mut tx).await?;
    let mut records = db::payments::unmatched(&mut tx, problem, page).await?;
    let next_cursor = page.cut(&mut records, AgeKey::of);
    Ok(PaymentPage {
        records,
        next_cursor,
        height,
    })
}

/// A payment, and the tip its confirmations count to.
pub async fn payment(ctx: &Context, txid: Hash256) -> Result<(PaymentRecord, u32), Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let record = db::payments::get(&mut tx, txid).await?;
    let record = record.ok_or(Error::NoPayment(txid))?;
    Ok((record, height(&mut tx).await?))
}

/// A page of notes.
#[derive(Debug, Clone)]
pub struct NotePage {
    pub records: Vec<NoteRecord>,
    pub next_cursor: String,
    /// The tip the confirmations count to.
    pub height: u32,
}

/// Notes of a kind, oldest first: anchors that the chain or the mempool holds, price messages that the chain holds.
pub async fn list(
    ctx: &Context,
    kind: Kind,
    epoch: Option<u64>,
    page: &Page<NoteAge>,
) -> Result<NotePage, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let height = height(&mut tx).await?;
    // No anchor is for an epoch beyond the column.
    let epoch = epoch.map(|epoch| i64::try_from(epoch).unwrap_or(i64::MAX));
    let waiting_too = kind == Kind::Anchor;
    let mut records = db::notes::list(&mut tx, kind, epoch, waiting_too, page).await?;
    let next_cursor = page.cut(&mut records, NoteAge::of);
    Ok(NotePage {
        records,
        next_cursor,
        height,
    })
}

async fn height(conn: &mut sqlx::PgConnection) -> sqlx::Result<u32> {
    let stored = db::chain::get(conn).await?;
    Ok(stored.map_or(0, |stored| stored.tip.height))
}
