//! Begins or goes on with following a token.

use fluxplane_platform::db::begin;
use sqlx::PgConnection;

use super::{At, Error, Lead};
use crate::evm::{
    config::Token,
    db::{self, assets::Asset},
};

/// Makes the asset's row if there is none, and says where it stands. Fails when database and configuration cannot both be right.
pub async fn register(lead: &Lead) -> Result<At, Error> {
    let token = &lead.token;
    let mut tx = begin(&lead.ctx.pool).await?;
    lead.fence(&mut tx).await?;
    agree(&mut tx, token).await?;
    db::assets::register(&mut tx, token).await?;
    let asset: Asset = db::assets::by_name(&mut tx, &token.name)
        .await?
        .ok_or_else(|| Error::NoAsset(token.name.clone()))?;
    let kept = db::blocks::kept(&mut tx, asset.id).await?;
    tx.commit().await?;
    Ok(At {
        id: asset.id,
        tip: asset.tip,
        final_height: asset.final_height,
        kept,
        halted_reason: asset.halted_reason,
    })
}

async fn agree(conn: &mut PgConnection, token: &Token) -> Result<(), Error> {
    let (name, configured_chain, configured) = (&token.name, token.chain_id, token.contract);
    if let Some((stored_chain, stored)) = db::assets::named(conn, name).await?
        && (stored_chain, stored) != (configured_chain, configured)
    {
        return Err(Error::NameTaken {
            name: name.clone(),
            stored,
            stored_chain,
            configured,
            configured_chain,
        });
    }
    match db::assets::start_of(conn, configured_chain, configured).await? {
        Some(stored) if stored != token.start_block => Err(Error::OtherStart {
            name: name.clone(),
            stored,
            configured: token.start_block,
        }),
        Some(_) | None => Ok(()),
    }
}
