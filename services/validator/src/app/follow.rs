//! Watches the transaction of an anchor until it is final.

use super::{Anchoring, Context, Error, send};
use crate::{
    db::attempts,
    domain::anchor::{self, Anchor, AnchorState, Found},
};

/// Looks where the transaction is now; returns whether its standing changed.
pub(super) async fn follow(
    ctx: &Context,
    anchoring: &Anchoring,
    seen: Anchor,
    tip: u32,
) -> Result<bool, Error> {
    let found = anchoring.daemon.find(&seen.txid).await?;
    let unburied = !matches!(found, Found::InBlock { .. });
    if unburied && expired(ctx, &seen, tip).await? {
        let next = Anchor {
            state: AnchorState::Verified,
            reason: "the transaction expired unmined; it is signed anew".to_owned(),
            height: None,
            block_hash: String::new(),
            confirmations: 0,
            ..seen.clone()
        };
        return ctx
            .change(anchoring.token, &seen, next, async |_| Ok(()))
            .await;
    }
    let Some(next) = anchor::follow(&seen, found, anchoring.final_confirmations) else {
        return resend_if_stuck(ctx, anchoring, &seen).await;
    };
    if anchor::worth_telling(&seen, &next) {
        tracing::info!(
            epoch.number = next.announced.epoch,
            anchor.txid = next.txid,
            anchor.state = next.state.name(),
            anchor.height = next.height,
            "anchor moved"
        );
    }
    ctx.change(anchoring.token, &seen, next, async |_| Ok(()))
        .await
}

/// A mempool may have forgotten what it was told; the same bytes again do no harm.
async fn resend_if_stuck(
    ctx: &Context,
    anchoring: &Anchoring,
    seen: &Anchor,
) -> Result<bool, Error> {
    let stuck = seen.state == AnchorState::Broadcast
        && seen
            .sent_at
            .is_some_and(|at| ctx.clock.now() >= at + anchoring.resend_after);
    if !stuck {
        return Ok(false);
    }
    send::send(ctx, anchoring, seen).await
}

async fn expired(ctx: &Context, seen: &Anchor, tip: u32) -> Result<bool, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let attempt = attempts::get(&mut conn, seen.announced.epoch, seen.attempt).await?;
    Ok(attempt.is_some_and(|attempt| {
        attempt.expiry_height != 0 && u64::from(tip) >= attempt.expiry_height
    }))
}
