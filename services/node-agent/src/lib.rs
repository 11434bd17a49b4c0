//! The program on an operator's machine: joins, runs containers, meters. See the README beside this crate.
//!
//! | module | what |
//! |---|---|
//! | [`domain`] | decisions: which desired state counts, what a container looks like, health, restarts, metering; pure |
//! | [`store`] | the data folder |
//! | [`runtime`] | what runs containers: Docker's API, or on paper |
//! | [`supervisor`] | one task per instance, from what is there to what is wanted |
//! | [`session`] | the stream to the plane |
//! | [`app`], [`clients`] | use cases, and the plane's services outside of the stream |
//! | [`probe`] | answers the plane's own probe |
//! | [`machine`] | the benchmark |
//! | [`tasks`] | metering, renewal, figures |
//! | [`cli`], [`service`] | the command line, and the wiring of a running agent |

pub mod app;
pub mod cli;
pub mod clients;
pub mod config;
pub mod domain;
pub mod entropy;
pub mod machine;
pub mod metrics;
pub mod probe;
pub mod runtime;
pub mod service;
pub mod session;
pub mod store;
pub mod supervisor;
pub mod tasks;

pub use service::SERVICE;
