//! SQL of the scheduler.
//!
//! ## What do we store?
//!
//! - `app`, `revision`: intent. Durable truth; a revision never changes but for what became of it.
//! - `instance`, `decision`: where copies run and why. Durable truth, written by the leader under its fencing token; only
//!   what nodes report is written by others.
//! - `app_event`: what was told to people. Durable, append-only.
//! - `node_desired`: the version of each node's desired state. Durable: it must never go back.
//! - `name_reservation`, `kept_room`: what quotes keep. Gone when it is over.
//! - `node`, `chain_tip`: copies of other services' truth, rebuilt from their events.
//!
//! ## Who locks what
//!
//! Whoever changes an application, its instances or its timeline locks the row of the application first; of several, in
//! the order of their ids. A change of a node locks the row of the node before those. The leader locks one application,
//! then, for sharing, the nodes it assigns in the order of their ids, then rows of `node_desired`, which nobody else writes.
//! Whoever keeps room locks the name, then all nodes behind the addresses it needs, in the order of their ids, alone.

pub mod apps;
pub mod chain;
pub mod decisions;
pub mod desired;
pub mod instances;
pub mod kept_rooms;
pub mod keys;
pub mod nodes;
pub mod published;
pub mod reservations;
pub mod revisions;
pub mod secrets;
pub mod timeline;

/// Channel on which every replica hears that some application needs the leader.
pub const ATTENTION: &str = "scheduler.attention";

/// Channel on which every replica hears that an application's timeline grew; the payload is its id.
pub const TIMELINE: &str = "scheduler.timeline";
