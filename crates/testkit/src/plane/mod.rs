//! A whole plane on one machine, as processes: for `make run`, for system tests and for measurements.
//!
//! | module | what |
//! |---|---|
//! | [`local`] | starts and stops it |
//! | [`layout`] | its folder: state, secrets, lock |
//! | `poll` | asking again until something is so |
//! | [`ports`] | free ports, kept from run to run |
//! | [`supervisor`] | programs that are started again when they die |
//! | [`programs`] | where the programs are |
//! | [`services`] | the services' configuration |
//! | [`chain`] | the development chain |
//! | [`engine`] | Docker or a private Podman |
//! | [`nodes`] | five machines |
//! | [`ctl`] | `fluxctl`, as people type it |
//! | [`report`] | who watches |
//! | [`measure`] | how long deployments take |
//! | [`demo`] | an application's life, from its price to its verified invoice |

pub mod chain;
pub mod ctl;
mod database;
pub mod demo;
pub mod engine;
pub mod layout;
pub mod local;
pub mod measure;
pub mod nodes;
mod poll;
pub mod ports;
pub mod programs;
pub mod report;
pub mod services;
pub mod supervisor;

pub use local::{LocalPlane, Options};
pub use ports::Ports;
pub use programs::Programs;
pub use supervisor::{Program, Status, Supervisor};
