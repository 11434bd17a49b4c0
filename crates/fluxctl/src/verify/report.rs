//! The steps of a verification, and what they add up to.

use serde::Serialize;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Failed,
    /// Nobody looked.
    NotChecked,
}

/// One thing that was, or should have been, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Stable name.
    pub step: &'static str,
    pub outcome: Outcome,
    /// What was found, in words.
    pub detail: String,
}

/// All steps of one verification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub steps: Vec<Step>,
}

impl Report {
    pub fn passed(&mut self, step: &'static str, detail: impl Into<String>) {
        self.add(step, Outcome::Passed, detail);
    }

    pub fn failed(&mut self, step: &'static str, detail: impl Into<String>) {
        self.add(step, Outcome::Failed, detail);
    }

    pub fn not_checked(&mut self, step: &'static str, detail: impl Into<String>) {
        self.add(step, Outcome::NotChecked, detail);
    }

    /// `Ok` says what was found, `Err` what is wrong.
    pub fn judged(&mut self, step: &'static str, result: Result<String, String>) {
        match result {
            Ok(detail) => self.passed(step, detail),
            Err(detail) => self.failed(step, detail),
        }
    }

    fn add(&mut self, step: &'static str, outcome: Outcome, detail: impl Into<String>) {
        self.steps.push(Step {
            step,
            outcome,
            detail: detail.into(),
        });
    }

    pub fn extend(&mut self, other: Self) {
        self.steps.extend(other.steps);
    }

    /// Whether no step failed.
    pub fn holds(&self) -> bool {
        self.steps
            .iter()
            .all(|step| step.outcome != Outcome::Failed)
    }

    /// Whether every step was taken.
    pub fn is_complete(&self) -> bool {
        self.steps
            .iter()
            .all(|step| step.outcome != Outcome::NotChecked)
    }

    /// Whether every step was taken and passed.
    pub fn is_verified(&self) -> bool {
        !self.steps.is_empty() && self.holds() && self.is_complete()
    }
}
