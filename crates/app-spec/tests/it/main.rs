//! Integration tests of the crate, one module per area.
#![expect(clippy::unwrap_used, reason = "tests")]

mod batch;
mod fixture;
mod hostile;
mod json;
mod messages;
mod native;
mod numbers;
mod round_trip;
mod specs;
mod strict;
mod updates;
mod verdicts;
