//! Payments become money in the ledger, and stop being it when their block is undone.

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use fluxplane_ledger::{Account, Transfer, account::Party};
use sqlx::PgConnection;

use super::{Context, Error};
use crate::{
    db,
    domain::{
        payment::{CreditedTo, PaidOutput, Payment},
        posting::{self, Coin},
    },
    metrics::Exception,
};

fn coin<'a>(payment: &'a Payment, output: &PaidOutput, credit: u32) -> Coin<'a> {
    Coin {
        txid: &payment.txid,
        vout: output.vout,
        credit,
    }
}

/// Books a payment that is deep enough, one deposit per output: to `owner`, or in suspense when nobody is known.
pub async fn deposit(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &mut Payment,
    owner: Option<&Party>,
) -> Result<(), Error> {
    let now = ctx.clock.now();
    let to = owner.map_or(Account::Suspense, |owner| Account::Customer(owner.clone()));
    let debt = lock_for(conn, owner).await?;
    let credits = payment.credits + 1;
    let outputs = db::payments::outputs(conn, &payment.txid).await?;
    let mut transfers: Vec<Transfer> = outputs
        .iter()
        .map(|output| coin(payment, output, credits).deposit(output.amount, to.clone(), now))
        .collect();
    let fact = format!("{}:{credits}", payment.txid);
    transfers.extend(debt_part(owner, debt, payment.total, &fact, now));
    db::ledger::post_all(conn, transfers, now).await?;
    let (credited_to, reason) = match owner {
        Some(_) => (CreditedTo::Customer, String::new()),
        None => (CreditedTo::Suspense, payment.suspense_reason()),
    };
    let to = Some(credited_to);
    db::payments::set_credited(conn, &payment.txid, to, credits, &reason, now).await?;
    payment.credits = credits;
    payment.credited_to = to;
    ctx.metrics.payment(match credited_to {
        CreditedTo::Customer => "credited",
        CreditedTo::Suspense => "suspense",
    });
    if credited_to == CreditedTo::Suspense {
        ctx.metrics.exception(if payment.message_hash.is_empty() {
            Exception::NoMemo
        } else {
            Exception::UnknownHash
        });
        tracing::warn!(
            payment.txid,
            amount_sat = payment.total.get(),
            reason,
            "payment is in suspense"
        );
    }
    Ok(())
}

/// Moves a payment out of suspense to whom it belongs.
pub async fn identify(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
    owner: &Party,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let debt = lock_for(conn, Some(owner)).await?;
    let outputs = db::payments::outputs(conn, &payment.txid).await?;
    let mut transfers: Vec<Transfer> = outputs
        .iter()
        .map(|output| {
            coin(payment, output, payment.credits).identify(output.amount, owner.clone(), now)
        })
        .collect();
    let fact = format!("{}:{}:identified", payment.txid, payment.credits);
    transfers.extend(debt_part(Some(owner), debt, payment.total, &fact, now));
    db::ledger::post_all(conn, transfers, now).await?;
    let to = Some(CreditedTo::Customer);
    db::payments::set_credited(conn, &payment.txid, to, payment.credits, "", now).await?;
    ctx.metrics.payment("identified");
    Ok(())
}

/// Takes a credited payment back whose block was undone. What was spent of it becomes a debt, which is returned.
pub async fn take_back(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &mut Payment,
) -> Result<Sat, Error> {
    let now = ctx.clock.now();
    let mut owed = Sat::ZERO;
    let outputs = db::payments::outputs(conn, &payment.txid).await?;
    for output in &outputs {
        let coin = coin(payment, output, payment.credits);
        let ids = [coin.deposit_id().uuid(), coin.identify_id().uuid()];
        let booked = db::ledger::by_ids(conn, &ids).await?;
        let deposit = booked.get(&coin.deposit_id()).ok_or_else(|| {
            Error::Inconsistent(format!("payment {} has no deposit", payment.txid))
        })?;
        let identified = booked.get(&coin.identify_id());
        let owner = match &identified.unwrap_or(deposit).credit {
            Account::Customer(owner) => Some(owner.clone()),
            _ => None,
        };
        lock_for(conn, owner.as_ref()).await?;
        let available = available(conn, owner.as_ref()).await?;
        if owner.is_some() {
            let spent = output.amount.get() - available.clamp(Sat::ZERO, output.amount).get();
            owed = Sat::new(owed.get() + spent);
        }
        let group = coin.take_back(deposit, identified, owner.as_ref(), available, now)?;
        db::ledger::post(conn, &group, now).await?;
    }
    db::payments::set_credited(conn, &payment.txid, None, payment.credits, "", now).await?;
    payment.credited_to = None;
    ctx.metrics.payment("reversed");
    tracing::warn!(
        payment.txid,
        amount_sat = payment.total.get(),
        owed_sat = owed.get(),
        "a credited payment was reorganised away"
    );
    Ok(owed)
}

/// Locks every account that crediting may touch, and returns the owner's debt.
async fn lock_for(conn: &mut PgConnection, owner: Option<&Party>) -> Result<Sat, Error> {
    let mut accounts = vec![Account::ChainClearing, Account::Suspense];
    if let Some(owner) = owner {
        accounts.push(Account::Customer(owner.clone()));
        accounts.push(Account::CustomerDebt(owner.clone()));
    }
    let refs: Vec<&Account> = accounts.iter().collect();
    let balances = db::ledger::lock(conn, &refs).await?;
    let debt = owner.and_then(|owner| balances.get(&Account::CustomerDebt(owner.clone())));
    Ok(Sat::new(debt.copied().unwrap_or(0)))
}

async fn available(conn: &mut PgConnection, owner: Option<&Party>) -> Result<Sat, Error> {
    let Some(owner) = owner else {
        return Ok(Sat::ZERO);
    };
    let account = Account::Customer(owner.clone());
    let balances = db::ledger::balances(conn, std::slice::from_ref(&account)).await?;
    Ok(Sat::new(balances.get(&account).copied().unwrap_or(0)))
}

/// Later money settles a debt first.
fn debt_part(
    owner: Option<&Party>,
    debt: Sat,
    amount: Sat,
    fact: &str,
    now: DateTime<Utc>,
) -> Option<Transfer> {
    let part = debt.min(amount);
    let owner = owner.filter(|_| part > Sat::ZERO)?;
    Some(posting::settle_debt(fact, owner, part, now))
}
