//! One step for everything that is not final: check, sign, send, follow. Killed anywhere, the next step goes on from what is
//! stored.

use fluxplane_platform::error::chain;

use super::{Anchoring, Context, Error, follow, send, sign, verify};
use crate::{
    db::anchors,
    domain::anchor::{Anchor, AnchorState},
};

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    pub verified: u32,
    pub signed: u32,
    pub sent: u32,
    pub moved: u32,
}

/// Goes through the epochs in their order. An epoch never overtakes another: what keeps one back keeps back all after it.
pub async fn advance(ctx: &Context, anchoring: &Anchoring) -> Result<Step, Error> {
    let mut step = Step::default();
    verify::fill_gaps(ctx, anchoring).await?;
    for anchor in unfinished(ctx).await? {
        match anchor.state {
            AnchorState::Announced | AnchorState::Refused => {
                if !verify::verify(ctx, anchoring, anchor).await? {
                    break;
                }
                step.verified += 1;
            }
            AnchorState::Verified
            | AnchorState::Signed
            | AnchorState::Broadcast
            | AnchorState::Confirmed
            | AnchorState::Final => {}
        }
    }
    let Some(signer) = &anchoring.signer else {
        ctx.metrics.blocked("no_key");
        return Ok(step);
    };
    let tip = tip(anchoring, &signer.params).await?;
    for anchor in unfinished(ctx).await? {
        match anchor.state {
            AnchorState::Broadcast | AnchorState::Confirmed => {
                let moved = follow::follow(ctx, anchoring, anchor, tip).await?;
                step.moved += u32::from(moved);
            }
            AnchorState::Announced
            | AnchorState::Refused
            | AnchorState::Verified
            | AnchorState::Signed
            | AnchorState::Final => {}
        }
    }
    for anchor in unfinished(ctx).await? {
        if !anchor_one(ctx, anchoring, &anchor, tip, &mut step).await? {
            break;
        }
    }
    Ok(step)
}

/// Signs and sends one anchor; returns whether the next may follow.
async fn anchor_one(
    ctx: &Context,
    anchoring: &Anchoring,
    anchor: &Anchor,
    tip: u32,
    step: &mut Step,
) -> Result<bool, Error> {
    let signed = match anchor.state {
        AnchorState::Broadcast | AnchorState::Confirmed | AnchorState::Final => return Ok(true),
        AnchorState::Announced | AnchorState::Refused => return Ok(false),
        AnchorState::Signed => Some(anchor.clone()),
        AnchorState::Verified => {
            let signed = sign::sign(ctx, anchoring, anchor, tip).await?;
            step.signed += u32::from(signed.is_some());
            signed
        }
    };
    let Some(signed) = signed else {
        return Ok(false);
    };
    let sent = send::send(ctx, anchoring, &signed).await?;
    step.sent += u32::from(sent);
    Ok(sent)
}

async fn unfinished(ctx: &Context) -> Result<Vec<Anchor>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(anchors::unfinished(&mut conn).await?)
}

/// Height of the daemon, which must follow the chain the key is for.
async fn tip(
    anchoring: &Anchoring,
    params: &fluxplane_flux_chain::ChainParams,
) -> Result<u32, Error> {
    let info = anchoring.daemon.chain_info().await.inspect_err(|err| {
        tracing::warn!(error = chain(err), "the chain is away, anchors wait");
    })?;
    let expected = params.network.chain_name();
    if info.chain != expected {
        return Err(Error::WrongChain {
            found: info.chain,
            expected: expected.to_owned(),
        });
    }
    Ok(info.blocks)
}
