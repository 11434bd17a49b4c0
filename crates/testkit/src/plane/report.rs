//! Who is told how a plane comes up and what its demonstration does.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Somebody who watches.
pub trait Report: Send + Sync {
    /// Something that takes a moment begins.
    fn begin(&self, what: &str);

    /// It is done.
    fn done(&self, what: &str, took: Duration, outcome: &str);

    /// A part of the demonstration begins.
    fn chapter(&self, title: &str);

    /// A command is about to be run, as people would type it.
    fn command(&self, line: &str);

    /// What a command printed, or a remark.
    fn text(&self, text: &str);
}

/// Something that takes a moment, and is reported with the time it took.
pub(crate) struct Step<'a> {
    report: &'a dyn Report,
    what: &'a str,
    started: Instant,
}

impl<'a> Step<'a> {
    pub(crate) fn begin(report: &'a dyn Report, what: &'a str) -> Self {
        report.begin(what);
        Self {
            report,
            what,
            started: Instant::now(),
        }
    }

    pub(crate) fn done(self, outcome: &str) {
        self.report.done(self.what, self.started.elapsed(), outcome);
    }

    /// Does `work` as one step. Its result says in a few words what came of it.
    pub(crate) fn run<T>(
        report: &'a dyn Report,
        what: &'a str,
        work: impl FnOnce() -> Result<(T, String)>,
    ) -> Result<T> {
        let step = Self::begin(report, what);
        let (value, outcome) = work().with_context(|| what.to_owned())?;
        step.done(&outcome);
        Ok(value)
    }
}
