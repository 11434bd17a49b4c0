//! What can go wrong, one variant per operation.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
    id::{InvoiceId, QuoteId},
};
use fluxplane_ledger::{account::ParsePartyError, transfer::TransferError};
use fluxplane_platform::{
    db::idempotency,
    error::{Remote, ServiceError, db_kind, db_reason},
};

use fluxplane_pricing::native::{FixingError, OverrideError};

use crate::{
    db::ledger::PostError,
    domain::{rate::StatementError, settlement::SettleError},
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("post to the ledger")]
    Post(#[source] PostError),
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    #[error("the specification cannot be deployed")]
    Spec(Vec<Violation>),
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("no block of the chain was seen yet, so no price is in force; try again")]
    HeightUnknown,
    #[error("nobody trustworthy says what a FLUX is worth now, so no price can be firm: {0}")]
    NoRate(FixingError),
    #[error("the statement does not count: {0}")]
    Statement(StatementError),
    #[error("this signed statement was submitted before")]
    StatementUsed,
    /// The scheduler refuses, or is away.
    #[error("{}", .0.message)]
    Scheduler(Remote),
    #[error("quote {0} does not exist")]
    NoQuote(QuoteId),
    #[error("invoice {0} does not exist")]
    NoInvoice(InvoiceId),
    #[error("invoice {invoice} has no line {line}")]
    NoLine { invoice: InvoiceId, line: u32 },
    #[error("epoch {0} does not exist")]
    NoEpoch(u64),
    #[error("epoch {0} is not closed yet, so it has no leaves")]
    NotClosed(u64),
    #[error("no epoch is open yet; try again")]
    NoOpenEpoch,
    #[error("epoch {number} waits for epoch {previous} to be closed")]
    OutOfTurn { number: u64, previous: u64 },
    #[error("another replica closes epochs now")]
    Superseded,
    #[error("settle epoch {number}")]
    Settle {
        number: u64,
        #[source]
        source: SettleError,
    },
    /// Something stored that no version of this service writes.
    #[error("stored data is inconsistent: {0}")]
    Inconsistent(String),
    #[error("a name in an event names nobody")]
    Party(#[from] ParsePartyError),
    #[error("make transfers")]
    Transfer(#[from] TransferError),
}

impl From<idempotency::Reused> for Error {
    fn from(_: idempotency::Reused) -> Self {
        Self::KeyReused
    }
}

impl From<PostError> for Error {
    fn from(err: PostError) -> Self {
        match err {
            PostError::Db(err) => Self::Db(err),
            refused @ (PostError::Refused(_) | PostError::Group(_)) => Self::Post(refused),
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Db(err) => db_kind(err),
            Self::Statement(StatementError::Refused(OverrideError::Signer(_))) => {
                ErrorKind::Forbidden
            }
            Self::Invalid(_) | Self::Spec(_) | Self::KeyReused | Self::Statement(_) => {
                ErrorKind::Invalid
            }
            Self::StatementUsed => ErrorKind::AlreadyExists,
            Self::Scheduler(remote) => remote.kind,
            Self::HeightUnknown
            | Self::NoRate(_)
            | Self::NoOpenEpoch
            | Self::OutOfTurn { .. }
            | Self::Superseded => ErrorKind::Unavailable,
            Self::NoQuote(_) | Self::NoInvoice(_) | Self::NoLine { .. } | Self::NoEpoch(_) => {
                ErrorKind::NotFound
            }
            Self::NotClosed(_) => ErrorKind::Conflict,
            Self::Post(_)
            | Self::Settle { .. }
            | Self::Inconsistent(_)
            | Self::Party(_)
            | Self::Transfer(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Db(err) => db_reason(err),
            Self::Invalid(_)
            | Self::Statement(
                StatementError::Rate(_)
                | StatementError::Over { .. }
                | StatementError::Early { .. },
            ) => Reason::InvalidRequest,
            Self::Spec(_) => Reason::SpecInvalid,
            Self::KeyReused => Reason::IdempotencyKeyReused,
            Self::NoRate(_) => Reason::RateUnavailable,
            Self::Scheduler(remote) => remote.reason,
            Self::Statement(StatementError::Refused(refused)) => statement_reason(refused),
            Self::StatementUsed => Reason::MessageUsed,
            Self::HeightUnknown | Self::NoOpenEpoch | Self::OutOfTurn { .. } | Self::Superseded => {
                Reason::Unavailable
            }
            Self::NoQuote(_) | Self::NoInvoice(_) | Self::NoLine { .. } | Self::NoEpoch(_) => {
                Reason::NotFound
            }
            Self::NotClosed(_) => Reason::EpochNotClosed,
            Self::Post(_)
            | Self::Settle { .. }
            | Self::Inconsistent(_)
            | Self::Party(_)
            | Self::Transfer(_) => Reason::Internal,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        let one = |field: &str, value: &dyn std::fmt::Display, rule: &str, remedy: &str| {
            vec![Violation::new(field, value, rule, remedy)]
        };
        match self {
            Self::Invalid(violations) | Self::Spec(violations) => violations.clone(),
            Self::KeyReused => one(
                "Idempotency-Key",
                &"the key",
                "a key belongs to one request; the same key with another request is a mistake",
                "send a fresh key with each new request",
            ),
            Self::Scheduler(remote) => remote.violations.clone(),
            Self::Statement(err) => vec![statement_violation(err)],
            Self::StatementUsed => one(
                "statement",
                &"the statement",
                "a signed statement is taken once, so that nobody can set an old one in force again",
                "sign a new one, with another time or reason",
            ),
            Self::NoQuote(id) => one(
                "quote_id",
                id,
                "it must be a quote that was made",
                "ask for a quote",
            ),
            Self::NoInvoice(id) => one(
                "invoice_id",
                id,
                "it must be an invoice of yours",
                "list your invoices",
            ),
            Self::NoLine { line, .. } => one(
                "line_number",
                line,
                "it must be a line of the invoice",
                "lines count from 1; read the invoice",
            ),
            Self::NoEpoch(number) => one(
                "number",
                number,
                "it must be an epoch that began",
                "list the epochs",
            ),
            Self::NotClosed(number) => one(
                "epoch",
                number,
                "it must be closed",
                "wait until it ends, or close it",
            ),
            Self::Db(_)
            | Self::Post(_)
            | Self::HeightUnknown
            | Self::NoRate(_)
            | Self::NoOpenEpoch
            | Self::OutOfTurn { .. }
            | Self::Superseded
            | Self::Settle { .. }
            | Self::Inconsistent(_)
            | Self::Party(_)
            | Self::Transfer(_) => Vec::new(),
        }
    }
}

const fn statement_reason(refused: &OverrideError) -> Reason {
    match refused {
        OverrideError::Signer(_) => Reason::Forbidden,
        OverrideError::Malformed(_) | OverrideError::Signature(_) => Reason::SignatureInvalid,
        OverrideError::Window { .. } | OverrideError::TooLong { .. } | OverrideError::Reason => {
            Reason::InvalidRequest
        }
    }
}

/// Which field of a statement is wrong. The rules are those of the pricing crate, in its words.
fn statement_violation(err: &StatementError) -> Violation {
    let (field, value) = match err {
        StatementError::Rate(rate) => ("micro_usd", rate.to_string()),
        StatementError::Over { until, .. } => ("valid_until", until.to_string()),
        StatementError::Early { from, .. } => ("valid_from", from.to_string()),
        StatementError::Refused(refused) => match refused {
            OverrideError::Signer(signer) => ("signer", signer.clone()),
            OverrideError::Window { until, .. } => ("valid_until", until.to_string()),
            OverrideError::TooLong { seconds, .. } => ("valid_until", format!("{seconds} s")),
            OverrideError::Reason => ("reason", "the reason".to_owned()),
            OverrideError::Malformed(_) | OverrideError::Signature(_) => {
                ("signature", "the signature".to_owned())
            }
        },
    };
    let remedy = "`fluxctl admin override-rate` makes and signs a statement that fits";
    Violation::new(field, value, err.to_string(), remedy)
}
