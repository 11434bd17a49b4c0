//! Use cases of the agent.

pub mod apply_desired;
pub mod identity;
pub mod join;
pub mod metering;
pub mod private_parts;
pub mod signer;
