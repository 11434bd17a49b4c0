//! One daemon of several, and what it is known for.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fluxplane_platform::error::chain as chain_of;
use tokio::time::Instant;

use super::super::{SourceError, metrics::SourceMetrics};
use crate::domain::{Tip, agreement::SourceReport};

/// How long a source whose blocks could not be used is asked last.
const REST: Duration = Duration::from_mins(1);

/// A daemon and its standing.
#[derive(Debug)]
pub(super) struct Member<S> {
    pub(super) name: String,
    pub(super) source: Arc<S>,
    standing: Mutex<Standing>,
}

/// What a daemon is known for.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that hold or do not, independently of each other"
)]
pub(super) struct Standing {
    /// Whether it told the network's first block since it was last away.
    pub(super) verified: bool,
    pub(super) tip: Option<Tip>,
    /// Whether it answered the last look.
    pub(super) answered: bool,
    pub(super) agrees: bool,
    /// Whether its last answer came late or not at all; it is not waited for then.
    pub(super) tardy: bool,
    /// Why it cannot be asked or is not believed.
    pub(super) problem: String,
    /// When and why its blocks could not be used.
    fault: Option<(Instant, String)>,
}

impl Standing {
    pub(super) fn rests(&self) -> bool {
        self.fault
            .as_ref()
            .is_some_and(|(at, _)| at.elapsed() < REST)
    }
}

impl<S> Member<S> {
    pub(super) fn new(name: String, source: S) -> Self {
        Self {
            name,
            source: Arc::new(source),
            standing: Mutex::default(),
        }
    }

    pub(super) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It could not be asked.
    pub(super) fn failed(&self, err: &SourceError, metrics: &SourceMetrics) {
        metrics.fault(&self.name, err.outcome());
        let problem = chain_of(err);
        let mut standing = self.standing();
        if standing.problem != problem {
            tracing::warn!(
                source = self.name,
                error = problem,
                "a source cannot be asked"
            );
        }
        standing.answered = false;
        standing.agrees = false;
        // Whoever answers next at this address may be another daemon.
        standing.verified = false;
        standing.problem = problem;
    }

    /// What it gave could not be used, though it answers.
    pub(super) fn faulted(&self, err: &SourceError, metrics: &SourceMetrics) {
        metrics.fault(&self.name, err.outcome());
        let problem = chain_of(err);
        tracing::warn!(
            source = self.name,
            error = problem,
            "answer of a source is of no use"
        );
        self.standing().fault = Some((Instant::now(), problem));
    }

    pub(super) fn report(&self) -> SourceReport {
        let standing = self.standing();
        let fault = standing.fault.as_ref().filter(|_| standing.rests());
        let problem = match fault {
            Some((_, problem)) if standing.problem.is_empty() => problem.clone(),
            _ => standing.problem.clone(),
        };
        SourceReport {
            name: self.name.clone(),
            tip: standing.tip,
            answered: standing.answered,
            agrees: standing.agrees,
            problem,
        }
    }
}
