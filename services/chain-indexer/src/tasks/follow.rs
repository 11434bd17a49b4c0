//! Follows the daemon's chain, one look at a time: where is it, where are we, what is the next step.
//!
//! The follower holds a copy of the chain's state; after any failure it throws the copy away and loads what the database has. So
//! it can be stopped anywhere, and a commit whose outcome is unknown is no special case.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use fluxplane_flux_chain::Hash256;
use fluxplane_platform::{
    error::chain as chain_of,
    reconciler::{Progress, Reconciler},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    catch_up::{CatchUp, CaughtUp, Ended, FetchError, Pace},
    heard::Heard,
};
use crate::{
    app::{self, Context, bootstrap::BootstrapError, load::Loaded, queries, report::Look},
    config::StartMode,
    domain::{
        Tip,
        chain::Refusal,
        follow::{Relation, relate},
        fork::{self, Halt},
    },
    metrics::ChainMetrics,
    source::{ChainSource, Position, SourceError},
};

/// How often the daemon's answer is written down while it stays the same.
const REPORT_PERIOD: Duration = Duration::from_secs(1);

/// Follows the chain while this replica leads.
#[derive(Debug)]
pub struct Follower<S> {
    pub ctx: Context,
    pub source: Arc<S>,
    /// How an empty database begins.
    pub start: StartMode,
    /// So many daemons behind the source must agree.
    pub needed: usize,
    /// Fencing token of the term.
    pub token: i64,
    /// Cancelled when the term is over.
    pub stop: CancellationToken,
    pub pace: Pace,
    /// How long a payment may be missing.
    pub drop_after: Duration,
    pub metrics: ChainMetrics,
    pub heard: Heard,
    /// Where we are; loaded when absent.
    pub at: Option<Loaded>,
    /// What was last written down about the daemons, and when.
    pub reported: Option<(Look, Instant)>,
}

impl<S: ChainSource> Reconciler for Follower<S> {
    const NAME: &'static str = "indexer.follow";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let stop = self.stop.clone();
        // Dropping the step is safe: a transaction in flight is rolled back, and the state is loaded again.
        tokio::select! {
            () = stop.cancelled() => Ok(Progress::idle()),
            result = self.step() => result,
        }
    }
}

