//! What a call to the plane can fail with.

use fluxplane_core::error::Reason;
use fluxplane_platform::problem::Problem;

use super::session::SessionError;
use crate::exit::Exit;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The plane refused, and says why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    #[error("{server} does not answer; is that the address of the plane, and does it run?")]
    Unreachable {
        server: String,
        #[source]
        source: reqwest::Error,
    },
    /// The connection broke while the answer came.
    #[error("the connection to {server} broke off")]
    Broken {
        server: String,
        #[source]
        source: reqwest::Error,
    },
    /// Something answered that is not a plane, or one that this client does not understand.
    #[error("{server} answered {status} with {what}, which is no answer of this API")]
    Foreign {
        server: String,
        status: u16,
        what: String,
    },
    #[error("not signed in to {server}; run `fluxctl login`")]
    NotSignedIn { server: String },
    #[error("the session with {server} is over; run `fluxctl login`")]
    SessionOver { server: String },
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] reqwest::Error),
    #[error("the request has no JSON form")]
    Encode(#[source] serde_json::Error),
}

impl Error {
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Problem(problem) => Exit::of_status(problem.status),
            Self::Unreachable { .. } | Self::Broken { .. } => Exit::Unavailable,
            Self::Foreign { status, .. } => match Exit::of_status(*status) {
                Exit::Unavailable => Exit::Unavailable,
                Exit::Success
                | Exit::Failed
                | Exit::Usage
                | Exit::NotSignedIn
                | Exit::NotFound
                | Exit::PaymentNeeded => Exit::Failed,
            },
            Self::NotSignedIn { .. } | Self::SessionOver { .. } => Exit::NotSignedIn,
            Self::Session(_) | Self::Setup(_) | Self::Encode(_) => Exit::Failed,
        }
    }

    /// Stable code of what is not a problem document.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Problem(_) => "problem",
            Self::Unreachable { .. } => "unreachable",
            Self::Broken { .. } => "connection-broken",
            Self::Foreign { .. } => "foreign-answer",
            Self::NotSignedIn { .. } => "not-signed-in",
            Self::SessionOver { .. } => "session-over",
            Self::Session(_) => "session-file",
            Self::Setup(_) => "client-setup",
            Self::Encode(_) => "request-encoding",
        }
    }

    /// The plane's reason, if it gave one that this client knows.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Problem(problem) => Reason::from_code(&problem.code),
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::Foreign { .. }
            | Self::NotSignedIn { .. }
            | Self::SessionOver { .. }
            | Self::Session(_)
            | Self::Setup(_)
            | Self::Encode(_) => None,
        }
    }

    /// Whether the access token was not taken.
    pub(super) fn is_unauthenticated(&self) -> bool {
        self.reason() == Some(Reason::Unauthenticated)
    }

    /// Whether the request never left, so that repeating it is safe whatever it does.
    pub(super) fn never_sent(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } if source.is_connect())
    }

    /// Whether the same request may succeed in a moment.
    pub(super) const fn passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Problem(problem) => matches!(problem.status, 429 | 502..=504),
            Self::Foreign { status, .. } => matches!(*status, 502..=504),
            Self::NotSignedIn { .. }
            | Self::SessionOver { .. }
            | Self::Session(_)
            | Self::Setup(_)
            | Self::Encode(_) => false,
        }
    }

    /// Seconds the plane asks to wait.
    pub(super) const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Problem(problem) => problem.retry_after,
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::Foreign { .. }
            | Self::NotSignedIn { .. }
            | Self::SessionOver { .. }
            | Self::Session(_)
            | Self::Setup(_)
            | Self::Encode(_) => None,
        }
    }
}
