//! The command line for customers, operators, admins and verifiers, and the client behind it.
//!
//! | module | what |
//! |---|---|
//! | [`api`] | the REST API, typed: sessions that renew themselves, idempotency keys, problems, event streams |
//! | [`deploy`] | from a specification to a running application: message, quote, submission, watching |
//! | [`verify`] | what the plane says about money, checked against the chain |
//! | [`wallet`] | key files: ids, addresses, signatures, payments |
//! | [`chain_rpc`] | a fluxd-compatible node |
//! | [`batch`] | many lines in, as many lines out, in order, fast |
//! | [`cli`], [`cmd`] | arguments, and one module per verb |
//! | [`config`] | profiles, sessions and the environment |
//! | [`render`] | tables, timelines, problems and progress, for people |
//! | [`error`], [`exit`] | what went wrong, and what a script sees of it |

pub mod api;
pub mod batch;
pub mod chain_rpc;
pub mod cli;
pub mod cmd;
pub mod config;
pub mod deploy;
pub mod error;
pub mod exit;
pub mod render;
pub mod verify;
pub mod wallet;

pub use error::Error;
pub use exit::Exit;
