//! Fetches ahead with bounded parallelism and applies in order, the next blocks while those before them are written.
//!
//! Blocks that cannot be reorganised any more are applied many to a transaction; the last ones one by one, so that each of them
//! can be undone as it was done and is announced as soon as it counts.

use std::{ops::RangeInclusive, sync::Arc};

use fluxplane_flux_chain::{Hash256, OutPoint, fluxnode::Collateral, params::MAX_REORG_LENGTH};
use futures::{StreamExt as _, stream};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    app::{
        self, Context,
        bootstrap::{self, BootstrapError},
        connect::{Prepared, prepare},
    },
    domain::{
        BlockEffects, ChainState, CheckedBlock, Tip, block::BlockFault, chain::Refusal,
        mempool::Mempool,
    },
    source::{ChainSource, SourceError},
};

/// Most blocks applied before the daemon is asked again where it is.
const RUN: u32 = 20_000;

/// Bytes of blocks that go into one transaction.
const BYTES_PER_TRANSACTION: usize = 8 * 1024 * 1024;

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Blocks per request.
    pub fetch_batch: u32,
    /// Requests at a time.
    pub fetch_parallel: usize,
    /// Blocks per transaction while they are final.
    pub blocks_per_transaction: usize,
}

/// Why a fetched block is not there.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the daemon's block {height} is garbled")]
    Garbled {
        height: u32,
        #[source]
        fault: BlockFault,
    },
    #[error("check blocks")]
    Work(#[source] tokio::task::JoinError),
    #[error("learn outputs from before the snapshot")]
    Learn(#[source] Box<BootstrapError>),
}

/// Where catching up ended.
#[derive(Debug)]
pub struct CaughtUp {
    pub state: ChainState,
    pub mempool: Mempool,
    /// Why it ended early.
    pub ended: Option<Ended>,
}

/// Why catching up ended before the daemon's tip.
#[derive(Debug)]
pub enum Ended {
    Fetch(FetchError),
    Refused(Refusal),
}

/// Applies what a daemon has and we have not.
#[derive(Debug)]
pub struct CatchUp<'c, S> {
    pub ctx: &'c Context,
    /// Fencing token of the term.
    pub token: i64,
    pub source: &'c Arc<S>,
    pub pace: Pace,
}

impl<S: ChainSource> CatchUp<'_, S> {
    /// Applies the blocks after our tip, up to theirs or for one [`RUN`]. `applied` hears of every transaction that was
    /// committed. On an error the state is lost and must be loaded again.
    pub async fn run(
        &self,
        state: ChainState,
        mempool: Mempool,
        theirs: Tip,
        applied: impl Fn(&[BlockEffects]) + Send,
    ) -> Result<CaughtUp, app::Error> {
        let from = state.next_height();
        let to = theirs.height.min(from.saturating_add(RUN - 1));
        let (sender, receiver) = mpsc::channel(self.pace.fetch_parallel);
        let fetching = async {
            fetch(self.ctx, self.source, self.pace, from..=to, sender).await;
            std::future::pending::<()>().await;
        };
        let consumer = Consumer {
            ctx: self.ctx,
            token: self.token,
            blocks_per_transaction: self.pace.blocks_per_transaction,
            final_height: theirs.height.saturating_sub(MAX_REORG_LENGTH),
            applied,
            state: Some(state),
            mempool,
            waiting: Vec::new(),
            waiting_bytes: 0,
            storing: JoinSet::new(),
            unstored: Vec::new(),
        };
        // Fetching never ends by itself; the consumer ends when the channel is empty and closed, or early.
        tokio::select! {
            () = fetching => unreachable!("fetching waits for the consumer"),
            result = consumer.run(receiver) => result,
        }
    }
}

type Fetched = Result<Vec<CheckedBlock>, FetchError>;

/// Sends the blocks in order, until the first that is not there.
async fn fetch<S: ChainSource>(
    ctx: &Context,
    source: &Arc<S>,
    pace: Pace,
    heights: RangeInclusive<u32>,
    sender: mpsc::Sender<Fetched>,
) {
    let (start, end) = (*heights.start(), *heights.end());
    let step = usize::try_from(pace.fetch_batch).unwrap_or(1);
    let batches = heights
        .step_by(step)
        .map(|from| from..=end.min(from.saturating_add(pace.fetch_batch - 1)));
    let mut fetched = stream::iter(batches)
        .map(|heights| checked(ctx, source, heights))
        .buffered(pace.fetch_parallel);
    while let Some(blocks) = fetched.next().await {
        let failed = blocks.is_err();
        if sender.send(blocks).await.is_err() || failed {
            break;
        }
    }
    tracing::trace!(from = start, to = end, "fetched");
}

