//! The list of fluxnodes, exactly as the chain keeps it. Pure: blocks in, events and undo records out.
//!
//! ```text
//!   start ──▶ started ──confirm──▶ confirmed ──(no update, spent, amount outlawed)──▶ gone
//!                │                    ▲  │
//!                │ no confirm         └──┘ update confirms, payments
//!                ▼
//!               DoS ──time──▶ gone
//! ```
//!
//! One node is one collateral outpoint, and it is in at most one of the three lists. Order inside a block (fluxd
//! `src/main.cpp`, `ConnectBlock`): payees are judged against the list *before* the block; then its transactions count, then DoS
//! exits, expiries, payments, and starts that ran out. Everything is decided on the state of the parent, so a block is either
//! applied whole or not at all.

mod alone;
mod apply;
mod check;
mod coinbase;
mod collateral;
mod entry;
mod event;
mod import;
mod index;
mod membership;
mod network;
mod outcome;
mod queue;
mod rejection;
mod signature;
mod state;

pub use check::Mode;
pub use coinbase::{Payee, check_coinbase};
pub use collateral::{Collateral, CollateralSource};
pub use entry::{Ip, NodeEntry, Status};
pub use event::{BlockDelta, DelegateChange, Event, ExpiryReason, NodeChange, Undo};
pub use import::{DelegateEntry, ImportError, Snapshot};
pub use network::{Family, family_of_host, host_of};
pub use outcome::NodeAction;
pub use queue::Ranked;
pub use rejection::{NodeFault, Rejection, SpacingRule};
pub use state::{BlockView, FluxnodeState, UndoError};
