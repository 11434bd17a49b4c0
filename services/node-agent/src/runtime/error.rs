//! What an engine can refuse.

use crate::domain::ImageName;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// The registry has no such image, or does not show it to us.
    #[error("image not found: {image}: {cause}")]
    ImageNotFound { image: ImageName, cause: String },
    /// The image exists as far as is known, and could not be fetched.
    #[error("image cannot be pulled: {image}: {cause}")]
    ImagePull { image: ImageName, cause: String },
    /// The engine does not answer, or answers nonsense. Says nothing about the containers.
    #[error("the container engine does not answer: {0}")]
    Unavailable(String),
    /// The engine answered no.
    #[error("{action}: {cause}")]
    Refused { action: String, cause: String },
}

impl RuntimeError {
    /// Whether the engine itself is the trouble, not what it was asked for.
    pub const fn engine_away(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::ImageNotFound { .. } | Self::ImagePull { .. } | Self::Refused { .. } => false,
        }
    }
}
