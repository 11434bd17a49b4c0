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

/// What exactly is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Violation {
    /// Path of the field, e.g. `compose[0].cpu`.
    pub field: String,
    /// The value as received, shortened.
    pub value: String,
    /// The rule it breaks.
    pub rule: String,
    /// What to do about it.
    pub remedy: String,
}

/// Longest value repeated to the caller, in characters.
const VALUE_CHARS: usize = 120;

impl Violation {
    pub fn new(
        field: impl Into<String>,
        value: impl std::fmt::Display,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let text = value.to_string();
        let mut value: String = text.chars().take(VALUE_CHARS).collect();
        if value.len() < text.len() {
            value.push('…');
        }
        Self {
            field: field.into(),
            value,
            rule: rule.into(),
            remedy: remedy.into(),
        }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            field,
            value,
            rule,
            remedy,
        } = self;
        write!(f, "{field} is `{value}`, but {rule}; {remedy}")
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// Stable reason codes that users see. Each has a section in `docs/ERRORS.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name),+
        }

        impl Reason {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as it appears in problem documents, metrics and docs.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code),+
                }
            }

            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code() == code)
            }
        }
    };
}

reasons! {
    /// A field is malformed, missing, unknown or out of range.
    InvalidRequest = "invalid-request",
    /// The body is larger than the limit.
    BodyTooLarge = "body-too-large",
    /// The path exists, but not with this method.
    MethodNotAllowed = "method-not-allowed",
    /// FluxOS has this route, this plane does not serve it.
    NotServed = "not-served",
    /// The body is not JSON, or is not declared as such.
    UnsupportedMediaType = "unsupported-media-type",
    /// A changing request came without an `Idempotency-Key`.
    IdempotencyKeyMissing = "idempotency-key-missing",
    /// The key was used with another request.
    IdempotencyKeyReused = "idempotency-key-reused",
    /// A change came without `If-Match`.
    IfMatchMissing = "if-match-missing",
    /// The thing changed since the caller read it.
    StaleVersion = "stale-version",
    /// No such thing, or not for this caller.
    NotFound = "not-found",
    /// The caller did not prove who they are.
    Unauthenticated = "unauthenticated",
    /// A signature does not verify.
    SignatureInvalid = "signature-invalid",
    /// A sign-in challenge is unknown, used or too old.
    ChallengeInvalid = "challenge-invalid",
    /// The caller may not do this.
    Forbidden = "forbidden",
    /// Too many requests.
    RateLimited = "rate-limited",
    /// The specification breaks a rule of FluxOS or of the plane.
    SpecInvalid = "spec-invalid",
    /// The application name is taken.
    NameTaken = "name-taken",
    /// The quote is unknown, expired, used or for something else.
    QuoteInvalid = "quote-invalid",
    /// Nobody trustworthy says what a FLUX is worth now.
    RateUnavailable = "rate-unavailable",
    /// Money is missing.
    PaymentRequired = "payment-required",
    /// The application ended.
    AppEnded = "app-ended",
    /// A revision waits for its payment already.
    RevisionPending = "revision-pending",
    /// The signed message was submitted before.
    MessageUsed = "message-used",
    /// A living application names the secret.
    SecretInUse = "secret-in-use",
    /// The node does not run this assignment of the instance, or not any more.
    AssignmentOver = "assignment-over",
    /// The join token is unknown, used, expired or for another collateral.
    JoinTokenInvalid = "join-token-invalid",
    /// The node key did not sign, or is not the one on the chain.
    NodeKeyMismatch = "node-key-mismatch",
    /// The collateral is not a confirmed fluxnode.
    CollateralNotConfirmed = "collateral-not-confirmed",
    /// Another node holds this collateral.
    CollateralInUse = "collateral-in-use",
    /// The machine is smaller than its tier asks for.
    TierNotMet = "tier-not-met",
    /// The node that should answer is not connected.
    NodeUnreachable = "node-unreachable",
    /// The epoch has nothing to show yet.
    EpochNotClosed = "epoch-not-closed",
    /// The index of the chain does not keep what the answer needs.
    NotIndexed = "not-indexed",
    /// A part of the plane is away.
    Unavailable = "unavailable",
    /// Our fault.
    Internal = "internal",
}

impl Reason {
    /// Whether the caller's remedy is to pay.
    pub const fn wants_payment(self) -> bool {
        matches!(self, Self::PaymentRequired)
    }
}
