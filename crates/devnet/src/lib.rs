//! A development chain, as anvil is for Ethereum: real Flux blocks, signed transactions and fluxnodes, behind fluxd's JSON-RPC and
//! ZMQ. A real fluxd takes its place by configuration alone.
//!
//! ```text
//!   rpc ──┐                                  ┌── chain    blocks, coins, node lists, indexes, reorganisations
//!   cli ──┤   daemon (one lock, in order) ───┼── mempool  what waits
//!  server ┘        │          │              ├── wallet   the developer's keys, coins and nodes
//!                store       zmq             └── miner    puts blocks together
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`Devnet`] | starts, serves and stops a chain in this process |
//! | [`ChainHandle`] | grows, bends and asks it, without HTTP |
//! | [`Options`], [`ChainRules`] | what its owner may choose |
//! | [`Recording`] | a recorded chain, to be served block by block |
//! | [`client`] | calls a server; for the command line and for tests |
//! | [`cli`] | the program `devnet` |

mod chain;
pub mod cli;
pub mod client;
mod daemon;
mod handle;
mod mempool;
mod miner;
mod options;
mod replay;
mod rpc;
mod server;
mod store;
mod wallet;
mod zmq;

pub use chain::{BlockRef, Reject, RejectCode};
pub use daemon::{DevnetError, NewNode, NodeView, Reorganisation};
pub use handle::ChainHandle;
pub use options::{
    ChainRules, Credentials, DEFAULT_PASSWORD, DEFAULT_RPC_PORT, DEFAULT_SEED, DEFAULT_USER,
    DEFAULT_ZMQ_PORT, Options, PREMINED_BLOCKS,
};
pub use replay::{Recording, RecordingError};
pub use rpc::RpcError;
pub use server::{Devnet, StartError};
pub use wallet::Account;
pub use zmq::{Message, Topic};
