//! The stream to every agent: desired state and requests go down it, proofs of life and reports come up.

mod agent_service;
mod beats;
mod hub;
mod logs;

pub use agent_service::{AgentGrpc, Intervals};
pub use beats::{BeatQueue, beat_channel};
pub use hub::Hub;
