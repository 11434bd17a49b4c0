//! Decisions of the agent. Pure: no I/O, no clock, no randomness.

pub mod backoff;
pub mod capacity;
pub mod container;
pub mod desired;
pub mod health;
pub mod image;
pub mod label;
pub mod private;
pub mod probing;
pub mod restart;
pub mod status;
pub mod usage;

pub use capacity::Benchmark;
pub use container::{ContainerSpec, Host};
pub use desired::{Component, Desired, Instance, Mount, Port};
pub use image::ImageName;
pub use private::Private;
pub use status::{Phase, Status};
