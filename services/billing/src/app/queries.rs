//! Questions about quotes, balances, invoices, earnings and epochs.

use std::collections::BTreeMap;

use fluxplane_core::{
    Sat,
    error::Violation,
    id::{InvoiceId, QuoteId},
};
use fluxplane_ledger::{
    Account,
    settlement::{InvoiceLine, Leaf},
};
use fluxplane_platform::db::{begin_snapshot, paging::Page};
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Context, Error};
use crate::{
    db::{
        self,
        epochs::{AnchorState, Epoch},
        invoices::Invoice,
        payouts::Earning,
    },
    domain::quote::Quote,
};

/// Most lines of one invoice that are shown at once; each can still be proven by its number.
const MAX_LINES: i64 = 10_000;

/// Reads a page wish.
pub fn page<K: DeserializeOwned>(size: u32, cursor: &str) -> Result<Page<K>, Error> {
    Page::parse(size, cursor).map_err(|violation: Violation| Error::Invalid(vec![violation]))
}

pub async fn get_quote(ctx: &Context, id: QuoteId) -> Result<Quote, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let quote = db::quotes::get(&mut conn, id).await?;
    quote.ok_or(Error::NoQuote(id))
}

/// What a customer has with the plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    pub available: Sat,
    pub held: Sat,
    pub spent: Sat,
}

/// A customer that never paid has nothing.
pub async fn get_account(ctx: &Context, owner: &str) -> Result<Balance, Error> {
    let rule = "a customer is named by the wallet address";
    let party = owner
        .parse()
        .map_err(|_| Error::Invalid(vec![Violation::new("owner", owner, rule, "sign in")]))?;
    let account = Account::Customer(party);
    // One snapshot, so that no sat is seen twice or not at all while it moves.
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let balances = db::ledger::balances(&mut tx, std::slice::from_ref(&account)).await?;
    Ok(Balance {
        available: Sat::new(balances.get(&account).copied().unwrap_or(0)),
        held: Sat::new(db::apps::held(&mut tx, owner).await?),
        spent: Sat::new(db::invoices::spent(&mut tx, owner).await?),
    })
}

/// An invoice with what is known of its epoch.
#[derive(Debug, Clone)]
pub struct Bill {
    pub invoice: Invoice,
    pub epoch: Epoch,
    /// Empty in lists.
    pub lines: Vec<Line>,
}

/// A line with the name of its application.
#[derive(Debug, Clone)]
pub struct Line {
    pub line: InvoiceLine,
    pub app_name: String,
    pub leaf: u64,
}

/// One page of an owner's invoices, the newest first, and the cursor of the next.
pub async fn list_invoices(
    ctx: &Context,
    owner: &str,
    page: &Page<u64>,
) -> Result<(Vec<Bill>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut invoices = db::invoices::list(&mut conn, owner, page).await?;
    let cursor = page.cut(&mut invoices, |invoice| invoice.epoch);
    let mut bills = Vec::with_capacity(invoices.len());
    for invoice in invoices {
        let epoch = epoch(&mut conn, invoice.epoch).await?;
        let lines = Vec::new();
        bills.push(Bill {
            invoice,
            epoch,
            lines,
        });
    }
    Ok((bills, cursor))
}

/// An invoice of this owner with its lines.
pub async fn get_invoice(ctx: &Context, id: InvoiceId, owner: &str) -> Result<Bill, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let invoice = db::invoices::get(&mut conn, id, owner).await?;
    let invoice = invoice.ok_or(Error::NoInvoice(id))?;
    let epoch = epoch(&mut conn, invoice.epoch).await?;
    let limit = i64::try_from(invoice.lines)
        .unwrap_or(MAX_LINES)
        .min(MAX_LINES);
    let leaves = db::leaves::range(&mut conn, invoice.epoch, invoice.first_leaf, limit).await?;
    let mut lines = Vec::with_capacity(leaves.len());
    for (leaf, body) in (invoice.first_leaf..).zip(&leaves) {
        lines.push((leaf, read_line(body)?));
    }
    let apps: Vec<Uuid> = lines.iter().map(|(_, line)| line.app.uuid()).collect();
    let names: BTreeMap<Uuid, String> = db::apps::names(&mut conn, &apps)
        .await?
        .into_iter()
        .collect();
    let lines = lines
        .into_iter()
        .map(|(leaf, line)| Line {
            line,
            app_name: names.get(&line.app.uuid()).cloned().unwrap_or_default(),
            leaf,
        })
        .collect();
    Ok(Bill {
        invoice,
        epoch,
        lines,
    })
}

/// A leaf that must be a line.
pub(super) fn read_line(body: &[u8]) -> Result<InvoiceLine, Error> {
    match Leaf::decode(body) {
        Ok(Leaf::Line(line)) => Ok(line),
        Ok(Leaf::Header(_) | Leaf::Payout(_)) => Err(Error::Inconsistent(
            "a leaf of an invoice is no line".to_owned(),
        )),
        Err(err) => Err(Error::Inconsistent(err.to_string())),
    }
}

/// One page of what an operator's nodes earned, the newest epoch first, and the cursor of the next.
pub async fn list_earnings(
    ctx: &Context,
    operator: &str,
    page: &Page<(u64, Uuid)>,
) -> Result<(Vec<Earning>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut earnings = db::payouts::list(&mut conn, operator, page).await?;
    let cursor = page.cut(&mut earnings, |earning| {
        (earning.epoch, earning.node.uuid())
    });
    Ok((earnings, cursor))
}

/// One page of epochs, the newest first, and the cursor of the next.
pub async fn list_epochs(ctx: &Context, page: &Page<u64>) -> Result<(Vec<Epoch>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut epochs = db::epochs::list(&mut conn, page).await?;
    let cursor = page.cut(&mut epochs, |epoch| epoch.number);
    let tip = db::blocks::tip(&mut conn).await?;
    for epoch in &mut epochs {
        deepen(epoch, tip);
    }
    Ok((epochs, cursor))
}

pub async fn get_epoch(ctx: &Context, number: u64) -> Result<Epoch, Error> {
    let mut conn = ctx.pool.acquire().await?;
    epoch(&mut conn, number).await
}

async fn epoch(conn: &mut PgConnection, number: u64) -> Result<Epoch, Error> {
    let mut epoch = db::epochs::get(conn, number)
        .await?
        .ok_or(Error::NoEpoch(number))?;
    deepen(&mut epoch, db::blocks::tip(conn).await?);
    Ok(epoch)
}

/// The validator announces an anchor when it is confirmed and when it is final; in between our own blocks count.
fn deepen(epoch: &mut Epoch, tip: Option<u64>) {
    if epoch.anchor != AnchorState::Confirmed {
        return;
    }
    if let (Some(tip), Some(height)) = (tip, epoch.anchor_height) {
        let above = (tip + 1).saturating_sub(height);
        epoch.anchor_confirmations = epoch.anchor_confirmations.max(above);
    }
}

/// Part of the leaves of a closed epoch, in tree order.
pub async fn leaves(
    ctx: &Context,
    epoch: u64,
    first: u64,
    limit: i64,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::leaves::range(&mut conn, epoch, first, limit).await?)
}
