//! Begins an index from the fluxnode lists of a daemon instead of from the first block.
//!
//! A daemon tells its lists only as they are after its last block. That block becomes the *base*: what was before is not known,
//! and nothing at or below it can be undone. What the lists do not tell of a node, such as its keys, is in the block of its start,
//! which is fetched; so the rows are those an index from the first block has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fluxplane_flux_chain::{
    Address, Block, OutPoint, PublicKey,
    fluxnode::{
        Collateral, DelegateEntry, FluxnodeState, ImportError, NodeAction, NodeEntry, NodeFault,
        Snapshot, Status,
    },
    tx::Fluxnode,
};
use fluxplane_platform::db::begin as begin_tx;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Context, Error, fence};
use crate::{
    db,
    domain::{CheckedBlock, Tip, block::BlockFault, chain::Collaterals, effects::ListChanges},
    source::{ChainSource, ListedNode, SourceError},
};

/// Blocks of starts that are fetched at a time.
const PARALLEL: usize = 4;

/// Why an index cannot begin from a daemon's lists.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    App(#[from] Error),
    #[error("block {height} is garbled")]
    Garbled {
        height: u32,
        #[source]
        fault: BlockFault,
    },
    #[error("check blocks")]
    Work(#[source] tokio::task::JoinError),
    #[error("node {collateral} is listed as started in block {height}, which does not start it")]
    NoStart { collateral: OutPoint, height: u32 },
    #[error("the start of node {collateral} in block {height} cannot be read")]
    Start {
        collateral: OutPoint,
        height: u32,
        #[source]
        fault: NodeFault,
    },
    #[error(
        "the lists say of node {collateral} that its {field} is {listed}, its start says {started}"
    )]
    Contradiction {
        collateral: OutPoint,
        field: &'static str,
        listed: String,
        started: String,
    },
    #[error("the daemon's lists are no state")]
    Lists(#[source] ImportError),
}

/// Begins with the lists after `tip`, which must be the daemon's last block. Returns how many nodes there are.
pub async fn begin<S: ChainSource>(
    ctx: &Context,
    token: i64,
    source: &S,
    tip: Tip,
) -> Result<usize, BootstrapError> {
    let lists = source.node_lists().await?;
    if lists.block != tip {
        return Err(SourceError::Moved("the fluxnode lists").into());
    }
    let nodes = entries(ctx, source, &lists.nodes).await?;
    let collaterals: Vec<OutPoint> = nodes.iter().map(|node| node.collateral).collect();
    let keys = source.delegates(&collaterals).await?;
    let delegates: BTreeMap<OutPoint, Vec<PublicKey>> = collaterals
        .into_iter()
        .zip(keys)
        .filter(|(_, keys)| !keys.is_empty())
        .collect();
    let base = block(source, tip.height).await?;
    // The delegates and the block are of the same moment only when the daemon has not moved.
    if source.position(None).await?.tip != tip || base.hash() != tip.hash {
        return Err(SourceError::Moved("the fluxnode lists").into());
    }
    check(ctx, tip, &nodes, &delegates)?;
    let count = nodes.len();
    let changes = ListChanges {
        nodes: nodes
            .into_iter()
            .map(|node| (node.collateral, Some(node)))
            .collect(),
        delegates,
    };
    store(ctx, token, tip, &base, &changes).await?;
    Ok(count)
}

/// Removes everything the base stands for. The base must be the tip.
pub async fn discard(ctx: &Context, token: i64, base: Tip) -> Result<(), Error> {
    let mut tx = begin_tx(&ctx.pool).await?;
    fence(&mut tx, token).await?;
    db::base::discard(&mut tx, base).await?;
    Ok(tx.commit().await?)
}

/// Learns outputs from before the base that starts in these blocks name. An index from the first block knows them all.
pub async fn learn<S: ChainSource>(
    ctx: &Context,
    source: &S,
    blocks: &[CheckedBlock],
) -> Result<(), BootstrapError> {
    let wanted: BTreeSet<OutPoint> = blocks
        .iter()
        .flat_map(CheckedBlock::collaterals)
        .copied()
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let (base, known) = known(ctx, &wanted).await?;
    let unknown: Vec<OutPoint> = wanted
        .into_iter()
        .filter(|name| !known.contains_key(name))
        .collect();
    if base == 0 || unknown.is_empty() {
        return Ok(());
    }
    let outputs = source.outputs(&unknown).await?;
    let found: Vec<(OutPoint, Collateral)> = unknown
        .into_iter()
        .zip(outputs)
        .filter_map(|(name, output)| Some((name, output?)))
        // Those that came later come with their blocks.
        .filter(|(_, output)| output.height <= base)
        .collect();
    let mut conn = ctx.pool.acquire().await.map_err(Error::Db)?;
    db::base::learn(&mut conn, &found)
        .await
        .map_err(Error::Db)?;
    Ok(())
}

async fn known(ctx: &Context, wanted: &BTreeSet<OutPoint>) -> Result<(u32, Collaterals), Error> {
    let wanted: Vec<OutPoint> = wanted.iter().copied().collect();
    let mut conn = ctx.pool.acquire().await?;
    let base = db::base::height(&mut conn).await?;
    let known = db::collaterals::get(&mut conn, &wanted).await?;
    Ok((base, known))
}

