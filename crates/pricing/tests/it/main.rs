//! Integration tests of the crate, one module per area.
#![expect(clippy::unwrap_used, reason = "tests")]

mod batch;
mod hostile;
mod quotes;
mod vectors;
