//! One entry of the log.

use fluxplane_flux_chain::Hash256;

use crate::{options::ChainRules, wallet::WalletState};

const KIND_RULES: u8 = b'H';
const KIND_BLOCK: u8 = b'B';
const KIND_INVALIDATED: u8 = b'I';
const KIND_RECONSIDERED: u8 = b'R';
const KIND_WALLET: u8 = b'W';

/// Something that happened to the tree of blocks, in the order it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// How the chain was begun; the first record of every log.
    Rules(ChainRules),
    /// A block that was accepted, on the best chain or beside it.
    Block(Vec<u8>),
    /// A block was declared invalid by hand.
    Invalidated(Hash256),
    /// And valid again.
    Reconsidered(Hash256),
    /// The developer's nodes. In snapshots only; a folder has them in a file of their own.
    Wallet(WalletState),
}

impl Record {
    /// Kind and body.
    pub(super) fn payload(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Rules(rules) => {
                let text = serde_json::to_vec(rules).expect("rules are plain data");
                (KIND_RULES, text)
            }
            Self::Block(raw) => (KIND_BLOCK, raw.clone()),
            Self::Invalidated(hash) => (KIND_INVALIDATED, hash.as_wire().to_vec()),
            Self::Reconsidered(hash) => (KIND_RECONSIDERED, hash.as_wire().to_vec()),
            Self::Wallet(wallet) => {
                let text = serde_json::to_vec(wallet).expect("a wallet is plain data");
                (KIND_WALLET, text)
            }
        };
        let mut payload = Vec::with_capacity(1 + body.len());
        payload.push(kind);
        payload.extend_from_slice(&body);
        payload
    }

    /// Reads kind and body; the text says what is wrong with them.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, String> {
        let (kind, body) = payload.split_first().ok_or("a record is empty")?;
        let hash = || {
            let bytes = body.try_into().map_err(|_| "a hash has 32 bytes");
            bytes.map(Hash256::from_wire)
        };
        match *kind {
            KIND_RULES => serde_json::from_slice(body)
                .map(Self::Rules)
                .map_err(|error| format!("the rules are unreadable: {error}")),
            KIND_BLOCK => Ok(Self::Block(body.to_vec())),
            KIND_INVALIDATED => Ok(Self::Invalidated(hash()?)),
            KIND_RECONSIDERED => Ok(Self::Reconsidered(hash()?)),
            KIND_WALLET => serde_json::from_slice(body)
                .map(Self::Wallet)
                .map_err(|error| format!("the wallet is unreadable: {error}")),
            other => Err(format!("records of kind {other:#04x} are unknown")),
        }
    }
}
