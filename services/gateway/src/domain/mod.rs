//! Decisions about identities and sessions. Pure.

pub mod audit;
pub mod challenge;
pub mod fluxos;
pub mod session;
pub mod token;
pub mod wallet;

pub use session::Principal;
pub use token::{Token, TokenKind};
pub use wallet::WalletAddress;
