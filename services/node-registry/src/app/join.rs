//! A machine joins: token, chain, node key, hardware; then a certificate.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::{NodeState, Place, attest, id::NodeId};
use fluxplane_platform::tls::{
    Peer,
    authority::{Authority, Csr},
};

use super::{Context, Error, create_join_token::token_hash};
use crate::{
    clients::chain::Chain,
    config::Minimums,
    db,
    domain::{
        Node,
        join::{self, Claim, JoinError},
        signed,
    },
    events,
};

/// What joining needs besides the database.
#[derive(Debug, Clone)]
pub struct Admission {
    pub chain: Chain,
    pub authority: Arc<Authority>,
    pub minimums: Minimums,
    pub certificate_life: Duration,
}

#[derive(Debug)]
pub struct Join {
    pub token: String,
    pub csr_pem: String,
    pub node_key_signature: String,
    pub claim: Claim,
    pub place: Place,
    pub static_ip: bool,
    pub probe_port: u16,
}

#[derive(Debug)]
pub struct Joined {
    pub node: NodeId,
    pub certificate_pem: String,
    pub expires_at: DateTime<Utc>,
}

pub async fn join(ctx: &Context, admission: &Admission, request: Join) -> Result<Joined, Error> {
    let csr =
        Csr::from_pem(&request.csr_pem).map_err(|err| JoinError::BadRequest(format!("{err:#}")))?;
    // Asked before any lock is taken: no transaction waits for another service.
    let chain = admission
        .chain
        .fluxnode(&request.claim.collateral)
        .await
        .map_err(Error::Chain)?;

    let now = ctx.clock.now();
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let token = db::join_tokens::lock(&mut tx, &token_hash(&request.token))
        .await?
        .ok_or(JoinError::UnknownToken)?;
    join::check_token(&token, &request.claim, now)?;
    let tier = join::check_claim(&request.claim, chain.as_ref(), |tier| {
        admission.minimums.of(tier)
    })?;
    let message = attest::join_message(&request.token, &csr.digest());
    let node_key = chain.map(|chain| chain.node_pubkey).unwrap_or_default();
    if !signed::node_key_signed(&node_key, &message, &request.node_key_signature) {
        return Err(JoinError::WrongNodeKey.into());
    }
    if let Some(holder) = db::nodes::lock_by_collateral(&mut tx, &token.collateral).await? {
        replace(&mut tx, ctx, &holder).await?;
    }

    let life = TimeDelta::from_std(admission.certificate_life).unwrap_or(TimeDelta::days(30));
    let id = NodeId::new(ctx.ids.next());
    let certificate_pem = admission
        .authority
        .certify_node(&csr, &Peer::Node(id), now, life)
        .map_err(Error::Certify)?;
    let node = Node {
        id,
        operator: token.operator,
        collateral: token.collateral,
        tier,
        state: NodeState::Joined,
        state_reason: "has not connected yet".to_owned(),
        capacity: request.claim.benchmark.usable(),
        benchmark: request.claim.benchmark,
        place: request.place,
        ip: request.claim.ip,
        static_ip: request.static_ip,
        probe_port: request.probe_port,
        agent_version: String::new(),
        runtime: String::new(),
        agent_pubkey: csr.public_key().to_vec(),
        certificate_expires_at: now + life,
        joined_at: now,
        last_heartbeat_at: None,
        heartbeat_sequence: 0,
        usage_sequence: 0,
        version: 1,
    };
    db::nodes::insert(&mut tx, &node).await?;
    db::join_tokens::mark_used(&mut tx, token.id, now).await?;
    events::announce::node_changed(&mut tx, ctx.ids.as_ref(), &node).await?;
    tx.commit().await?;
    tracing::info!(node.id = %id, node.tier = %tier, "node joined");
    Ok(Joined {
        node: id,
        certificate_pem,
        expires_at: node.certificate_expires_at,
    })
}

/// Retires the machine that held the collateral, unless it is alive.
async fn replace(conn: &mut sqlx::PgConnection, ctx: &Context, holder: &Node) -> Result<(), Error> {
    match holder.state {
        NodeState::Ready | NodeState::Suspect => {
            Err(JoinError::CollateralInUse(holder.collateral.clone()).into())
        }
        NodeState::Joined | NodeState::Lost | NodeState::Ineligible | NodeState::Retired => {
            let reason = "another machine joined with this collateral";
            db::nodes::set_state(conn, holder.id, NodeState::Retired, reason).await?;
            announce(conn, ctx, holder.id).await
        }
    }
}

/// Announces a node as it is now.
pub(super) async fn announce(
    conn: &mut sqlx::PgConnection,
    ctx: &Context,
    id: NodeId,
) -> Result<(), Error> {
    let node = db::nodes::get(conn, id).await?.ok_or(Error::NoNode(id))?;
    events::announce::node_changed(conn, ctx.ids.as_ref(), &node).await?;
    Ok(())
}
