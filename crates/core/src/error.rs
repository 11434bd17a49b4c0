//! The kinds of failure. Every error enum of ours maps to one of these; `platform::error` maps them to gRPC and HTTP.

/// What went wrong, from the caller's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request can never succeed as it stands.
    Invalid,
    /// The thing does not exist, or its existence is hidden from the caller.
    NotFound,
    /// The thing exists already.
    AlreadyExists,
    /// The thing is in a state that forbids the operation.
    Conflict,
    /// The caller acted on an old version of the thing.
    Stale,
    /// The caller did not prove who they are.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// A quota or rate limit is used up; try later.
    Exhausted,
    /// Money is missing.
    PaymentRequired,
    /// A dependency is away; try again.
    Unavailable,
    /// Our fault.
    Internal,
}

impl ErrorKind {
    /// Whether the same request may succeed later without a change by the caller.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::Exhausted)
    }
}
