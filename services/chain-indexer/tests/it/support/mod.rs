//! What the tests stand on.

pub(crate) mod chain;
pub(crate) mod daemon;
pub(crate) mod dump;
pub(crate) mod follower;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod said;
pub(crate) mod service;
