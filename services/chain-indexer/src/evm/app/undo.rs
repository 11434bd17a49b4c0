//! Takes back what a reorganisation took back: transfers in falling order, sums and blocks, in one transaction.

use fluxplane_platform::db::begin;

use super::{At, Error, Happened, Lead};
use crate::evm::{
    db::{self, assets::Count},
    domain::{BlockRef, Change, Header},
    events,
};

/// Goes back from the last block `from` to `fork`, which is not below the last final block; to before the first block when there is
/// none. Returns where that is, and how many transfers were taken back.
pub async fn undo(
    lead: &Lead,
    at: At,
    from: BlockRef,
    fork: Option<&Header>,
) -> Result<(At, usize), Error> {
    let first = fork.map_or(lead.token.start_block, |fork| fork.block.height + 1);
    let range = first..=from.height;
    let mut tx = begin(&lead.ctx.pool).await?;
    lead.fence(&mut tx).await?;
    match fork {
        Some(fork) => {
            db::assets::move_tip(&mut tx, at.id, Some(from), fork, at.final_height).await?;
        }
        None => db::assets::clear_tip(&mut tx, at.id, from).await?,
    }
    let transfers = db::transfers::in_range(&mut tx, at.id, range).await?;
    let happened: Vec<Happened> = transfers
        .iter()
        .rev()
        .map(|transfer| Happened {
            change: Change::Reorganised,
            transfer: *transfer,
            confirmations: 0,
        })
        .collect();
    events::announce(&mut tx, lead, &happened).await?;
    db::assets::count(&mut tx, at.id, (first, from.height), Count::Removed).await?;
    db::transfers::delete_from(&mut tx, at.id, first).await?;
    db::blocks::delete_from(&mut tx, at.id, first).await?;
    tx.commit().await?;
    let mut kept = at.kept;
    kept.retain(|block| block.height < first);
    let at = At {
        tip: fork.map(|fork| fork.block),
        kept,
        ..at
    };
    Ok((at, transfers.len()))
}
