//! Words that every Fluxplane crate shares. Pure: no I/O, no async, no global state.
//!
//! | module | what |
//! |---|---|
//! | [`attest`] | what nodes sign |
//! | [`capacity`] | how much of a machine applications get |
//! | [`clock`] | time and id sources as parameters, so that decisions are repeatable |
//! | [`error`] | the kinds of failure every layer agrees on |
//! | [`funding`] | how applications are paid for |
//! | [`id`] | one id type per kind of thing |
//! | [`money`] | FLUX amounts in sat, checked |
//! | [`node`] | the states of a node |
//! | [`place`] | where a machine stands: continent, country, region, network |
//! | [`resources`] | cpu, memory and disk as integers |
//! | [`tier`] | Cumulus, Nimbus, Stratus |

pub mod attest;
pub mod capacity;
pub mod clock;
pub mod error;
pub mod funding;
pub mod id;
pub mod money;
pub mod node;
pub mod place;
pub mod resources;
pub mod tier;

pub use clock::{Clock, FixedClock, IdSource, SystemClock, SystemIds};
pub use error::ErrorKind;
pub use funding::Funding;
pub use money::Sat;
pub use node::NodeState;
pub use place::Place;
pub use resources::Resources;
pub use tier::Tier;