/// The nodes with all that their starts say.
async fn entries<S: ChainSource>(
    ctx: &Context,
    source: &S,
    listed: &[ListedNode],
) -> Result<Vec<NodeEntry>, BootstrapError> {
    let mut by_height: BTreeMap<u32, Vec<ListedNode>> = BTreeMap::new();
    for node in listed {
        let of_height = by_height.entry(node.added_height).or_default();
        of_height.push(node.clone());
    }
    let parts: Vec<Vec<NodeEntry>> = stream::iter(by_height)
        .map(|(height, listed)| async move {
            let block = block(source, height).await?;
            entries_of_block(ctx, height, &block, &listed)
        })
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    Ok(parts.into_iter().flatten().collect())
}

async fn block<S: ChainSource>(source: &S, height: u32) -> Result<CheckedBlock, BootstrapError> {
    let mut raws = source.blocks(height..=height).await?;
    let raw = raws.pop().ok_or(SourceError::Moved("blocks"))?;
    tokio::task::spawn_blocking(|| CheckedBlock::check(raw))
        .await
        .map_err(BootstrapError::Work)?
        .map_err(|fault| BootstrapError::Garbled { height, fault })
}

fn entries_of_block(
    ctx: &Context,
    height: u32,
    checked: &CheckedBlock,
    listed: &[ListedNode],
) -> Result<Vec<NodeEntry>, BootstrapError> {
    let block: Block<'_> = checked.parse();
    let nobody = FluxnodeState::genesis(Arc::clone(&ctx.rules.params));
    listed
        .iter()
        .map(|node| {
            let collateral = node.collateral;
            let start = block
                .transactions
                .iter()
                .zip(checked.txids())
                .find(|(transaction, _)| match transaction.as_fluxnode() {
                    Some(Fluxnode::Start(start)) => start.collateral() == Some(collateral),
                    Some(Fluxnode::Confirm(_) | Fluxnode::Unknown(_)) | None => false,
                });
            let (transaction, txid) =
                start.ok_or(BootstrapError::NoStart { collateral, height })?;
            let address: Option<Address> = node.payment_address.parse().ok();
            let source = Collaterals::from([(
                collateral,
                Collateral {
                    value: node.amount,
                    height: 0,
                    script: address.map(|address| address.script()).unwrap_or_default(),
                },
            )]);
            let action = nobody.past_action(transaction, txid, &source, height);
            let entry = match action {
                Ok(NodeAction::Start { entry, .. }) => *entry,
                Ok(NodeAction::Confirm { .. } | NodeAction::Update { .. }) => {
                    return Err(BootstrapError::NoStart { collateral, height });
                }
                Err(fault) => {
                    return Err(BootstrapError::Start {
                        collateral,
                        height,
                        fault,
                    });
                }
            };
            complete(ctx, entry, node)
        })
        .collect()
}

/// Adds what the lists know and checks what both know.
fn complete(
    ctx: &Context,
    mut entry: NodeEntry,
    node: &ListedNode,
) -> Result<NodeEntry, BootstrapError> {
    let space = ctx.rules.params.addresses;
    let payee = entry
        .payee()
        .map(|payee| Address::of_destination(payee, space).to_string())
        .unwrap_or_default();
    let mut pairs = vec![("payment address", node.payment_address.clone(), payee)];
    entry.status = node.status;
    if let (Status::Confirmed, Some(confirmed)) = (node.status, &node.confirmed) {
        let key = entry.node_key.to_string();
        pairs.push(("node key", confirmed.node_key.to_string(), key));
        entry.ip = confirmed.ip.clone();
        entry.confirmed_height = confirmed.confirmed_height;
        entry.last_confirmed_height = confirmed.last_confirmed_height;
        entry.last_paid_height = confirmed.last_paid_height;
    }
    let differs = pairs
        .into_iter()
        .find(|(_, listed, started)| listed != started);
    match differs {
        None => Ok(entry),
        Some((field, listed, started)) => Err(BootstrapError::Contradiction {
            collateral: entry.collateral,
            field,
            listed,
            started,
        }),
    }
}

/// Whether the lists are a state that can be gone on from.
fn check(
    ctx: &Context,
    tip: Tip,
    nodes: &[NodeEntry],
    delegates: &BTreeMap<OutPoint, Vec<PublicKey>>,
) -> Result<(), BootstrapError> {
    let delegates = delegates.iter().map(|(collateral, keys)| DelegateEntry {
        collateral: *collateral,
        keys: keys.clone(),
    });
    let snapshot = Snapshot {
        height: tip.height,
        nodes: nodes.to_vec(),
        delegates: delegates.collect(),
    };
    FluxnodeState::import(Arc::clone(&ctx.rules.params), snapshot)
        .map(drop)
        .map_err(BootstrapError::Lists)
}

async fn store(
    ctx: &Context,
    token: i64,
    tip: Tip,
    base: &CheckedBlock,
    changes: &ListChanges,
) -> Result<(), Error> {
    let mut tx = begin_tx(&ctx.pool).await?;
    fence(&mut tx, token).await?;
    let params = &ctx.rules.params;
    let network = params.network.to_string();
    db::base::insert_block(&mut tx, tip, base).await?;
    db::base::begin(&mut tx, &network, params.genesis.hash, tip, ctx.rules.mode).await?;
    db::fluxnodes::write(&mut tx, changes).await?;
    Ok(tx.commit().await?)
}
