//! The whole plane, as `make run` starts it: real programs, chain, database, bus and containers.
#![expect(clippy::unwrap_used, reason = "tests")]

mod plane;
