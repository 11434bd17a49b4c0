//! What the chain knows of a node.

use std::fmt;

use fluxplane_core::{Sat, Tier};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    hash::Hash256,
    key::PublicKey,
    outpoint::OutPoint,
    script::{Destination, ScriptBuf},
};

/// Which list a node is on. The numbers of the daemon are in [`Status::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Announced, not yet confirmed.
    Started,
    /// Announced and not confirmed in time; cannot be started again for a while.
    Dos,
    /// Running, and in the payment queue of its tier.
    Confirmed,
}

impl Status {
    /// The daemon's number (fluxd `src/fluxnode/fluxnode.h`, `FLUXNODE_TX_STARTED`...).
    pub const fn code(self) -> u8 {
        match self {
            Self::Started => 1,
            Self::Dos => 2,
            Self::Confirmed => 3,
        }
    }
}

/// A node on one of the lists. Heights are 0 where the event has not happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEntry {
    pub collateral: OutPoint,
    pub status: Status,
    pub tier: Tier,
    /// Value of the collateral.
    pub amount: Sat,
    /// Transaction that announced the node. Zero when the entry came from a daemon's list, which does not tell it.
    pub start_txid: Hash256,
    /// Transaction version of the start, 5 or 6.
    pub start_version: u32,
    /// Key of the machine: signs confirms and blocks. None when the entry came from a list that does not tell it.
    pub node_key: PublicKey,
    /// Key that owns the collateral; none for P2SH nodes.
    pub collateral_key: PublicKey,
    /// Where payments go, as the output script.
    pub payment_script: ScriptBuf,
    /// Redeem script of a P2SH node; empty otherwise.
    pub redeem_script: ScriptBuf,
    /// Empty before the first confirm.
    pub ip: Ip,
    pub added_height: u32,
    pub confirmed_height: u32,
    pub last_confirmed_height: u32,
    pub last_paid_height: u32,
}

impl NodeEntry {
    /// Who is paid, as an address can express it.
    pub fn payee(&self) -> Option<Destination> {
        self.payment_script.as_script().destination()
    }
}

/// The address a node gives in its confirms, usually `host` or `host:port`. The chain stores any bytes.
///
/// As text, each byte is one character (U+0000 to U+00FF), so nothing is lost either way.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ip(Vec<u8>);

impl Ip {
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.iter().copied().map(char::from).collect::<String>())
    }
}

impl fmt::Debug for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// A text with a character no byte stands for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has a character beyond U+00FF; node addresses are single bytes")]
pub struct ParseIpError(String);

impl std::str::FromStr for Ip {
    type Err = ParseIpError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.chars()
            .map(|character| u8::try_from(character).map_err(|_| ParseIpError(text.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Serialize for Ip {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}
