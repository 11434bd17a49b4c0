//! Integration tests of the crate, one module per area.
#![expect(clippy::unwrap_used, reason = "tests")]

mod batch;
mod hostile;
mod native;
mod quotes;
mod vectors;
