//! Takes up the chain where it was left.

use std::sync::Arc;

use fluxplane_flux_chain::fluxnode::{FluxnodeState, Snapshot};
use fluxplane_platform::db::begin_snapshot;

use super::{Context, Error};
use crate::{
    db,
    domain::{ChainState, IndexMode, mempool::Mempool},
};

/// What following goes on from.
#[derive(Debug)]
pub struct Loaded {
    pub state: ChainState,
    pub mempool: Mempool,
    /// Not empty when following had stopped for a person.
    pub halted_reason: String,
}

/// Restores the state of the chain from the database, or begins before its first block.
pub async fn load(ctx: &Context) -> Result<Loaded, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let mempool = Mempool::new(&db::mempool::all(&mut tx).await?);
    let Some(stored) = db::chain::get(&mut tx).await? else {
        return Ok(Loaded {
            state: ChainState::new(ctx.rules.clone()),
            mempool,
            halted_reason: String::new(),
        });
    };
    check_network(ctx, &stored)?;
    let snapshot = Snapshot {
        height: stored.tip.height,
        nodes: db::fluxnodes::all(&mut tx).await?,
        delegates: db::fluxnodes::delegates(&mut tx).await?,
    };
    let lists =
        FluxnodeState::import(Arc::clone(&ctx.rules.params), snapshot).map_err(Error::Lists)?;
    let last = ctx.rules.thresholds.last();
    let open = db::payments::open(&mut tx, last).await?;
    let notes = db::notes::open(&mut tx, last).await?;
    let (rules, tip) = (ctx.rules.clone(), stored.tip);
    Ok(Loaded {
        state: ChainState::restore(rules, tip, stored.peak, lists, open).with_notes(notes),
        mempool,
        halted_reason: stored.halted_reason,
    })
}

/// Whether the database is about the configured network.
pub(super) fn check_network(ctx: &Context, stored: &db::chain::Stored) -> Result<(), Error> {
    let params = &ctx.rules.params;
    let wanted = params.network.to_string();
    if stored.network == wanted && stored.genesis == params.genesis.hash {
        return check_mode(ctx, stored);
    }
    Err(Error::OtherNetwork {
        found: stored.network.clone(),
        found_genesis: stored.genesis,
        wanted,
        wanted_genesis: params.genesis.hash,
    })
}

/// Whether the database holds an index of the configured mode. One from before there were modes becomes one of mode plane.
fn check_mode(ctx: &Context, stored: &db::chain::Stored) -> Result<(), Error> {
    let (found, wanted) = (stored.mode.unwrap_or(IndexMode::Plane), ctx.rules.mode);
    if found == wanted {
        return Ok(());
    }
    Err(Error::OtherMode { found, wanted })
}