impl<S: ChainSource> Follower<S> {
    /// Waits until the daemon tells its first block, and fails when that is not the network's.
    pub async fn verify_network(&mut self, pause: Duration) -> anyhow::Result<()> {
        while !self.stop.is_cancelled() {
            match self.source.genesis().await {
                Ok(found) => return same_network(&self.ctx, found),
                Err(err) if err.is_final() => return Err(err.into()),
                Err(err) => self.daemon_failed(&err).await,
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        Ok(())
    }

    async fn step(&mut self) -> anyhow::Result<Progress> {
        let at = if let Some(at) = self.at.take() {
            at
        } else {
            let adopted = app::adopt::adopt(&self.ctx, self.token).await;
            adopted.context("trim the database to mode plane")?;
            app::load::load(&self.ctx).await.context("load the chain")?
        };
        let ours = at.state.tip();
        self.at = Some(at);
        let heard = self.heard.take();
        let asked_at = Instant::now();
        let position = match self.source.position(ours.map(|tip| tip.height)).await {
            Ok(position) => position,
            Err(err) => return Ok(self.away(&err).await),
        };
        self.report(Ok(position.tip)).await;
        let Some(ours) = ours else {
            if self.start == StartMode::Snapshot && position.tip.height > 0 {
                return self.bootstrap(position.tip).await;
            }
            return self.connect(position.tip, heard.unwrap_or(asked_at)).await;
        };
        match self.relate(ours, position).await? {
            Relation::Level => {
                self.go_on().await?;
                self.look_at_mempool(ours).await
            }
            Relation::Ahead => self.connect(position.tip, heard.unwrap_or(asked_at)).await,
            Relation::Behind => {
                self.go_on().await?;
                let summary = format!("the daemon is behind, at {}", position.tip);
                Ok(Progress::done(summary))
            }
            Relation::Diverged => self.reorganise(ours, position.tip).await,
            Relation::Unsettled => Ok(Progress::done("the daemon's chain is moving")),
        }
    }

    async fn relate(&self, ours: Tip, position: Position) -> anyhow::Result<Relation> {
        let ours_at_theirs = if position.tip.height < ours.height {
            queries::hash_at(&self.ctx, position.tip.height).await?
        } else {
            None
        };
        Ok(relate(ours, position.tip, position.at, ours_at_theirs))
    }

    /// Applies what follows our tip.
    async fn connect(&mut self, theirs: Tip, since: Instant) -> anyhow::Result<Progress> {
        let Some(at) = self.at.take() else {
            return Ok(Progress::more("load the chain"));
        };
        let from = at.state.next_height();
        let metrics = self.metrics.clone();
        let work = CatchUp {
            ctx: &self.ctx,
            token: self.token,
            source: &self.source,
            pace: self.pace,
        };
        let caught_up = work.run(at.state, at.mempool, theirs, |effects| {
            metrics.connected(effects);
        });
        let CaughtUp {
            state,
            mempool,
            ended,
        } = caught_up.await.context("apply blocks")?;
        let next = state.next_height();
        self.at = Some(Loaded {
            state,
            mempool,
            halted_reason: at.halted_reason,
        });
        if next > from {
            self.go_on().await?;
            let applied = next - from;
            if applied == 1 && ended.is_none() {
                let latency = since.elapsed().as_secs_f64();
                self.metrics.tip_seconds.observe(latency);
            }
            tracing::debug!(from, to = next - 1, "applied blocks");
        }
        match ended {
            None => Ok(Progress::more(format!(
                "applied blocks {from} to {}",
                next - 1
            ))),
            Some(Ended::Fetch(err)) => self.fetch_failed(err).await,
            // At the next look it shows as diverged. At once would be in a loop with a daemon that contradicts itself.
            Some(Ended::Refused(Refusal::Detached { .. })) => {
                Ok(Progress::done("the daemon moved to another branch"))
            }
            Some(Ended::Refused(refusal @ Refusal::Genesis { .. })) => Err(refusal.into()),
            Some(Ended::Refused(
                refusal @ (Refusal::Height { .. } | Refusal::List { .. } | Refusal::Amount { .. }),
            )) => {
                let refusal = refusal.to_string();
                self.halt(Halt::Refused {
                    height: next,
                    refusal,
                })
                .await
            }
        }
    }

    /// Goes back to where the chains part.
    async fn reorganise(&mut self, ours: Tip, theirs: Tip) -> anyhow::Result<Progress> {
        let peak = self.at.as_ref().map_or(ours.height, |at| at.state.peak());
        let fork = match self.find_fork(peak, ours, theirs).await {
            Ok(Ok(fork)) => fork,
            Ok(Err(Halt::TooDeep { .. })) if self.is_base_too_young(peak).await? => {
                return self.throw_base_away(ours, theirs).await;
            }
            Ok(Err(halt)) => return self.halt(halt).await,
            Err(FindError::Source(err)) => return Ok(self.away(&err).await),
            Err(FindError::App(err)) => return Err(err).context("look for the fork"),
        };
        let Some(mut at) = self.at.take() else {
            return Ok(Progress::more("load the chain"));
        };
        let depth = ours.height - fork.height;
        tracing::warn!(
            depth,
            fork.height = fork.height,
            ours.hash = %ours.hash,
            theirs.hash = %theirs.hash,
            "the chain reorganises"
        );
        if let Some(halt) = self.undo_to(&mut at, fork.height).await? {
            self.at = Some(at);
            return self.halt(halt).await;
        }
        self.at = Some(at);
        self.metrics.reorgs.inc();
        self.metrics.reorg_depth.observe(f64::from(depth));
        self.go_on().await?;
        Ok(Progress::more(format!("undid {depth} blocks to {fork}")))
    }

    /// Undoes block by block down to a height. What was undone before an obstacle is committed.
    pub(super) async fn undo_to(
        &mut self,
        at: &mut Loaded,
        height: u32,
    ) -> anyhow::Result<Option<Halt>> {
        while at.state.tip().is_some_and(|tip| tip.height > height) {
            let undone = app::disconnect::disconnect(&self.ctx, self.token, &mut at.state).await;
            match undone {
                Ok(effects) => self.metrics.disconnected(&effects.events),
                Err(app::Error::NoUndo(height)) => return Ok(Some(Halt::NoUndo { height })),
                Err(err) => return Err(err).context("undo a block"),
            }
        }
        Ok(None)
    }

    async fn find_fork(
        &self,
        peak: u32,
        ours: Tip,
        theirs: Tip,
    ) -> Result<Result<Tip, Halt>, FindError> {
        let Some(range) = fork::search_range(peak, ours, theirs) else {
            return Ok(Err(Halt::TooDeep { peak, ours, theirs }));
        };
        let lowest = *range.start();
        let hashes = self
            .source
            .block_hashes(range.clone())
            .await
            .map_err(FindError::Source)?;
        let blocks = queries::blocks_in(&self.ctx, range)
            .await
            .map_err(FindError::App)?;
        let their_block_at = |height: u32| -> Option<Hash256> {
            let index = usize::try_from(height.checked_sub(lowest)?).ok()?;
            hashes.get(index).copied().flatten()
        };
        Ok(fork::find(peak, ours, theirs, &blocks, their_block_at))
    }

    /// Stops following until a person looked. Says so once, and goes on looking: what was wrong may have been the daemon.
    pub(super) async fn halt(&mut self, halt: Halt) -> anyhow::Result<Progress> {
        let reason = halt.to_string();
        self.set_halted(&reason).await?;
        Ok(Progress::done(format!("halted: {reason}")))
    }

    /// Nothing stands in the way any more.
    async fn go_on(&mut self) -> anyhow::Result<()> {
        self.set_halted("").await
    }

    async fn set_halted(&mut self, reason: &str) -> anyhow::Result<()> {
        let Some(at) = self.at.as_mut().filter(|at| at.halted_reason != reason) else {
            return Ok(());
        };
        if reason.is_empty() {
            tracing::warn!("following the chain again");
        } else {
            tracing::error!(reason, "stopped following the chain, a person must look");
        }
        reason.clone_into(&mut at.halted_reason);
        let stored = app::report::halted(&self.ctx, self.token, reason).await;
        if stored.is_err() {
            self.at = None;
        }
        stored.context("store why the chain is not followed")
    }

    async fn fetch_failed(&mut self, err: FetchError) -> anyhow::Result<Progress> {
        Ok(match err {
            FetchError::Source(err) => self.away(&err).await,
            FetchError::Learn(err) => match *err {
                BootstrapError::Source(err) => self.away(&err).await,
                err => return Err(err).context("learn outputs from before the snapshot"),
            },
            err @ (FetchError::Garbled { .. } | FetchError::Work(_)) => {
                self.metrics.garbled.inc();
                let problem = chain_of(&err);
                tracing::error!(error = problem, "the daemon's blocks cannot be used");
                self.report(Err(problem.clone())).await;
                Progress::done(problem)
            }
        })
    }

    pub(super) async fn away(&mut self, err: &SourceError) -> Progress {
        self.daemon_failed(err).await;
        Progress::done(format!("the daemon cannot be asked: {err}"))
    }

    async fn daemon_failed(&mut self, err: &SourceError) {
        let problem = chain_of(err);
        let known = self.reported.as_ref().map(|(look, _)| &look.agreed);
        if known != Some(&Err(problem.clone())) {
            tracing::warn!(error = problem, "the daemon cannot be asked");
        }
        self.report(Err(problem)).await;
    }

    /// Writes down what is known about the daemons. Failing to is no reason not to follow.
    pub(super) async fn report(&mut self, agreed: Result<Tip, String>) {
        let look = Look {
            agreed,
            needed: self.needed,
            sources: self.source.reports(),
        };
        let fresh = |(last, at): &(Look, Instant)| *last == look && at.elapsed() < REPORT_PERIOD;
        if self.reported.as_ref().is_some_and(fresh) {
            return;
        }
        if let Err(err) = app::report::looked(&self.ctx, &look).await {
            tracing::warn!(error = chain_of(&err), "store what the daemons said");
        }
        self.reported = Some((look, Instant::now()));
    }
}

enum FindError {
    Source(SourceError),
    App(app::Error),
}

/// Fails, naming both, when the daemon's first block is another network's.
pub fn same_network(ctx: &Context, found: Hash256) -> anyhow::Result<()> {
    let params = &ctx.rules.params;
    let (network, expected) = (params.network, params.genesis.hash);
    anyhow::ensure!(
        found == expected,
        "the daemon is on another network: its genesis block is {found}, that of {network} is {expected}; correct \
         chain.network or rpc.url"
    );
    Ok(())
}
