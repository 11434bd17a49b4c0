//! Fetches ahead with bounded parallelism and applies in order.
//!
//! Blocks that cannot be reorganised any more are applied many to a transaction; the last ones one by one, so that each of them
//! can be undone as it was done and is announced as soon as it counts.

use std::{ops::RangeInclusive, sync::Arc};

use fluxplane_flux_chain::params::MAX_REORG_LENGTH;
use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;

use crate::{
    app::{self, Context, connect::Connected},
    domain::{
        BlockEffects, ChainState, CheckedBlock, Tip, block::BlockFault, chain::Refusal,
        mempool::Mempool,
    },
    source::{ChainSource, SourceError},
};

/// Most blocks applied before the daemon is asked again where it is.
const RUN: u32 = 5_000;

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
            fetch(self.source, self.pace, from..=to, sender).await;
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
        .map(|heights| checked(source, heights))
        .buffered(pace.fetch_parallel);
    while let Some(blocks) = fetched.next().await {
        let failed = blocks.is_err();
        if sender.send(blocks).await.is_err() || failed {
            break;
        }
    }
    tracing::trace!(from = start, to = end, "fetched");
}

async fn checked<S: ChainSource>(source: &Arc<S>, heights: RangeInclusive<u32>) -> Fetched {
    let from = *heights.start();
    let raws = source.blocks(heights).await?;
    let checking = tokio::task::spawn_blocking(move || {
        (from..)
            .zip(raws)
            .map(|(height, raw)| {
                CheckedBlock::check(raw).map_err(|fault| FetchError::Garbled { height, fault })
            })
            .collect()
    });
    checking.await.map_err(FetchError::Work)?
}

struct Consumer<'c, F> {
    ctx: &'c Context,
    token: i64,
    blocks_per_transaction: usize,
    /// Blocks up to here cannot be reorganised any more.
    final_height: u32,
    applied: F,
    /// Absent only while a transaction runs.
    state: Option<ChainState>,
    mempool: Mempool,
    /// Blocks for the next transaction.
    waiting: Vec<CheckedBlock>,
    waiting_bytes: usize,
}

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

    async fn flush(&mut self) -> Result<Option<Refusal>, app::Error> {
        if self.waiting.is_empty() {
            return Ok(None);
        }
        let blocks = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let state = self.state.take().expect("no transaction is running");
        let Connected {
            state,
            effects,
            refusal,
        } = app::connect::connect(self.ctx, self.token, state, &mut self.mempool, blocks).await?;
        self.state = Some(state);
        (self.applied)(&effects);
        Ok(refusal)
    }

    fn end(self, ended: Option<Ended>) -> CaughtUp {
        CaughtUp {
            state: self.state.expect("every transaction gave its state back"),
            mempool: self.mempool,
            ended,
        }
    }
}
