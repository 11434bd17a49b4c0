//! From a specification to a running application: the message its owner signs, the submission, and watching it come up.

mod message;
mod outcome;
mod watch;

pub use message::{Draft, DraftError, Intent, MESSAGE_VERSION};
pub use outcome::{Outcome, Tracker};
pub use watch::{Ended, Observed, watch};

use uuid::Uuid;

use crate::api::{Client, Error, Funding, Quote, SignedSpec, Submitted};

/// Asks for the price of a draft.
pub async fn quote(client: &Client, draft: &Draft) -> Result<Quote, Error> {
    let update_of = match draft.intent {
        Intent::Register => None,
        Intent::Update => Some(draft.name.as_str()),
    };
    client.create_quote(draft.spec(), update_of).await
}

/// Submits a signed specification. An update names the version of the application that its owner decided on.
pub async fn submit(
    client: &Client,
    name: &str,
    update: Option<u64>,
    quote_id: Uuid,
    funding: Funding,
    signed: &SignedSpec,
) -> Result<Submitted, Error> {
    match update {
        None => client.create_app(quote_id, funding, signed).await,
        Some(version) => {
            client
                .update_app(name, version, quote_id, funding, signed)
                .await
        }
    }
}
