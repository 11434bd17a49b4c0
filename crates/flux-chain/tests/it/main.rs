//! The crate against what real daemons produced: blocks, transactions and answers of main, and a recorded chain with fluxnodes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

mod batch;
mod build;
mod collateral;
mod delegates;
mod describe;
mod emission;
mod headers;
mod node_checks;
mod node_rules;
mod params;
mod payouts;
mod recording;
mod reorg;
mod robustness;
mod signatures;
mod vectors;
