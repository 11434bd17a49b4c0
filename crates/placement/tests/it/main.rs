//! What placement promises, checked from outside: against a second, slow implementation of the rules, under random
//! histories, and by example.

#![expect(clippy::unwrap_used, reason = "tests")]

mod explain;
mod fleet;
mod histories;
mod oracle;
mod pending;
mod reserve;
mod spread;
