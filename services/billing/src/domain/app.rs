//! Applications and their revisions, as far as money is concerned.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Funding,
    error::Reason,
    id::{AppId, QuoteId, RevisionId},
};

use super::quote::Quote;

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub id: AppId,
    pub name: String,
    /// Wallet address.
    pub owner: String,
    /// Funded last; what an update is credited for.
    pub running: Option<RevisionId>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// Where a revision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevisionState {
    /// Waits for its money.
    Awaiting,
    Funded,
    /// Will never be funded.
    Refused,
    /// Its application ended first.
    Ended,
}

impl RevisionState {
    const ALL: [Self; 4] = [Self::Awaiting, Self::Funded, Self::Refused, Self::Ended];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Funded => "funded",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A revision as the scheduler announced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub id: RevisionId,
    pub app: AppId,
    /// From 1.
    pub number: u32,
    pub message_hash: String,
    pub quote: QuoteId,
    pub funding: Funding,
    pub state: RevisionState,
    pub submitted_at: DateTime<Utc>,
    /// Later money becomes credit.
    pub pay_until: DateTime<Utc>,
}

/// Why a revision is refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    pub message: String,
}

impl Refusal {
    pub fn quote(message: impl Into<String>) -> Self {
        Self {
            reason: Reason::QuoteInvalid,
            message: message.into(),
        }
    }
}

/// Whether a quote is for this revision of this application. `spec_sha256` is that of the revision's specification, as far as
/// it is known; `taken` says that another revision uses the quote.
pub fn check_quote(
    quote: Option<&Quote>,
    app: &App,
    revision: &Revision,
    spec_sha256: Option<&str>,
    taken: bool,
) -> Result<(), Refusal> {
    let id = revision.quote;
    let Some(quote) = quote else {
        return Err(Refusal::quote(format!(
            "quote {id} does not exist; ask for one"
        )));
    };
    let wrong = |what: String| {
        Err(Refusal::quote(format!(
            "quote {id} {what}; ask for a new one"
        )))
    };
    if taken {
        return wrong("was used for another revision".to_owned());
    }
    if quote.owner != app.owner {
        return wrong(format!(
            "was made for {}, the application belongs to {}",
            quote.owner, app.owner
        ));
    }
    if quote.app_name != app.name {
        return wrong(format!(
            "is for the application {}, not {}",
            quote.app_name, app.name
        ));
    }
    let quoted = hex::encode(quote.spec_sha256);
    if let Some(submitted) = spec_sha256.filter(|submitted| *submitted != quoted) {
        return wrong(format!(
            "is for the specification with SHA-256 {quoted}, and {submitted} was submitted"
        ));
    }
    if revision.submitted_at > quote.expires_at {
        return wrong(format!("expired at {}", quote.expires_at.format("%FT%TZ")));
    }
    match (quote.replaces, app.running) {
        (None, None) => Ok(()),
        (Some(credited), Some(running)) if credited == running => Ok(()),
        (None, Some(_)) => wrong(
            "is for a registration, but the application runs; name it in update_of".to_owned(),
        ),
        (Some(_), _) => wrong("credits a revision that no longer runs".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for state in RevisionState::ALL {
            assert_eq!(RevisionState::from_name(state.name()), Some(state));
        }
    }
}
