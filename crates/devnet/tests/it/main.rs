//! The development chain as its users see it: through its handle, its JSON-RPC, its ZMQ messages and its command line.
#![expect(clippy::unwrap_used, reason = "tests")]

mod consensus;
mod developer;
mod fluxnodes;
mod ground;
mod http;
mod mempool;
mod persistence;
mod program;
mod recording;
mod reorganisations;
mod rpc;
mod shapes;
mod transactions;
mod zmq;
