//! Follows one token, one look at a time: where is the node, where are we, what is the next step.
//!
//! What the follower knows of its place is thrown away on every error and read again from the database, so it can be stopped
//! anywhere. A range is applied whole or not at all.

use std::sync::Arc;

use anyhow::Context as _;
use fluxplane_platform::{
    error::chain as chain_of,
    reconciler::{Progress, Reconciler},
};
use tokio_util::sync::CancellationToken;

use super::{
    read::{Read, ReadError, read},
    said::{Report, Said},
};
use crate::evm::{
    app::{At, Lead, apply, register, report, undo},
    domain::{
        BlockRef, Change, Header, Plan, RangeSize,
        batch::{self, Refusal},
        follow::{Relation, relate},
        fork::{Fork, ForkSearch},
    },
    metrics::AssetMetrics,
    source::{EvmSource, SourceError},
};

/// Follows a token while this replica leads.
#[derive(Debug)]
pub struct Follower<S> {
    lead: Lead,
    source: Arc<S>,
    /// Cancelled when the term is over.
    stop: CancellationToken,
    metrics: AssetMetrics,
    size: RangeSize,
    /// Where we are; read when absent.
    at: Option<At>,
    /// Whether the node was found to be on the right chain since it was away last.
    verified: bool,
    said: Said,
}

impl<S: EvmSource> Reconciler for Follower<S> {
    const NAME: &'static str = "indexer.evm.follow";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let stop = self.stop.clone();
        // Dropping the step is safe: a transaction in flight is rolled back, and the place is read again.
        tokio::select! {
            () = stop.cancelled() => Ok(Progress::idle()),
            result = self.step() => result.with_context(|| format!("follow {}", self.lead.token.name)),
        }
    }
}

impl<S: EvmSource> Follower<S> {
    pub fn new(lead: Lead, source: Arc<S>, stop: CancellationToken, metrics: AssetMetrics) -> Self {
        let size = RangeSize::new(lead.token.max_range);
        Self {
            lead,
            source,
            stop,
            metrics,
            size,
            at: None,
            verified: false,
            said: Said::default(),
        }
    }

    /// Where the token is followed to; `None` before the first look and after a failed one.
    pub const fn at(&self) -> Option<&At> {
        self.at.as_ref()
    }

    /// Blocks asked about at a time.
    pub const fn range_size(&self) -> u64 {
        self.size.get()
    }

    async fn step(&mut self) -> anyhow::Result<Progress> {
        let at = match self.at.take() {
            Some(at) => at,
            None => register::register(&self.lead).await?,
        };
        let (tip, kept) = (at.tip, at.kept.clone());
        self.at = Some(at);
        if !self.verified {
            match self.wrong_node().await {
                Ok(None) => self.verified = true,
                Ok(Some(reason)) => return self.halt(reason).await,
                Err(err) => return Ok(self.away(&err).await),
            }
        }
        let head = match self.source.head().await {
            Ok(head) => head,
            Err(err) => return Ok(self.away(&err).await),
        };
        let Some(ours) = tip else {
            return self.advance(head).await;
        };
        let there = ours.height.min(head);
        let theirs = match self.source.header(there).await {
            Ok(header) => header.map(|header| header.block.hash),
            Err(err) => return Ok(self.away(&err).await),
        };
        let ours_there = kept.iter().find(|block| block.height == there);
        match relate(ours, head, theirs, ours_there.map(|block| block.hash)) {
            Relation::Level => {
                self.go_on().await?;
                self.seen(head).await;
                Ok(self.done(format!("level at {ours}")))
            }
            Relation::Ahead => self.advance(head).await,
            Relation::Behind => {
                self.go_on().await?;
                let problem = format!("the node is behind the index, at {head} of {}", ours.height);
                Ok(self.odd(head, problem).await)
            }
            Relation::Diverged => self.reorganise(ours, head).await,
            Relation::Unsettled => {
                let problem = format!("the node says it is at {head} and has no block {there}");
                Ok(self.odd(head, problem).await)
            }
        }
    }

