//! `/apps/…`

pub mod information;
pub mod price;
mod published;
pub mod read;
mod spec;
pub mod submit;
pub mod verify;
