//! What happens around every handler. [`super::router`] puts the layers in order.
//!
//! - [`observe`]: request id, trace, metrics, panics, problem documents, headers. Outermost: it sees every answer.
//! - [`admit`]: client address, requests per address, body size, time limit. All before anybody is identified.
//! - [`gate`]: who may call, requests per principal, idempotency keys, audit. Innermost: it knows the operation.

pub mod admit;
pub mod gate;
pub mod observe;

pub use gate::{Audited, key_missing, unauthenticated};
pub use observe::no_such_path;
