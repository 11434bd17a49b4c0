//! The agent as the plane and the machine see it: a fake plane over real mutual TLS, containers on paper and in a real
//! Podman.
#![expect(clippy::unwrap_used, reason = "tests")]

mod agent;
mod command_line;
mod containers;
mod instances;
mod joining;
mod plane;
mod private;
mod refusal;
mod registry;
mod sessions;
mod traces;
mod usage;
mod wanted;
