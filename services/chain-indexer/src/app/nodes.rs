//! Questions about the fluxnode lists, after the tip or after an earlier block.
//!
//! The lists of a block are one immutable state, kept for a while under the block's hash: pages of one answer come from one state,
//! and many questions about one block read the database once.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    Hash256, emission,
    fluxnode::{FluxnodeState, NodeEntry, Snapshot, Undo},
};
use fluxplane_platform::db::begin_snapshot;
use sqlx::PgConnection;

use super::{Context, Error};
use crate::{
    db,
    domain::{IndexMode, Tip, nodes::statistics::blocks_per_day, turnover::Turnover},
};

/// States that are kept. One of mainnet takes some megabytes.
const STATES: usize = 4;

/// The lists after a block.
#[derive(Debug)]
pub struct View {
    pub block: Tip,
    pub time: DateTime<Utc>,
    pub lists: FluxnodeState,
}

/// Views that were asked for lately. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Views(Arc<Mutex<VecDeque<Arc<View>>>>);

impl Views {
    fn get(&self, block: Tip) -> Option<Arc<View>> {
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = views.iter().position(|view| view.block == block)?;
        let view = views.remove(index)?;
        views.push_front(Arc::clone(&view));
        Some(view)
    }

    fn put(&self, view: &Arc<View>) {
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        views.push_front(Arc::clone(view));
        views.truncate(STATES);
    }
}

/// After which block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Tip,
    Height(u32),
    /// The same block as on an earlier page.
    Block(Tip),
}

/// The lists after a block, exactly as they were.
pub async fn view(ctx: &Context, views: &Views, at: At) -> Result<Arc<View>, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let tip = db::chain::get(&mut tx).await?.ok_or(Error::NoLists)?.tip;
    let height = match at {
        At::Tip => tip.height,
        At::Height(height) => height,
        At::Block(block) => block.height,
    };
    let missing = || Error::NoBlock(height.to_string());
    if height > tip.height {
        return Err(out_of_range(ctx, &mut tx, height, tip).await?);
    }
    let Some(stored) = db::blocks::at_height(&mut tx, height).await? else {
        return Err(out_of_range(ctx, &mut tx, height, tip).await?);
    };
    let block = stored.block;
    if let At::Block(wanted) = at
        && wanted != block
    {
        return Err(Error::ListMoved(wanted));
    }
    if let Some(view) = views.get(block) {
        return Ok(view);
    }
    let Some(lists) = lists(ctx, &mut tx, tip, height).await? else {
        return Err(out_of_range(ctx, &mut tx, height, tip).await?);
    };
    if lists.height() != height {
        return Err(missing());
    }
    let view = Arc::new(View {
        block,
        time: stored.time,
        lists,
    });
    views.put(&view);
    Ok(view)
}

/// The lists after a block of ours: of the tip, taken back from there, or from the history. `None` when nobody knows them.
async fn lists(
    ctx: &Context,
    conn: &mut PgConnection,
    tip: Tip,
    height: u32,
) -> Result<Option<FluxnodeState>, Error> {
    let undo = db::undo::after(conn, height).await?;
    if u32::try_from(undo.len()).ok() == Some(tip.height - height) {
        let nodes = db::fluxnodes::all(conn).await?;
        return taken_back(ctx, tip.height, nodes, undo).await.map(Some);
    }
    let kept = db::history::kept(conn).await?;
    if kept.is_none_or(|kept| !(kept.from..=kept.to).contains(&height)) {
        return Ok(None);
    }
    let rules = &ctx.rules.params.nodes;
    let heights = [0, height, tip.height];
    let lives = heights.into_iter().flat_map(|height| {
        let tables = [
            &rules.start_expires_after,
            &rules.dos_leaves_after,
            &rules.confirm_expires_after,
        ];
        tables.map(|table| table.at(height))
    });
    // A confirm lasts its period and one block more.
    let life = lives.max().unwrap_or(0).saturating_add(2);
    let nodes = db::history::at(conn, height, life).await?;
    taken_back(ctx, height, nodes, Vec::new()).await.map(Some)
}

