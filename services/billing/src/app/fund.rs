//! Money is there for a revision, or not: it is funded, refused, or its owner hears what is missing.

use fluxplane_core::{Funding, Sat, error::Reason};
use fluxplane_ledger::{Account, account::Party};
use sqlx::PgConnection;

use super::{Context, Error, create_quote::current_height, seconds, time};
use crate::{
    db,
    domain::{
        app::{App, Refusal, Revision, RevisionState},
        funding::{Till, Verdict},
        payment::{CreditedTo, PaidBy, Payment},
        posting,
        quote::Quote,
        term::{Purchase, Term, carry},
    },
    events::announce,
    metrics::Exception,
};

/// Looks whether a revision that waits can be funded now, and acts on it. `news` is the payment that was just credited.
pub async fn consider(
    conn: &mut PgConnection,
    ctx: &Context,
    app: &App,
    revision: &Revision,
    quote: &Quote,
    news: Option<&Payment>,
) -> Result<(), Error> {
    if revision.state != RevisionState::Awaiting {
        return Ok(());
    }
    let owner: Party = app.owner.parse()?;
    let accounts = [
        Account::Customer(owner.clone()),
        Account::CustomerDebt(owner.clone()),
        Account::CustomerHeld(app.id),
    ];
    let refs: Vec<&Account> = accounts.iter().collect();
    let payments = db::payments::lock_of_hash(conn, &revision.message_hash).await?;
    let terms = db::terms::lock_of_app(conn, app.id).await?;
    let balances = db::ledger::lock(conn, &refs).await?;
    let available = Sat::new(balances.get(&accounts[0]).copied().unwrap_or(0));
    let due = quote.offer.price;
    let tip = db::blocks::tip(conn).await?.unwrap_or(0);
    let paid_by = PaidBy::of(&payments, credited(&payments), tip);
    if due.is_zero() {
        return fund(conn, ctx, app, revision, quote, terms, &paid_by).await;
    }
    match revision.funding {
        Funding::Balance if available >= due => {
            fund(conn, ctx, app, revision, quote, terms, &paid_by).await
        }
        Funding::Balance => {
            let message = format!(
                "{due} FLUX are due and {available} FLUX are on the balance; pay the rest in, or pay on the chain"
            );
            let reason = Reason::PaymentRequired;
            refuse(conn, ctx, revision, &Refusal { reason, message }).await
        }
        Funding::ChainPayment => {
            let credited_last = payments
                .iter()
                .rfind(|payment| payment.credited_to.is_some());
            let Some(news) = news.or(credited_last) else {
                return Ok(());
            };
            let received = credited(&payments);
            let till = Till {
                due,
                received,
                available,
                pay_until: revision.pay_until,
                now: ctx.clock.now(),
            };
            let verdict = till.verdict();
            let message = till.message(verdict);
            announce::payment_progress(conn, ctx, revision, news, received, due, &message).await?;
            let exception = match verdict {
                Verdict::Fund if received > due => Some(Exception::TooLarge),
                Verdict::Fund => None,
                Verdict::Missing(_) => Some(Exception::TooSmall),
                Verdict::Spent(_) => Some(Exception::SpentElsewhere),
                Verdict::Late => Some(Exception::Late),
            };
            if let Some(exception) = exception {
                ctx.metrics.exception(exception);
            }
            match verdict {
                Verdict::Fund => fund(conn, ctx, app, revision, quote, terms, &paid_by).await,
                Verdict::Missing(_) | Verdict::Spent(_) | Verdict::Late => Ok(()),
            }
        }
    }
}

/// What payments for one message hash brought in.
pub fn credited(payments: &[Payment]) -> Sat {
    let credited = payments
        .iter()
        .filter(|payment| payment.credited_to == Some(CreditedTo::Customer));
    Sat::checked_sum(credited.map(|payment| payment.total)).unwrap_or(Sat::new(i64::MAX))
}

/// Holds the price, begins the term and tells the scheduler. Everything the term needs is locked.
async fn fund(
    conn: &mut PgConnection,
    ctx: &Context,
    app: &App,
    revision: &Revision,
    quote: &Quote,
    mut terms: Vec<Term>,
    paid_by: &PaidBy,
) -> Result<(), Error> {
    let (now, second) = (ctx.clock.now(), ctx.now_s());
    let offer = &quote.offer;
    let owner: Party = app.owner.parse()?;
    let mut transfers = Vec::new();
    if offer.price > Sat::ZERO {
        transfers.push(posting::prepay(
            revision.id,
            app.id,
            &owner,
            offer.price,
            now,
        ));
    }
    let mut total = offer.price;
    for term in &mut terms {
        let freed = term.cut(second);
        let carried = carry(freed, total, offer.value);
        total = Sat::new(total.get() + carried.kept.get());
        if carried.excess > Sat::ZERO {
            let why = format!("replaced-by-{}", revision.id);
            let excess = carried.excess;
            transfers.push(posting::unused(
                term.revision,
                &why,
                app.id,
                &term.owner,
                excess,
                now,
            ));
        }
    }
    let term = Term::new(Purchase {
        revision: revision.id,
        app: app.id,
        owner,
        quote: quote.id,
        list: offer.list.list(),
        total,
        seconds: offer.term_seconds,
        instances: quote.instances,
        starts_at: second,
    })
    .map_err(|err| Error::Inconsistent(err.to_string()))?;
    db::ledger::post_all(conn, transfers, now).await?;
    db::terms::update(conn, &terms, None).await?;
    db::terms::insert(conn, &term, offer.term_seconds).await?;
    let height = current_height(conn, ctx).await?.unwrap_or(quote.height);
    db::revisions::set_funded(conn, revision.id, now, height).await?;
    db::apps::set_running(conn, app.id, revision.id).await?;
    let paid_until = time(term.ends_at);
    announce::revision_funded(conn, ctx, revision, offer.price, paid_by, now, paid_until).await?;
    ctx.metrics.revision("funded");
    tracing::info!(
        app.id = %app.id, revision.id = %revision.id, amount_sat = offer.price.get(),
        paid_until_s = seconds(paid_until), "revision is funded"
    );
    Ok(())
}

/// Refuses a waiting revision for good and tells the scheduler.
pub async fn refuse(
    conn: &mut PgConnection,
    ctx: &Context,
    revision: &Revision,
    refusal: &Refusal,
) -> Result<(), Error> {
    db::revisions::set_refused(conn, revision.id, &refusal.message).await?;
    announce::revision_refused(conn, ctx, revision, refusal).await?;
    ctx.metrics.revision("refused");
    tracing::info!(
        revision.id = %revision.id, code = refusal.reason.code(), message = refusal.message,
        "revision is refused"
    );
    Ok(())
}
