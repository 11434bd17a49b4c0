//! Answers about the fluxnode lists after a block: who is found, who is paid next, what it adds up to. All of them are functions
//! of a state of the lists, so they are the same for the tip and for any earlier block.

pub mod capacity;
pub mod find;
pub mod list;
pub mod payees;
pub mod statistics;
