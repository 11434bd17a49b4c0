//! SQL of the node registry.
//!
//! ## What do we store?
//!
//! - `node`: who joined, with which key, how it is. Durable truth; heartbeats only touch its last-heard columns.
//! - `join_token`: permissions to join, hashed. Durable until used or expired.
//! - `desired_state`: what each node shall run, as the scheduler said last. A copy of the scheduler's truth, kept so that a
//!   node that reconnects gets it without anyone else being there.

pub mod desired;
pub mod join_tokens;
pub mod nodes;
