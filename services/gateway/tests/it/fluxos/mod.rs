//! The surface that speaks FluxOS: its envelope, its names, its texts.

mod apps;
mod bad_input;
mod daemon;
mod login;
mod routes;
mod submit;
pub(crate) mod support;
