//! A node asks for a new certificate before the old one ends.

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::{NodeState, id::NodeId};
use fluxplane_platform::tls::{Peer, authority::Csr};

use super::{
    Context, Error,
    join::{Admission, announce},
};
use crate::{db, domain::join::JoinError};

#[derive(Debug)]
pub struct Renewed {
    pub certificate_pem: String,
    pub expires_at: DateTime<Utc>,
}

/// The collateral is looked up on the chain again: a certificate outlives no collateral by more than its own life.
pub async fn renew_certificate(
    ctx: &Context,
    admission: &Admission,
    id: NodeId,
    csr_pem: &str,
) -> Result<Renewed, Error> {
    let csr = Csr::from_pem(csr_pem).map_err(|err| JoinError::BadRequest(format!("{err:#}")))?;
    let collateral = {
        let mut conn = ctx.pool.acquire().await?;
        db::nodes::get(&mut conn, id)
            .await?
            .ok_or(Error::NoNode(id))?
            .collateral
    };
    let chain = admission
        .chain
        .fluxnode(&collateral)
        .await
        .map_err(Error::Chain)?;
    if !chain.is_some_and(|chain| chain.confirmed) {
        return Err(JoinError::NotConfirmed(collateral).into());
    }

    let now = ctx.clock.now();
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let node = db::nodes::lock(&mut tx, id)
        .await?
        .ok_or(Error::NoNode(id))?;
    if node.state == NodeState::Retired {
        return Err(Error::Retired(id));
    }
    let life = TimeDelta::from_std(admission.certificate_life).unwrap_or(TimeDelta::days(30));
    let certificate_pem = admission
        .authority
        .certify_node(&csr, &Peer::Node(id), now, life)
        .map_err(Error::Certify)?;
    db::nodes::set_certificate(&mut tx, id, csr.public_key(), now + life).await?;
    announce(&mut tx, ctx, id).await?;
    tx.commit().await?;
    Ok(Renewed {
        certificate_pem,
        expires_at: now + life,
    })
}