/// Builds a state, which takes some milliseconds, and goes back from there.
async fn taken_back(
    ctx: &Context,
    height: u32,
    nodes: Vec<NodeEntry>,
    undo: Vec<Undo>,
) -> Result<FluxnodeState, Error> {
    let params = Arc::clone(&ctx.rules.params);
    let building = tokio::task::spawn_blocking(move || {
        let snapshot = Snapshot {
            height,
            nodes,
            // Keys of delegates play no part in what is asked here.
            delegates: Vec::new(),
        };
        let mut lists = FluxnodeState::import(params, snapshot).map_err(Error::Lists)?;
        for undo in &undo {
            lists.undo_block(undo).map_err(Error::Undo)?;
        }
        Ok(lists)
    });
    building.await.map_err(Error::Work)?
}

/// Says which heights can be answered.
async fn out_of_range(
    ctx: &Context,
    conn: &mut PgConnection,
    height: u32,
    tip: Tip,
) -> Result<Error, Error> {
    let by_undo = db::undo::lowest(conn).await?;
    let mut from = by_undo.map_or(tip.height, |lowest| lowest.saturating_sub(1));
    if let Some(kept) = db::history::kept(conn).await?
        && kept.to.saturating_add(1) >= from
    {
        from = from.min(kept.from);
    }
    Ok(Error::HeightOutOfRange {
        height,
        from,
        to: tip.height,
        mode: ctx.rules.mode,
    })
}

/// Who came and went in the day before a block, by tier, and how many blocks that day has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayOfTurnover {
    pub blocks: u32,
    pub tiers: Vec<(Tier, Turnover)>,
}

pub async fn turnover(ctx: &Context, block: Tip) -> Result<DayOfTurnover, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let to = block.height;
    let day = blocks_per_day(&ctx.rules.params, to);
    let counted = db::turnover::counted_from(&mut tx).await?;
    let known = counted.map_or(to, |from| from.saturating_sub(1));
    let from = to.saturating_sub(day).max(known).min(to);
    Ok(DayOfTurnover {
        blocks: to - from,
        tiers: db::turnover::sum(&mut tx, from, to).await?,
    })
}

/// How many coins there are, and how many are locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coins {
    /// What the rules had created by a block.
    pub scheduled: Sat,
    /// What there was after it; `None` where it is not counted.
    pub observed: Option<Sat>,
    /// Collateral of the nodes confirmed at the tip.
    pub locked: Vec<(Tier, Sat)>,
}

/// The coins after the block at the tip.
pub async fn coins(ctx: &Context, height: u32) -> Result<Coins, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let counted = match ctx.rules.mode {
        IndexMode::Full => db::ledger::supply::get(&mut tx, height).await?,
        IndexMode::Plane => None,
    };
    let observed = counted.map(|row| Sat::new(row.after.transparent + row.after.shielded));
    Ok(Coins {
        scheduled: emission::supply(&ctx.rules.params, height),
        observed,
        locked: db::fluxnodes::locked(&mut tx).await?,
    })
}

/// The last block and its time, or the first block of the network before any was indexed.
pub async fn latest(ctx: &Context) -> Result<(u32, DateTime<Utc>), Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let genesis = i64::from(ctx.rules.params.genesis.time);
    let before = (0, DateTime::from_timestamp(genesis, 0).unwrap_or_default());
    let Some(stored) = db::chain::get(&mut tx).await? else {
        return Ok(before);
    };
    let block = db::blocks::at_height(&mut tx, stored.tip.height).await?;
    Ok(block.map_or(before, |block| (block.block.height, block.time)))
}

/// A place in a list of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ListPlace {
    pub height: u32,
    pub hash: Hash256,
    /// Nodes before the next page.
    pub passed: u32,
}

impl ListPlace {
    pub const fn block(&self) -> Tip {
        Tip {
            height: self.height,
            hash: self.hash,
        }
    }
}
