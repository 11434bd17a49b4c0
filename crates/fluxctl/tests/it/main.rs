//! `fluxctl` as people and scripts meet it: the real program, against a plane and a chain node that do what a test says.
#![expect(clippy::unwrap_used, reason = "tests")]

mod admin;
mod apps;
mod batch;
mod billing;
mod chain;
mod contract;
mod deploy;
mod errors;
mod help;
mod library;
mod logs;
mod native;
mod native_price;
mod node;
mod secret;
mod session;
mod spec;
mod support;
mod verify_block;
mod verify_epoch;
mod verify_line;
mod wallet;