async fn checked<S: ChainSource>(
    ctx: &Context,
    source: &Arc<S>,
    heights: RangeInclusive<u32>,
) -> Fetched {
    let from = *heights.start();
    let raws = source.blocks(heights).await?;
    let checking = tokio::task::spawn_blocking(move || {
        (from..)
            .zip(raws)
            .map(|(height, raw)| {
                CheckedBlock::check(raw).map_err(|fault| FetchError::Garbled { height, fault })
            })
            .collect::<Fetched>()
    });
    let blocks: Vec<CheckedBlock> = checking.await.map_err(FetchError::Work)??;
    bootstrap::learn(ctx, &**source, &blocks)
        .await
        .map_err(|err| FetchError::Learn(Box::new(err)))?;
    Ok(blocks)
}

struct Consumer<'c, F> {
    ctx: &'c Context,
    token: i64,
    blocks_per_transaction: usize,
    /// Blocks up to here cannot be reorganised any more.
    final_height: u32,
    applied: F,
    /// Absent only while blocks are applied.
    state: Option<ChainState>,
    mempool: Mempool,
    /// Blocks for the next transaction.
    waiting: Vec<CheckedBlock>,
    waiting_bytes: usize,
    /// The transaction that is on its way. One at most: they go in order.
    storing: JoinSet<Stored>,
    /// Outputs of its blocks that a start may name.
    unstored: Vec<(OutPoint, Collateral)>,
}

/// A transaction that ended: what it held, and what left the mempool with it.
type Stored = Result<(Prepared, Vec<Hash256>), app::Error>;

impl<F: Fn(&[BlockEffects]) + Send> Consumer<'_, F> {
    async fn run(mut self, mut fetched: mpsc::Receiver<Fetched>) -> Result<CaughtUp, app::Error> {
        let mut ended = None;
        while let Some(blocks) = fetched.recv().await {
            let blocks = match blocks {
                Ok(blocks) => blocks,
                Err(err) => {
                    ended = Some(Ended::Fetch(err));
                    break;
                }
            };
            for block in blocks {
                if let Some(refusal) = self.take(block).await? {
                    return Ok(self.end(Some(Ended::Refused(refusal))));
                }
            }
        }
        let refusal = self.flush().await?;
        self.stored().await?;
        Ok(self.end(refusal.map(Ended::Refused).or(ended)))
    }

    /// Adds a block, and applies what is waiting when that is enough for a transaction.
    async fn take(&mut self, block: CheckedBlock) -> Result<Option<Refusal>, app::Error> {
        let waiting = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        let next = self.state.as_ref().map_or(0, ChainState::next_height);
        if next.saturating_add(waiting) > self.final_height
            && let Some(refusal) = self.flush().await?
        {
            return Ok(Some(refusal));
        }
        self.waiting_bytes += block.size();
        self.waiting.push(block);
        let last = next.saturating_add(waiting);
        let enough = self.waiting.len() >= self.blocks_per_transaction
            || self.waiting_bytes >= BYTES_PER_TRANSACTION
            || last > self.final_height;
        if enough { self.flush().await } else { Ok(None) }
    }

    /// Applies what is waiting while the blocks before it are written, then lets it be written. Blocks that count from now on, and
    /// those before a refusal, are written when this returns.
    async fn flush(&mut self) -> Result<Option<Refusal>, app::Error> {
        if self.waiting.is_empty() {
            return Ok(None);
        }
        let blocks = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let state = self.state.take().expect("no blocks are being applied");
        let (state, mut prepared) = prepare(self.ctx, state, blocks, &self.unstored).await?;
        let last = state.next_height().saturating_sub(1);
        self.state = Some(state);
        let refusal = prepared.refusal.take();
        self.stored().await?;
        self.store(prepared);
        if refusal.is_some() || last > self.final_height {
            self.stored().await?;
        }
        Ok(refusal)
    }

    /// Begins to write applied blocks.
    fn store(&mut self, prepared: Prepared) {
        self.unstored = prepared.collaterals().cloned().collect();
        let mined = self.mempool.mined(prepared.txids());
        let (ctx, token) = (self.ctx.clone(), self.token);
        self.storing.spawn(async move {
            app::connect::store(&ctx, token, &prepared, &mined).await?;
            Ok((prepared, mined))
        });
    }

    /// Waits until what is on its way is written.
    async fn stored(&mut self) -> Result<(), app::Error> {
        while let Some(ended) = self.storing.join_next().await {
            let (prepared, mined) = ended.map_err(app::Error::Work)??;
            self.mempool.changed([], &mined);
            (self.applied)(&prepared.effects);
        }
        self.unstored.clear();
        Ok(())
    }

    fn end(self, ended: Option<Ended>) -> CaughtUp {
        CaughtUp {
            state: self.state.expect("applying blocks gave the state back"),
            mempool: self.mempool,
            ended,
        }
    }
}
