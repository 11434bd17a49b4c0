//! Where an anchor stands.

use chrono::{DateTime, Utc};
use fluxplane_ledger::settlement::Hash32;

/// The way of an epoch to the bottom of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorState {
    /// Billing closed the epoch; its leaves were not checked yet.
    Announced,
    /// The leaves do not give the root. Nothing is sent.
    Refused,
    /// The leaves give the root.
    Verified,
    /// The transaction is stored, and no node took it yet.
    Signed,
    /// A node took the transaction.
    Broadcast,
    /// In a block.
    Confirmed,
    /// So deep that no reorganisation reaches it.
    Final,
}

impl AnchorState {
    pub const ALL: [Self; 7] = [
        Self::Announced,
        Self::Refused,
        Self::Verified,
        Self::Signed,
        Self::Broadcast,
        Self::Confirmed,
        Self::Final,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Refused => "refused",
            Self::Verified => "verified",
            Self::Signed => "signed",
            Self::Broadcast => "broadcast",
            Self::Confirmed => "confirmed",
            Self::Final => "final",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What billing announced of a closed epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    pub epoch: u64,
    pub root: Hash32,
    pub previous_root: Hash32,
    /// The header included.
    pub leaf_count: u64,
}

/// An epoch and its anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub announced: Announced,
    pub state: AnchorState,
    /// Why it does not go on.
    pub reason: String,
    /// Number of the transaction that counts; 0 before the first.
    pub attempt: u32,
    /// Of that transaction; empty before the first.
    pub txid: String,
    pub height: Option<u64>,
    pub block_hash: String,
    pub confirmations: u64,
    /// When a node last took the transaction.
    pub sent_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

/// Where a transaction is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Nowhere,
    InMempool,
    InBlock {
        height: u64,
        block_hash: String,
        confirmations: u64,
    },
}

/// What follows from where the transaction of an anchor that was sent is found now. `None`: nothing is new.
pub fn follow(anchor: &Anchor, found: Found, final_at: u64) -> Option<Anchor> {
    let unburied = |state, reason: &str| Anchor {
        state,
        reason: reason.to_owned(),
        height: None,
        block_hash: String::new(),
        confirmations: 0,
        ..anchor.clone()
    };
    let next = match found {
        Found::Nowhere => unburied(
            AnchorState::Signed,
            "no node has the transaction any more; it is sent again",
        ),
        Found::InMempool => {
            let reason = match anchor.state {
                AnchorState::Confirmed => "the block of the transaction was undone",
                AnchorState::Announced
                | AnchorState::Refused
                | AnchorState::Verified
                | AnchorState::Signed
                | AnchorState::Broadcast
                | AnchorState::Final => anchor.reason.as_str(),
            };
            unburied(AnchorState::Broadcast, reason)
        }
        Found::InBlock {
            height,
            block_hash,
            confirmations,
        } => Anchor {
            state: if confirmations >= final_at {
                AnchorState::Final
            } else {
                AnchorState::Confirmed
            },
            reason: String::new(),
            height: Some(height),
            block_hash,
            confirmations,
            ..anchor.clone()
        },
    };
    (next != *anchor).then_some(next)
}

/// Whether others are told of the change: a new state or a new block, not every block on top.
pub fn worth_telling(before: &Anchor, after: &Anchor) -> bool {
    before.state != after.state
        || before.txid != after.txid
        || before.height != after.height
        || before.block_hash != after.block_hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(state: AnchorState) -> Anchor {
        Anchor {
            announced: Announced {
                epoch: 1,
                root: Hash32::ZERO,
                previous_root: Hash32::ZERO,
                leaf_count: 1,
            },
            state,
            reason: String::new(),
            attempt: 1,
            txid: "aa".to_owned(),
            height: None,
            block_hash: String::new(),
            confirmations: 0,
            sent_at: None,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn in_block(height: u64, block_hash: &str, confirmations: u64) -> Found {
        Found::InBlock {
            height,
            block_hash: block_hash.to_owned(),
            confirmations,
        }
    }

    #[test]
    fn an_anchor_sinks_until_it_is_final() {
        let sent = anchor(AnchorState::Broadcast);
        assert_eq!(follow(&sent, Found::InMempool, 40), None);
        let confirmed = follow(&sent, in_block(7, "x", 1), 40).unwrap();
        assert_eq!(confirmed.state, AnchorState::Confirmed);
        assert!(worth_telling(&sent, &confirmed));
        let deeper = follow(&confirmed, in_block(7, "x", 2), 40).unwrap();
        assert!(!worth_telling(&confirmed, &deeper));
        let last = follow(&deeper, in_block(7, "x", 40), 40).unwrap();
        assert_eq!(last.state, AnchorState::Final);
        assert!(worth_telling(&deeper, &last));
    }

    #[test]
    fn a_reorganisation_lifts_it_again() {
        let sent = anchor(AnchorState::Broadcast);
        let confirmed = follow(&sent, in_block(7, "x", 3), 40).unwrap();
        let lifted = follow(&confirmed, Found::InMempool, 40).unwrap();
        assert_eq!(
            (lifted.state, lifted.height),
            (AnchorState::Broadcast, None)
        );
        let elsewhere = follow(&confirmed, in_block(8, "y", 1), 40).unwrap();
        assert!(worth_telling(&confirmed, &elsewhere));
        let lost = follow(&confirmed, Found::Nowhere, 40).unwrap();
        assert_eq!(lost.state, AnchorState::Signed);
    }

    #[test]
    fn names_lead_back() {
        for state in AnchorState::ALL {
            assert_eq!(AnchorState::from_name(state.name()), Some(state));
        }
    }
}
