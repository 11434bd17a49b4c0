//! Applies a range: its transfers, the sums, the blocks that are kept and the announcements in one transaction.

use fluxplane_platform::db::begin;
use sqlx::PgConnection;

use super::{At, Error, Happened, Lead};
use crate::evm::{
    db::{self, assets::Count},
    domain::{Batch, Change, Plan, Transfer, range::last_final},
    events,
};

/// What a range changed.
#[derive(Debug)]
pub struct Applied {
    pub at: At,
    pub seen: usize,
    pub finalised: usize,
}

/// Applies a checked range that follows `at`, while the node is at `head`. On an error nothing is stored, and the place must be read
/// again.
pub async fn apply(
    lead: &Lead,
    at: At,
    plan: &Plan,
    batch: &Batch,
    head: u64,
) -> Result<Applied, Error> {
    let (first, last) = (*plan.range.start(), *plan.range.end());
    let reached = last_final(head, lead.token.confirmations).map(|height| height.min(last));
    let final_height = at.final_height.max(reached);
    let mut tx = begin(&lead.ctx.pool).await?;
    lead.fence(&mut tx).await?;
    db::assets::move_tip(&mut tx, at.id, at.tip, &batch.last, final_height).await?;
    if !batch.transfers.is_empty() {
        db::transfers::insert(&mut tx, at.id, &batch.transfers).await?;
        db::assets::count(&mut tx, at.id, (first, last), Count::Added).await?;
    }
    db::blocks::insert(&mut tx, at.id, &batch.kept).await?;
    if let Some(height) = final_height {
        db::blocks::forget_below(&mut tx, at.id, height).await?;
    }
    let finalised = newly_final(&mut tx, lead, &at, final_height).await?;
    let happened = happened(&batch.transfers, &finalised, last);
    events::announce(&mut tx, lead, &happened).await?;
    tx.commit().await?;
    let mut kept = at.kept;
    kept.extend(&batch.kept);
    if let Some(height) = final_height {
        kept.retain(|block| block.height >= height);
    }
    Ok(Applied {
        at: At {
            id: at.id,
            tip: Some(batch.last.block),
            final_height,
            kept,
            halted_reason: at.halted_reason,
        },
        seen: batch.transfers.len(),
        finalised: finalised.len(),
    })
}

/// Transfers that are final now and were not before.
async fn newly_final(
    conn: &mut PgConnection,
    lead: &Lead,
    at: &At,
    final_height: Option<u64>,
) -> sqlx::Result<Vec<Transfer>> {
    let Some(last) = final_height.filter(|_| final_height != at.final_height) else {
        return Ok(Vec::new());
    };
    let first = at
        .final_height
        .map_or(lead.token.start_block, |height| height + 1);
    db::transfers::in_range(conn, at.id, first..=last).await
}

fn happened(seen: &[Transfer], finalised: &[Transfer], tip: u64) -> Vec<Happened> {
    let with = |change| {
        move |transfer: &Transfer| Happened {
            change,
            transfer: *transfer,
            confirmations: tip - transfer.block.height + 1,
        }
    };
    seen.iter()
        .map(with(Change::Seen))
        .chain(finalised.iter().map(with(Change::Final)))
        .collect()
}
