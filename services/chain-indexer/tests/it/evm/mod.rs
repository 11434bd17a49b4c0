//! Tokens on a scripted node, and on a real one: anvil, a development node that runs the contract `tests/fixtures/evm/Token.sol`.

mod adaptive;
mod anvil;
mod faults;
mod interrupted;
pub(crate) mod node;
pub(crate) mod parties;
pub(crate) mod place;
mod real_chain;
mod reorgs;
