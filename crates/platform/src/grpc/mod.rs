//! gRPC between services: one way to serve, one way to call.

pub mod client;
pub mod server;

pub use client::Client;
pub use server::{Policy, Server};
