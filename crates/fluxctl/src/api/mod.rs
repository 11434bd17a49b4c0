//! The REST API of a plane, typed.
//!
//! ```no_run
//! # async fn example(key: &fluxplane_fluxctl::wallet::Key) -> Result<(), fluxplane_fluxctl::api::Error> {
//! use fluxplane_fluxctl::api::{Client, Options};
//!
//! let client = Client::new(Options::anonymous("http://127.0.0.1:7000".parse().expect("a URL")))?;
//! client.sign_in(key).await?;
//! for app in client.apps(100).await?.items {
//!     let instances = client.instances(&app.name, false).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every call has a deadline. A call that changes something carries an idempotency key, so repeating it after a lost
//! answer changes nothing more; an access token that ran out is renewed on the way.
//!
//! | module | what |
//! |---|---|
//! | [`client`] | [`Client`], its options, and how a call is made |
//! | [`session`] | tokens, where they are kept, and their renewal |
//! | [`sse`] | server-sent events |
//! | [`follow`] | timelines and logs that go on after a broken connection |
//! | the others | one resource each: its documents and its calls |

pub mod apps;
pub mod auth;
pub mod billing;
mod call;
pub mod chain;
pub mod client;
pub mod epochs;
mod error;
pub mod evm;
pub mod follow;
pub mod instances;
pub mod ledger;
pub mod nodes;
mod open_enum;
pub mod page;
pub mod quotes;
pub mod rates;
pub mod secrets;
pub mod session;
pub mod sse;
pub mod tiers;
pub mod value;

pub use apps::{App, AppState, Funding, PaymentInstructions, Revision, SignedSpec, Submitted};
pub use client::{Client, Options};
pub use error::Error;
pub use instances::{Instance, InstanceState, LogLine, TimelineEntry};
pub use page::Listing;
pub use quotes::Quote;
pub use rates::Rate;
pub use session::{Keeper, Session, SessionFile};
pub use value::{Amount, OutPoint};
