//! Who is told how a plane comes up and what its demonstration does.

use std::time::Duration;

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

/// Runs `work` and reports it. Its result says in a few words what came of it.
pub(crate) fn step<T>(
    report: &dyn Report,
    what: &str,
    work: impl FnOnce() -> anyhow::Result<(T, String)>,
) -> anyhow::Result<T> {
    report.begin(what);
    let started = std::time::Instant::now();
    let (value, outcome) = work().map_err(|err| err.context(what.to_owned()))?;
    report.done(what, started.elapsed(), &outcome);
    Ok(value)
}
