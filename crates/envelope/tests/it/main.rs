//! What opens, and that nothing else does.
#![expect(clippy::unwrap_used, reason = "tests")]

mod rest;
mod transit;
