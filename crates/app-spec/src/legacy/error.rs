//! The texts with which FluxOS refuses a specification. Clients match on them, so they are an interface.

use std::fmt;

/// The checks of FluxOS in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// `specificationFormatter`.
    Format,
    /// `verifyTypeCorrectnessOfApp`.
    Types,
    /// `verifyRestrictionCorrectnessOfApp`.
    Restrictions,
    /// The height from which the version is accepted.
    Enforcement,
    /// `ensureAppUniquePorts`.
    UniquePorts,
    /// `checkHWParameters` and `checkComposeHWParameters`.
    Hardware,
}

/// A refusal: the stage and FluxOS' own text, word for word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyError {
    pub stage: Stage,
    pub text: String,
}

impl LegacyError {
    pub(super) fn new(stage: Stage, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { stage, text }
    }
}

impl fmt::Display for LegacyError {
    /// The text; errors of the first stage carry its name, because FluxOS answers them elsewhere.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stage == Stage::Format {
            f.write_str("format: ")?;
        }
        f.write_str(&self.text)
    }
}

impl std::error::Error for LegacyError {}
