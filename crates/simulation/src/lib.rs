//! Placement and repair over a synthetic fleet, in virtual time.
//!
//! One seed is one history: machines die, flap, leave and come back, alone and by operator, network or country; customers
//! deploy, change and cancel; the plane itself falls silent. The decisions are those of the plane: the engine of
//! `fluxplane_placement`, the steps of the scheduler's domain and the judgement of the registry's. What is modelled here is
//! the rest of the world, and storage and messages in between. After every event the invariants are checked by
//! code that shares nothing with the code it checks.
//!
//! | module | what |
//! |---|---|
//! | [`simulation`] | one history from beginning to end |
//! | [`scenario`] | what a seed draws: size of the fleet, how much goes wrong |
//! | [`fleet`], [`demand`] | machines of operators, applications of customers |
//! | [`machine`], [`registry`], [`plane`] | the parts: a machine with its agent, the registry, the scheduler |
//! | [`event`] | what happens, in the order of virtual time |
//! | [`audit`] | the invariants |
//! | [`sabotage`] | breaking the plane on purpose, to see that the invariants notice |
//! | [`journal`], [`figures`] | what is kept of a history: its digest and its last lines; what is counted |
//! | [`random`] | the only source of chance |
//! | [`cli`] | the program |

pub mod audit;
pub mod cli;
mod demand;
mod event;
pub mod figures;
mod fleet;
mod journal;
mod machine;
mod plane;
mod random;
mod registry;
pub mod sabotage;
mod scenario;
pub mod simulation;

pub use audit::{Rule, Violation};
pub use sabotage::Sabotage;
pub use simulation::{Failure, Outcome, Settings, run};
