//! The chain indexer announced something about a payment, or a block that buries payments deeper.

use fluxplane_core::Sat;
use sqlx::PgConnection;

use super::{Context, Error, credit, fund};
use crate::{
    db::{self, blocks::Place},
    domain::{
        app::{Revision, RevisionState},
        payment::{Depth, PaidOutput, Payment, PaymentState},
    },
    events::announce,
    metrics::Exception,
};

/// What happened to a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Seen,
    /// Reached a number of confirmations.
    Confirmed {
        height: u64,
        block_hash: String,
        confirmations: u64,
    },
    /// Its block was undone.
    Reorganised,
    Dropped,
}

/// A payment as announced.
#[derive(Debug, Clone)]
pub struct Announced {
    pub txid: String,
    pub message_hash: String,
    pub memo_problem: String,
    pub total: Sat,
    pub outputs: Vec<PaidOutput>,
    pub change: Change,
    /// Rises from announcement to announcement; of two about the same payment the higher one counts.
    pub sequence: u64,
}

/// Applies one announcement.
pub async fn payment_changed(
    conn: &mut PgConnection,
    ctx: &Context,
    announced: Announced,
) -> Result<(), Error> {
    let now = ctx.clock.now();
    db::locks::message_hash(conn, &announced.message_hash).await?;
    let new = Payment {
        txid: announced.txid.clone(),
        message_hash: announced.message_hash.clone(),
        memo_problem: announced.memo_problem.clone(),
        total: announced.total,
        state: PaymentState::Seen,
        confirmations: 0,
        credited_to: None,
        credits: 0,
        sequence: None,
        first_seen_at: now,
    };
    db::payments::put(conn, &new, &announced.outputs).await?;
    let mut payment = lock(conn, &announced.txid).await?;
    if payment
        .sequence
        .is_some_and(|known| known >= announced.sequence)
    {
        return Ok(());
    }
    let (state, confirmations) = match announced.change {
        Change::Seen => (PaymentState::Seen, 0),
        Change::Confirmed {
            height,
            block_hash,
            confirmations,
        } => (
            PaymentState::Confirmed { height, block_hash },
            confirmations,
        ),
        Change::Reorganised => (PaymentState::Reorganised, 0),
        Change::Dropped => (PaymentState::Dropped, 0),
    };
    let sequence = announced.sequence;
    db::payments::set_state(conn, &payment.txid, &state, confirmations, sequence, now).await?;
    (payment.state, payment.confirmations) = (state, confirmations);
    let lifted = !matches!(payment.state, PaymentState::Confirmed { .. });
    match payment.state {
        PaymentState::Reorganised => ctx.metrics.exception(Exception::Reorganised),
        PaymentState::Dropped => ctx.metrics.exception(Exception::Dropped),
        PaymentState::Seen | PaymentState::Confirmed { .. } => {}
    }
    if lifted && payment.credited_to.is_some() {
        let owed = credit::take_back(conn, ctx, &mut payment).await?;
        tell_taken_back(conn, ctx, &payment, owed).await?;
    }
    if !credit_if_due(conn, ctx, &mut payment).await? {
        tell(conn, ctx, &payment).await?;
    }
    Ok(())
}

/// Tells the owner of a revision that is already funded, or never will be, that money for it is gone again. One that waits
/// hears of it as of any payment.
async fn tell_taken_back(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
    owed: Sat,
) -> Result<(), Error> {
    let Some(revision) = revision_of(conn, payment).await? else {
        return Ok(());
    };
    if revision.state == RevisionState::Awaiting {
        return Ok(());
    }
    let total = payment.total;
    let consequence = if owed > Sat::ZERO {
        format!(
            "{owed} FLUX of them were spent and are owed until the payment is confirmed again or other money comes in"
        )
    } else {
        "they are off your balance until the payment is confirmed again".to_owned()
    };
    let message = format!("the block of a payment of {total} FLUX was undone; {consequence}");
    announce::payment_progress(conn, ctx, &revision, payment, Sat::ZERO, owed, &message).await?;
    Ok(())
}

async fn lock(conn: &mut PgConnection, txid: &str) -> Result<Payment, Error> {
    let payment = db::payments::lock(conn, txid).await?;
    payment.ok_or_else(|| Error::Inconsistent(format!("payment {txid} vanished")))
}

