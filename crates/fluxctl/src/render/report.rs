//! Verifications: a mark and a sentence for every step.

use super::paint::{Paint, Tone, plain};
use crate::verify::{Outcome, Report};

/// A line for each step.
pub fn steps(report: &Report, paint: Paint) -> String {
    let lines = report.steps.iter().map(|step| {
        let (mark, tone) = match step.outcome {
            Outcome::Passed => ("✓", Tone::Good),
            Outcome::Failed => ("✗", Tone::Bad),
            Outcome::NotChecked => ("? not checked:", Tone::Busy),
        };
        format!(
            "  {} {:<12} {}\n",
            paint.tone(tone, mark),
            step.step,
            plain(&step.detail)
        )
    });
    lines.collect()
}

/// What all steps add up to.
pub fn verdict(report: &Report, what: &str, paint: Paint) -> String {
    let (tone, verdict) = if report.is_verified() {
        (Tone::Good, format!("{what}: verified"))
    } else if report.holds() {
        (
            Tone::Busy,
            format!("{what}: nothing is wrong, but not everything was checked"),
        )
    } else {
        (Tone::Bad, format!("{what}: NOT verified"))
    };
    format!("{}\n", paint.tone(tone, &verdict))
}
