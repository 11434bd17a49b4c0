//! Makes the transaction of an epoch and stores it. Nobody sees it before it is stored.

use fluxplane_core::id::EpochNumber;
use fluxplane_flux_chain::{build::Utxo, params::COINBASE_MATURITY};
use fluxplane_ledger::settlement::Anchor as Commitment;

use super::{Anchoring, Context, Error};
use crate::{
    db::{anchors, attempts},
    domain::{
        anchor::{Anchor, AnchorState},
        build::Signer,
        coins::{Broke, Coin, Purse, choose},
    },
};

/// Signs the anchor of a verified epoch; `None` when there are no coins for it, which the anchor's reason then says.
pub(super) async fn sign(
    ctx: &Context,
    anchoring: &Anchoring,
    anchor: &Anchor,
    tip: u32,
) -> Result<Option<Anchor>, Error> {
    let Some(signer) = &anchoring.signer else {
        return Ok(None);
    };
    let epoch = anchor.announced.epoch;
    let coins = match spendable(ctx, anchoring, signer, epoch).await? {
        Ok(coins) => coins,
        Err(broke) => {
            ctx.metrics.blocked("no_coins");
            let reason = broke.to_string();
            tracing::error!(epoch.number = epoch, reason, "anchors wait for coins");
            if anchor.reason != reason {
                let next = Anchor {
                    reason,
                    ..anchor.clone()
                };
                ctx.change(anchoring.token, anchor, next, async |_| Ok(()))
                    .await?;
            }
            return Ok(None);
        }
    };
    let commitment = Commitment {
        epoch: EpochNumber(epoch),
        root: anchor.announced.root,
        count: u32::try_from(anchor.announced.leaf_count)
            .map_err(|_| Error::Inconsistent(format!("epoch {epoch} counts too many leaves")))?,
    };
    let signed = signer.sign(&commitment, coins, tip).map_err(Error::Build)?;
    let number = anchor.attempt + 1;
    let next = Anchor {
        state: AnchorState::Signed,
        reason: String::new(),
        attempt: number,
        txid: signed.txid.clone(),
        height: None,
        block_hash: String::new(),
        confirmations: 0,
        sent_at: None,
        ..anchor.clone()
    };
    let now = ctx.clock.now();
    let store = async |conn: &mut sqlx::PgConnection| {
        Ok(attempts::insert(conn, epoch, number, &signed, now).await?)
    };
    if !ctx.change(anchoring.token, anchor, next, store).await? {
        return Ok(None);
    }
    tracing::info!(
        epoch.number = epoch,
        anchor.txid = signed.txid,
        anchor.attempt = number,
        "anchor is signed"
    );
    let mut conn = ctx.pool.acquire().await?;
    Ok(anchors::get(&mut conn, epoch).await?)
}

/// Coins that pay for the anchor of an epoch and that the daemon holds for spendable now.
async fn spendable(
    ctx: &Context,
    anchoring: &Anchoring,
    signer: &Signer,
    epoch: u64,
) -> Result<Result<Vec<Utxo>, Broke>, Error> {
    let script = signer.address.script();
    let listed = anchoring.daemon.coins(&signer.address.to_string()).await?;
    let mut conn = ctx.pool.acquire().await?;
    let mut purse = Purse {
        coins: listed
            .into_iter()
            .filter(|utxo| utxo.script == script)
            .map(|utxo| Coin { utxo })
            .collect(),
        changes: attempts::changes_under_way(&mut conn, &script).await?,
        reserved: attempts::reserved(&mut conn).await?,
    };
    drop(conn);
    // The list knows neither the mempool nor the age of coinbases; what the daemon will not let go is put aside.
    loop {
        let chosen = match choose(&purse, &signer.params, epoch, signer.needed()) {
            Ok(chosen) => chosen,
            Err(broke) => return Ok(Err(broke)),
        };
        let mut all_good = true;
        for utxo in &chosen {
            if !is_spendable(anchoring, utxo).await? {
                purse.reserved.insert(utxo.outpoint);
                all_good = false;
            }
        }
        if all_good {
            return Ok(Ok(chosen));
        }
    }
}

async fn is_spendable(anchoring: &Anchoring, utxo: &Utxo) -> Result<bool, Error> {
    let maturity = i64::from(COINBASE_MATURITY);
    let unspent = anchoring.daemon.unspent(&utxo.outpoint).await?;
    Ok(unspent.is_some_and(|out| !out.coinbase || out.confirmations >= maturity))
}
