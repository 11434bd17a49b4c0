//! Leader election: whoever holds the lease does the work, and fences every write with its token.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::lease;
use crate::metrics::{LeaseLabels, Metrics};

/// One period of leadership.
#[derive(Debug, Clone)]
pub struct Term {
    /// Fencing token of this term; larger than that of every earlier one.
    pub token: i64,
    /// Cancelled when the term ends. The work must stop then.
    pub over: CancellationToken,
}

/// Stands for election until told to stop.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub pool: PgPool,
    /// Name of the lease.
    pub name: &'static str,
    /// This process.
    pub holder: Uuid,
    /// How long a leader that fell silent keeps others waiting. Renewed after a third of it.
    pub ttl: Duration,
    pub metrics: Metrics,
}

impl Candidate {
    /// Runs `work` once per term. Work that ends by itself with an error ends the candidate.
    pub async fn run<F, Fut>(self, stop: CancellationToken, mut work: F) -> anyhow::Result<()>
    where
        F: FnMut(Term) -> Fut,
        Fut: Future<Output = anyhow::Result<()>>,
    {
        let held = self
            .metrics
            .common
            .lease_held
            .get_or_create_owned(&LeaseLabels { name: self.name });
        while !stop.is_cancelled() {
            if let Some(token) = self.try_acquire().await {
                tracing::info!(lease = self.name, token, "leading");
                held.set(1);
                let result = self.lead(token, &stop, &mut work).await;
                held.set(0);
                result?;
                tracing::info!(lease = self.name, token, "no longer leading");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.ttl / 3) => {}
            }
        }
        Ok(())
    }

    async fn lead<F, Fut>(
        &self,
        token: i64,
        stop: &CancellationToken,
        work: &mut F,
    ) -> anyhow::Result<()>
    where
        F: FnMut(Term) -> Fut,
        Fut: Future<Output = anyhow::Result<()>>,
    {
        let over = stop.child_token();
        let working = work(Term {
            token,
            over: over.clone(),
        });
        let keeping = async {
            self.keep(token, &over).await;
            over.cancel();
        };
        // The work is always awaited: a new term must not begin beside the rest of the old one.
        let (result, ()) = tokio::join!(
            async {
                let result = working.await;
                over.cancel();
                result
            },
            keeping
        );
        if stop.is_cancelled()
            && let Ok(mut conn) = self.pool.acquire().await
        {
            lease::release(&mut conn, self.name, self.holder).await.ok();
        }
        result
    }

    /// Renews until the lease is lost, cannot be renewed in time, or the term is over.
    async fn keep(&self, token: i64, over: &CancellationToken) {
        loop {
            tokio::select! {
                () = over.cancelled() => return,
                () = tokio::time::sleep(self.ttl / 3) => {}
            }
            // The lease lapses at `ttl` after the last renewal; a third is left for this one.
            let renewed = tokio::time::timeout(self.ttl / 3, self.try_acquire()).await;
            if renewed != Ok(Some(token)) {
                tracing::warn!(lease = self.name, token, "lost the lease");
                return;
            }
        }
    }

    async fn try_acquire(&self) -> Option<i64> {
        let acquired = async {
            let mut conn = self.pool.acquire().await?;
            lease::acquire(&mut conn, self.name, self.holder, self.ttl).await
        };
        acquired.await.unwrap_or_else(|err| {
            tracing::warn!(lease = self.name, error = %err, "acquire lease");
            None
        })
    }
}
