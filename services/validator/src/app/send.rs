//! Hands the stored transaction of an anchor to a node.

use super::{Anchoring, Context, Error};
use crate::{
    clients::daemon::Sent,
    db::attempts,
    domain::anchor::{Anchor, AnchorState},
};

/// Sends the same bytes as ever; returns whether a node has them now. When the coins are gone, the epoch is signed anew.
pub(super) async fn send(
    ctx: &Context,
    anchoring: &Anchoring,
    anchor: &Anchor,
) -> Result<bool, Error> {
    let epoch = anchor.announced.epoch;
    let mut conn = ctx.pool.acquire().await?;
    let attempt = attempts::get(&mut conn, epoch, anchor.attempt).await?;
    drop(conn);
    let attempt = attempt.ok_or_else(|| {
        Error::Inconsistent(format!("epoch {epoch} lacks attempt {}", anchor.attempt))
    })?;
    let sent = anchoring.daemon.send(&attempt.raw).await?;
    let (state, reason) = match sent {
        Sent::Taken => (AnchorState::Broadcast, String::new()),
        Sent::InputsMissing(message) => {
            let why =
                format!("the coins of the transaction are gone ({message}); it is signed anew");
            (AnchorState::Verified, why)
        }
        Sent::Expired(message) => {
            let why = format!("the transaction expired ({message}); it is signed anew");
            (AnchorState::Verified, why)
        }
        Sent::Refused(message) => (
            AnchorState::Signed,
            format!("the node refuses it: {message}"),
        ),
    };
    let taken = state == AnchorState::Broadcast;
    if !taken {
        ctx.metrics.blocked("refused_by_node");
        tracing::warn!(
            epoch.number = epoch,
            anchor.txid = attempt.txid,
            reason,
            "anchor was not taken"
        );
    }
    let now = ctx.clock.now();
    let next = Anchor {
        state,
        reason,
        sent_at: if taken { Some(now) } else { anchor.sent_at },
        ..anchor.clone()
    };
    if next != *anchor {
        ctx.change(anchoring.token, anchor, next, async |_| Ok(()))
            .await?;
    }
    Ok(taken)
}
