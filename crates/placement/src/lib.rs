//! Which nodes an application runs on, and why. Pure and deterministic: the same state, the same request and the
//! same seed give the same answer on every machine, whatever the order in which the state was built.
//!
//! | module | what |
//! |---|---|
//! | [`node`] | a machine as placement sees it |
//! | [`request`] | what one application asks for |
//! | [`engine`] | the state: nodes, reservations, and the indexes that make a decision cheap |
//! | [`plan`] | the decision: filters, spread, fit, tie-break; and what would place a copy that found no node |
//! | [`record`] | what is kept of a decision, in a form that can be stored and replayed |
//! | [`explain`] | why here, why not there, in words |
//! | [`replay`] | the same decision again from its record |
//! | [`digest`] | fingerprints of states and inputs |
//!
//! A decision takes three steps. **Filters** remove nodes in the fixed order of [`Filter::PIPELINE`]. **Spread**
//! prefers nodes whose operator, then provider network, then country, then tier carry the fewest copies of the
//! application. **Fit** prefers, among those, the node with the least left over, measured as [`engine::volume`];
//! exact ties are broken by the seed.

mod bits;
mod canonical;
pub mod digest;
pub mod engine;
pub mod explain;
pub mod node;
pub mod plan;
pub mod record;
pub mod replay;
pub mod request;

pub use digest::Digest;
pub use engine::{Engine, Reservation, Snapshot};
pub use node::{Node, NodeState};
pub use plan::Decision;
pub use record::{Change, DecisionRecord, Filter, PendingReason};
pub use request::{Geo, GeoPattern, Pin, Request, SpreadLimits};
