//! A whole plane on one machine, as processes: for `make run`, for system tests and for measurements.

pub mod ports;
pub mod supervisor;

pub use ports::Ports;
pub use supervisor::{Program, Status, Supervisor};
