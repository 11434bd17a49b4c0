//! Fixtures, and a chain that can be grown block by block.

pub(crate) mod chain;
pub(crate) mod fixture;
pub(crate) mod recorded;
