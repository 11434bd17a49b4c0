//! Decisions about applications. Pure: no I/O, no clock.
//!
//! | module | what |
//! |---|---|
//! | [`app`], [`instance`], [`node`] | the things and the states they can be in |
//! | [`workload`], [`geo`] | what an instance is and where it may go, read from a specification |
//! | [`submission`] | whether a signed specification is taken |
//! | [`rollout`] | the next step from what is to what is wanted |
//! | [`status`] | what an application's instances make of it |
//! | [`case`] | one application in the leader's hands: a step carried out in memory, to be written in one transaction |
//! | [`observe`] | what a node's report makes of its instances |
//! | [`private`], [`secret`] | what only the node of an instance may know |
//! | [`fleet`] | the placement engine, kept in step with the database |
//! | [`hold`] | room that is kept for quotes |
//! | [`desired`] | what a node shall run |
//! | [`timeline`] | what is told to people |

pub mod app;
pub mod case;
pub mod desired;
pub mod fleet;
pub mod geo;
pub mod hold;
pub mod instance;
pub mod node;
pub mod observe;
pub mod private;
pub mod published;
pub mod refusal;
pub mod rollout;
pub mod secret;
pub mod status;
pub mod submission;
pub mod timeline;
pub mod workload;

pub use app::{App, AppState, Revision};
pub use instance::{Copy, Instance, InstanceState, Standing};
pub use node::Node;
pub use private::Private;
pub use refusal::Refusal;
pub use timeline::{Entry, Stage};
pub use workload::Workload;
