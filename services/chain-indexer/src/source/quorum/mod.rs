//! Several daemons as one source. A block counts when enough of them have it; it is fetched from whichever gives it.
//!
//! ```text
//!   where are we?    all are asked; the highest block that `needed` of them have
//!   which hashes?    the answer that `needed` of them give
//!   which bytes?     any one's, when they hash to what was agreed on; another one is asked when it fails, lies or is slow
//! ```
//!
//! A daemon that is slow is waited for once and then no longer, until it answers in time again. A daemon of another network, or
//! one that has other blocks than the rest, is named and not counted. Without a quorum there is no answer: a minority is never
//! followed.

mod fetch;
mod look;
mod member;
mod vote;

use std::{
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fluxplane_flux_chain::{Hash256, OutPoint, PublicKey, fluxnode::Collateral};
use tokio::sync;

use super::{
    ChainSource, Located, MempoolView, NodeLists, Position, SourceError, metrics::SourceMetrics,
};
use crate::domain::{Tip, agreement::SourceReport};
use look::Looks;
use member::Member;

/// What the sources have to agree on.
#[derive(Debug, Clone)]
pub struct Terms {
    /// So many must have a block.
    pub needed: usize,
    /// How long an answer is waited for while others have answered.
    pub patience: Duration,
    /// The first block all must have, and the name of its network.
    pub genesis: Hash256,
    pub network: String,
}

/// Several daemons, of which enough must agree.
#[derive(Debug)]
pub struct Quorum<S> {
    members: Vec<Member<S>>,
    terms: Terms,
    looks: sync::Mutex<Looks>,
    agreed: Mutex<Option<Tip>>,
    /// Who is asked first for the next blocks.
    turn: AtomicUsize,
    metrics: SourceMetrics,
}

impl<S: ChainSource> Quorum<S> {
    /// `sources` by name, in the order of preference.
    pub fn new(sources: Vec<(String, S)>, terms: Terms, metrics: SourceMetrics) -> Self {
        Self {
            members: sources
                .into_iter()
                .map(|(name, source)| Member::new(name, source))
                .collect(),
            terms,
            looks: sync::Mutex::default(),
            agreed: Mutex::default(),
            turn: AtomicUsize::default(),
            metrics,
        }
    }

    pub const fn needed(&self) -> usize {
        self.terms.needed
    }

    fn agreed(&self) -> Option<Tip> {
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Members in the order in which they are asked for what any of them can give: those that agree, have the newest block and
    /// gave no trouble first. Turns take turns among equals.
    fn order(&self, turn: usize) -> Vec<usize> {
        let count = self.members.len();
        let agreed = self.agreed();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_cached_key(|index| {
            let standing = self.members[*index].standing();
            let trouble = (!standing.agrees, standing.rests(), standing.tardy);
            let behind = standing.tip != agreed;
            (trouble, behind, (index + count - turn % count) % count)
        });
        order
    }

    /// Members that agree, by preference.
    fn agreeing(&self) -> Vec<usize> {
        let mut order = self.order(0);
        order.retain(|index| self.members[*index].standing().agrees);
        order
    }

    fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Why there is no answer.
    fn no_quorum(&self) -> SourceError {
        let positions = self.members.iter().map(|member| {
            let standing = member.standing();
            match standing.tip {
                _ if !standing.answered => format!("{}: {}", member.name, standing.problem),
                Some(tip) => format!("{} is at {tip}", member.name),
                None => format!("{} has no block", member.name),
            }
        });
        SourceError::NoQuorum {
            needed: self.terms.needed,
            members: self.members.len(),
            positions: positions.collect::<Vec<_>>().join("; "),
        }
    }
}

impl<S: ChainSource> ChainSource for Quorum<S> {
    async fn genesis(&self) -> Result<Hash256, SourceError> {
        self.ask_genesis().await
    }

    async fn position(&self, height: Option<u32>) -> Result<Position, SourceError> {
        self.ask_position(height).await
    }

    async fn block_hashes(
        &self,
        heights: RangeInclusive<u32>,
    ) -> Result<Vec<Option<Hash256>>, SourceError> {
        let ask = |source: Arc<S>| {
            let heights = heights.clone();
            async move { source.block_hashes(heights).await }
        };
        self.vote(ask).await
    }

    async fn blocks(&self, heights: RangeInclusive<u32>) -> Result<Vec<Vec<u8>>, SourceError> {
        self.fetch_blocks(heights).await
    }

    async fn mempool(&self) -> Result<MempoolView, SourceError> {
        let ask = |source: Arc<S>| async move { source.mempool().await };
        self.first(ask).await
    }

    async fn transactions(&self, txids: &[Hash256]) -> Result<Vec<Option<Vec<u8>>>, SourceError> {
        let ask = |source: Arc<S>| {
            let txids = txids.to_vec();
            async move { source.transactions(&txids).await }
        };
        self.first(ask).await
    }

    async fn locate(&self, txid: Hash256) -> Result<Option<Located>, SourceError> {
        let ask = |source: Arc<S>| async move { source.locate(txid).await };
        self.first(ask).await
    }

    async fn node_lists(&self) -> Result<NodeLists, SourceError> {
        let ask = |source: Arc<S>| async move { source.node_lists().await };
        self.vote(ask).await
    }

    async fn delegates(
        &self,
        collaterals: &[OutPoint],
    ) -> Result<Vec<Vec<PublicKey>>, SourceError> {
        let ask = |source: Arc<S>| {
            let collaterals = collaterals.to_vec();
            async move { source.delegates(&collaterals).await }
        };
        self.vote(ask).await
    }

    async fn outputs(&self, names: &[OutPoint]) -> Result<Vec<Option<Collateral>>, SourceError> {
        let ask = |source: Arc<S>| {
            let names = names.to_vec();
            async move { source.outputs(&names).await }
        };
        self.vote(ask).await
    }

    fn reports(&self) -> Vec<SourceReport> {
        self.members.iter().map(Member::report).collect()
    }
}
