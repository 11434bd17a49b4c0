//! Background work.

pub mod anchor;