    /// Why this node cannot be the one that is meant.
    async fn wrong_node(&self) -> Result<Option<String>, SourceError> {
        let token = &self.lead.token;
        let (wanted, found) = (token.chain_id, self.source.chain_id().await?);
        if found != wanted {
            return Ok(Some(format!(
                "the node is on chain {found}, the configuration names chain {wanted}; correct evm.url or evm.chain_id of `{}`",
                token.name
            )));
        }
        let contract = token.contract;
        Ok(match self.source.decimals(contract).await? {
            None => Some(format!(
                "there is no contract {contract} on chain {wanted} as far as the node is; correct evm.contract of `{}`, or wait \
                 for the node",
                token.name
            )),
            Some(decimals) if decimals != token.decimals => Some(format!(
                "contract {contract} has {decimals} decimals, the configuration says {}; correct evm.decimals of `{}`",
                token.decimals, token.name
            )),
            Some(_) => None,
        })
    }

    /// Applies the next range.
    async fn advance(&mut self, head: u64) -> anyhow::Result<Progress> {
        let Some(at) = &self.at else {
            return Ok(Progress::more("read the place"));
        };
        let token = &self.lead.token;
        let (next, tip) = (at.next(token), at.tip);
        let Some(plan) = Plan::new(next, head, token.confirmations, self.size) else {
            self.seen(head).await;
            return Ok(self.done(format!(
                "block {next} is not there yet, the node is at {head}"
            )));
        };
        let told = match read(&*self.source, token.contract, &plan).await {
            Ok(Read::Told(told)) => told,
            Ok(Read::Moved) => return Ok(self.done("the chain moved while it was read")),
            Err(ReadError::Source(err)) => return Ok(self.away(&err).await),
            Err(ReadError::TooMuch(err)) => return Ok(self.too_much(&plan, &err).await),
        };
        let batch = match batch::check(token.contract, tip, &plan, &told) {
            Ok(batch) => batch,
            // At the next look it shows as diverged. At once would be in a loop with a node that contradicts itself.
            Err(refusal @ Refusal::Detached { .. }) => return Ok(self.done(refusal.to_string())),
            Err(refusal) => return Ok(self.lied(head, &refusal).await),
        };
        let Some(at) = self.at.take() else {
            return Ok(Progress::more("read the place"));
        };
        let applied = apply::apply(&self.lead, at, &plan, &batch, head).await?;
        self.at = Some(applied.at);
        self.metrics.transfers_changed(Change::Seen, applied.seen);
        self.metrics
            .transfers_changed(Change::Final, applied.finalised);
        self.size.went_well(plan.blocks());
        self.metrics.range_blocks.set(gauge(self.size.get()));
        self.go_on().await?;
        self.seen(head).await;
        let (first, last) = (plan.range.start(), plan.range.end());
        let name = &self.lead.token.name;
        tracing::debug!(
            asset = name,
            first,
            last,
            transfers = applied.seen,
            "applied blocks"
        );
        let summary = format!("{name}: applied blocks {first} to {last}");
        Ok(if *last < head {
            Progress::more(summary)
        } else {
            Progress::done(summary)
        })
    }

    async fn too_much(&mut self, plan: &Plan, err: &SourceError) -> Progress {
        let blocks = plan.blocks();
        let less = self.size.too_much(blocks);
        self.metrics.range_blocks.set(gauge(self.size.get()));
        if !less {
            return self.away(err).await;
        }
        self.metrics.failed("too_much");
        tracing::info!(
            asset = self.lead.token.name,
            blocks,
            less = self.size.get(),
            error = chain_of(err),
            "too many blocks at a time for the node"
        );
        Progress::more(format!("{blocks} blocks at a time were too many"))
    }

    /// Goes back to where the chains part.
    async fn reorganise(&mut self, ours: BlockRef, head: u64) -> anyhow::Result<Progress> {
        let fork = match self.find_fork(head).await {
            Ok(Some(Parted::At(fork))) => Some(fork),
            Ok(Some(Parted::BeforeStart)) => None,
            Ok(Some(Parted::BelowFinal(height))) => {
                let token = &self.lead.token;
                return self
                    .halt(format!(
                        "the node's chain parts from ours at or before block {height}, which is final with {} confirmations; ours \
                         is at {ours}, the node at {head}. If the node is right, remove what is indexed of `{}` and raise \
                         evm.confirmations",
                        token.confirmations, token.name
                    ))
                    .await;
            }
            Ok(None) => return Ok(self.done("the chain moved while the fork was looked for")),
            Err(err) => return Ok(self.away(&err).await),
        };
        let Some(at) = self.at.take() else {
            return Ok(Progress::more("read the place"));
        };
        let last = fork.map(|fork| fork.block.height);
        let depth = last.map_or(ours.height - self.lead.token.start_block + 1, |last| {
            ours.height - last
        });
        let asset = &self.lead.token.name;
        tracing::warn!(asset, depth, ours = %ours, head, "the chain reorganises");
        let (at, undone) = undo::undo(&self.lead, at, ours, fork.as_ref()).await?;
        self.at = Some(at);
        self.metrics.reorgs.inc();
        self.metrics.transfers_changed(Change::Reorganised, undone);
        self.go_on().await?;
        let name = &self.lead.token.name;
        Ok(Progress::more(format!("{name}: undid {depth} blocks")))
    }

