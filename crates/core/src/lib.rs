//! Words that every Fluxplane crate shares. Pure: no I/O, no async, no global state.
//!
//! | module | what |
//! |---|---|
//! | [`attest`] | what nodes sign |
//! | [`clock`] | time and id sources as parameters, so that decisions are repeatable |
//! | [`error`] | the kinds of failure every layer agrees on |
//! | [`id`] | one id type per kind of thing |
//! | [`money`] | FLUX amounts in sat, checked |
//! | [`place`] | where a machine stands: continent, country, region, network |
//! | [`resources`] | cpu, memory and disk as integers |
//! | [`tier`] | Cumulus, Nimbus, Stratus |

pub mod attest;
pub mod clock;
pub mod error;
pub mod id;
pub mod money;
pub mod place;
pub mod resources;
pub mod tier;

pub use clock::{Clock, FixedClock, IdSource, SystemClock, SystemIds};
pub use error::ErrorKind;
pub use money::Sat;
pub use place::Place;
pub use resources::Resources;
pub use tier::Tier;
