//! Decisions about roots and anchors. Pure: no I/O, no clock.

pub mod anchor;
pub mod build;
pub mod check;
pub mod coins;