/// Credits a payment that is deep enough and was not credited; returns whether it did.
async fn credit_if_due(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &mut Payment,
) -> Result<bool, Error> {
    let PaymentState::Confirmed { height, .. } = payment.state else {
        return Ok(false);
    };
    let known_hash = db::blocks::hash_at(conn, height).await?;
    let depth = Depth {
        known_hash: known_hash.as_deref(),
        tip: db::blocks::tip(conn).await?,
    };
    let due = payment.counts(depth, ctx.rules.credit_confirmations);
    if payment.credited_to.is_some() || !due {
        return Ok(false);
    }
    let revision = revision_of(conn, payment).await?;
    let Some(revision) = revision else {
        credit::deposit(conn, ctx, payment, None).await?;
        return Ok(true);
    };
    let app = db::apps::lock(conn, revision.app).await?;
    let app = app.ok_or_else(|| Error::Inconsistent(format!("no application {}", revision.app)))?;
    let revision = db::revisions::lock(conn, revision.id).await?;
    let revision = revision.ok_or_else(|| Error::Inconsistent("a revision vanished".to_owned()))?;
    credit::deposit(conn, ctx, payment, Some(&app.owner.parse()?)).await?;
    let quote = db::quotes::get(conn, revision.quote).await?;
    match (revision.state, quote) {
        (RevisionState::Awaiting, Some(quote)) => {
            fund::consider(conn, ctx, &app, &revision, &quote, Some(payment)).await?;
        }
        (RevisionState::Awaiting, None)
        | (RevisionState::Funded | RevisionState::Refused | RevisionState::Ended, _) => {
            let received = payment.total;
            ctx.metrics.exception(Exception::NothingDue);
            let message = format!(
                "nothing is due for revision {}, which is {}; the {received} FLUX are on your balance, pay another \
                 revision from it",
                revision.number,
                revision.state.name()
            );
            announce::payment_progress(
                conn,
                ctx,
                &revision,
                payment,
                received,
                Sat::ZERO,
                &message,
            )
            .await?;
        }
    }
    Ok(true)
}

async fn revision_of(
    conn: &mut PgConnection,
    payment: &Payment,
) -> Result<Option<Revision>, Error> {
    if payment.message_hash.is_empty() {
        return Ok(None);
    }
    Ok(db::revisions::by_hash(conn, &payment.message_hash).await?)
}

/// Tells the owner of a revision how a payment for it is doing.
pub(super) async fn tell(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
) -> Result<(), Error> {
    let Some(revision) = revision_of(conn, payment).await? else {
        return Ok(());
    };
    if revision.state != RevisionState::Awaiting || payment.credited_to.is_some() {
        return Ok(());
    }
    let Some(quote) = db::quotes::get(conn, revision.quote).await? else {
        return Ok(());
    };
    let (amount, needed) = (payment.total, ctx.rules.credit_confirmations);
    let payments = db::payments::lock_of_hash(conn, &payment.message_hash).await?;
    let credited = fund::credited(&payments);
    // What is on its way counts towards the price; what is not in a block or the mempool any more does not.
    let received = match &payment.state {
        PaymentState::Seen | PaymentState::Confirmed { .. } => {
            credited.checked_add(amount).unwrap_or(credited)
        }
        PaymentState::Reorganised | PaymentState::Dropped => credited,
    };
    let message = match &payment.state {
        PaymentState::Seen => {
            format!("a payment of {amount} FLUX was seen; it counts at {needed} confirmations")
        }
        PaymentState::Confirmed { .. } => format!(
            "a payment of {amount} FLUX has {} of {needed} confirmations",
            payment.confirmations
        ),
        PaymentState::Reorganised => format!(
            "the block of a payment of {amount} FLUX was undone; it counts when it is confirmed again"
        ),
        PaymentState::Dropped => {
            format!("a payment of {amount} FLUX left the mempool; send it again")
        }
    };
    let due = quote.offer.price;
    announce::payment_progress(conn, ctx, &revision, payment, received, due, &message).await?;
    Ok(())
}

/// A block joined the best chain, and payments below it are one block deeper; or a height was taken away.
pub async fn block_changed(
    conn: &mut PgConnection,
    ctx: &Context,
    place: Place<'_>,
) -> Result<(), Error> {
    db::blocks::put(conn, place).await?;
    let Some(tip) = db::blocks::tip(conn).await? else {
        return Ok(());
    };
    ctx.metrics
        .chain_height
        .set(i64::try_from(tip).unwrap_or(i64::MAX));
    let deep_enough = (tip + 1).saturating_sub(ctx.rules.credit_confirmations);
    for (txid, message_hash) in db::payments::uncredited_up_to(conn, deep_enough).await? {
        db::locks::message_hash(conn, &message_hash).await?;
        let mut payment = lock(conn, &txid).await?;
        credit_if_due(conn, ctx, &mut payment).await?;
    }
    Ok(())
}
