//! The Flux chain: wire formats, addresses, parameters, the fluxnode state machine, emission and transaction building. Pure: no
//! I/O, no clock, no randomness.
//!
//! Facts come from fluxd (RunOnFlux/fluxd, version 9.0.6); where a rule has a source file there, its comment names it.
//!
//! | module | what |
//! |---|---|
//! | [`encode`] | bounds-checked reading of bytes, errors with offset and field |
//! | [`hash`], [`outpoint`], [`key`] | digests, output names, public and private keys |
//! | [`tx`], [`header`], [`block`] | transactions v1 to v6, headers of both kinds, blocks; borrowed from their bytes |
//! | [`script`], [`address`] | what scripts are and say; addresses of all networks, FluxID |
//! | [`params`] | constants of main, test, regtest and development chains |
//! | [`pon`] | Proof of Node: slots, lots, difficulty, emergency blocks, header verdicts |
//! | [`subsidy`], [`emission`] | what a block creates and who gets it; supply by height and by year |
//! | [`fluxnode`] | the node lists: apply and undo blocks, payees, events, snapshots |
//! | [`message`], [`sighash`], [`verify`] | signed messages, signature hashes, verification of inputs |
//! | [`build`] | payments, starts, confirms, coinbases and blocks to be made |
//! | [`describe`], [`batch`] | JSON in the daemon's names |

pub mod address;
pub mod batch;
pub mod block;
pub mod build;
pub mod describe;
pub mod emission;
pub mod encode;
pub mod fluxnode;
pub mod hash;
pub mod header;
pub mod key;
pub mod message;
pub mod outpoint;
pub mod params;
pub mod pon;
pub mod script;
pub mod sighash;
pub mod subsidy;
pub mod tx;
pub mod verify;

pub use address::{Address, FluxId};
pub use block::Block;
pub use hash::{Hash160, Hash256};
pub use header::Header;
pub use key::{PrivateKey, PublicKey};
pub use outpoint::OutPoint;
pub use params::{ChainParams, Network};
pub use script::{Script, ScriptBuf};
pub use tx::Transaction;