    /// `None` when the chain moves meanwhile.
    async fn find_fork(&self, head: u64) -> Result<Option<Parted>, SourceError> {
        let Some(at) = &self.at else {
            return Ok(None);
        };
        let mut search = ForkSearch::new(at.kept.clone(), head);
        while let Some(block) = search.question() {
            let theirs = self.source.header(block.height).await?;
            search.answer(theirs.is_some_and(|header| header.block.hash == block.hash));
        }
        let fork = match search.found() {
            Fork::At(fork) => fork,
            Fork::Below => {
                return Ok(Some(
                    at.final_height
                        .map_or(Parted::BeforeStart, Parted::BelowFinal),
                ));
            }
        };
        let header = self.source.header(fork.height).await?;
        // A fork at our own tip: the chain came back.
        let stands = header.filter(|header| header.block == fork && at.tip != Some(fork));
        Ok(stands.map(Parted::At))
    }

    /// Stops following until a person looked. Says so once, and goes on looking: the node may be put right.
    async fn halt(&mut self, reason: String) -> anyhow::Result<Progress> {
        self.verified = false;
        self.metrics.failed("halted");
        self.set_halted(&reason).await?;
        Ok(self.done(format!("halted: {reason}")))
    }

    /// Nothing stands in the way any more.
    async fn go_on(&mut self) -> anyhow::Result<()> {
        self.set_halted("").await
    }

    async fn set_halted(&mut self, reason: &str) -> anyhow::Result<()> {
        let Some(at) = self.at.as_mut().filter(|at| at.halted_reason != reason) else {
            return Ok(());
        };
        let asset = &self.lead.token.name;
        if reason.is_empty() {
            tracing::warn!(asset, "following the token again");
        } else {
            tracing::error!(
                asset,
                reason,
                "stopped following the token, a person must look"
            );
        }
        reason.clone_into(&mut at.halted_reason);
        let stored = report::halted(&self.lead, at.id, reason).await;
        if stored.is_err() {
            self.at = None;
        }
        stored.context("store why the token is not followed")
    }

    /// The node answered and all is well, unless its height stands for too long.
    async fn seen(&mut self, height: u64) {
        let problem = self.said.stands(height, self.lead.token.stalled_after);
        self.report(Report::Seen { height, problem }).await;
    }

    /// The node answered, and something is odd about it.
    async fn odd(&mut self, head: u64, problem: String) -> Progress {
        let report = Report::Seen {
            height: head,
            problem: problem.clone(),
        };
        self.report(report).await;
        self.done(problem)
    }

    /// The node said what cannot be. Nothing of it is applied.
    async fn lied(&mut self, head: u64, refusal: &Refusal) -> Progress {
        self.metrics.failed("refused");
        self.odd(
            head,
            format!("the node's logs cannot be used: {}", chain_of(refusal)),
        )
        .await
    }

    /// The node gave no answer that can be used.
    async fn away(&mut self, err: &SourceError) -> Progress {
        self.verified = false;
        self.metrics.failed(err.outcome());
        let problem = chain_of(err);
        self.report(Report::Failed(problem.clone())).await;
        self.done(problem)
    }

    fn done(&self, summary: impl AsRef<str>) -> Progress {
        Progress::done(format!("{}: {}", self.lead.token.name, summary.as_ref()))
    }

    async fn report(&mut self, report: Report) {
        if let Some(at) = &self.at {
            self.said.write(&self.lead, at.id, report).await;
        }
    }
}

/// Where two chains part.
enum Parted {
    At(Header),
    /// Nothing we have is on the node's chain, and nothing of it is final.
    BeforeStart,
    /// The final block at this height is not on the node's chain.
    BelowFinal(u64),
}

/// A height for a gauge.
pub(super) fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
