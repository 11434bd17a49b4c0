//! Questions about anchors.

use fluxplane_platform::db::paging::Page;

use super::{Context, Error};
use crate::{
    db::anchors,
    domain::anchor::{Anchor, AnchorState},
};

/// The anchor of an epoch that got as far as a transaction, or was refused.
pub async fn get_anchor(ctx: &Context, epoch: u64) -> Result<Anchor, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let anchor = anchors::get(&mut conn, epoch).await?;
    let waits = |text: &str| Error::NoAnchor {
        epoch,
        waits: text.to_owned(),
    };
    let anchor = anchor.ok_or_else(|| waits("it is not closed"))?;
    match anchor.state {
        AnchorState::Announced => Err(waits("its leaves are not checked yet")),
        AnchorState::Verified if anchor.reason.is_empty() => {
            Err(waits("its root is right and waits for the chain"))
        }
        AnchorState::Verified => Err(waits(&anchor.reason)),
        AnchorState::Refused
        | AnchorState::Signed
        | AnchorState::Broadcast
        | AnchorState::Confirmed
        | AnchorState::Final => Ok(anchor),
    }
}

/// One page of anchors, the newest first, and the cursor of the next.
pub async fn list_anchors(ctx: &Context, page: &Page<u64>) -> Result<(Vec<Anchor>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut list = anchors::list(&mut conn, page).await?;
    let cursor = page.cut(&mut list, |anchor| anchor.announced.epoch);
    Ok((list, cursor))
}
