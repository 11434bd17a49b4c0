//! Which way to go: how our chain and the daemon's lie to each other.
//!
//! ```text
//!             same tip ──▶ level                 theirs is longer and holds our tip ──▶ ahead: connect
//!   ours is longer and holds their tip ──▶ behind: wait       otherwise ──▶ diverged: find the fork, disconnect to it
//! ```
//!
//! A daemon that is behind is not followed back: it restarts, or tries a branch it will give up. Once it has a block of its own
//! where we have another, it is.

use fluxplane_flux_chain::Hash256;

use crate::domain::Tip;

/// How the daemon's chain lies to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The same block at the end.
    Level,
    /// Our chain goes on in theirs.
    Ahead,
    /// Their chain goes on in ours.
    Behind,
    /// Each has a block where the other has another one.
    Diverged,
    /// Their chain changed while it was asked about; look again.
    Unsettled,
}

/// Compares the ends. `theirs_at_ours` is their block at the height of our tip, `ours_at_theirs` our block at the height of
/// theirs; each is needed only when the other chain is the longer one.
pub fn relate(
    ours: Tip,
    theirs: Tip,
    theirs_at_ours: Option<Hash256>,
    ours_at_theirs: Option<Hash256>,
) -> Relation {
    if ours == theirs {
        return Relation::Level;
    }
    if theirs.height < ours.height {
        return if ours_at_theirs == Some(theirs.hash) {
            Relation::Behind
        } else {
            Relation::Diverged
        };
    }
    match theirs_at_ours {
        None => Relation::Unsettled,
        Some(hash) if hash == ours.hash && theirs.height > ours.height => Relation::Ahead,
        // The tips differ, so at equal height one of the two answers is of another moment.
        Some(hash) if hash == ours.hash => Relation::Unsettled,
        Some(_) => Relation::Diverged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tip(height: u32, branch: u8) -> Tip {
        Tip {
            height,
            hash: hash(height, branch),
        }
    }

    fn hash(height: u32, branch: u8) -> Hash256 {
        let mut wire = [branch; 32];
        wire[..4].copy_from_slice(&height.to_le_bytes());
        Hash256::from_wire(wire)
    }

    #[test]
    fn every_position_has_its_answer() {
        let ours = tip(10, 0);
        let relate = |theirs, at_ours, at_theirs| relate(ours, theirs, at_ours, at_theirs);
        let (same, other) = (Some(hash(10, 0)), Some(hash(10, 1)));
        assert_eq!(relate(ours, same, same), Relation::Level);
        assert_eq!(relate(tip(12, 0), same, None), Relation::Ahead);
        assert_eq!(relate(tip(12, 1), other, None), Relation::Diverged);
        assert_eq!(relate(tip(10, 1), other, None), Relation::Diverged);
        assert_eq!(relate(tip(8, 0), None, Some(hash(8, 0))), Relation::Behind);
        assert_eq!(
            relate(tip(8, 1), None, Some(hash(8, 0))),
            Relation::Diverged
        );
        assert_eq!(relate(tip(12, 0), None, None), Relation::Unsettled);
        assert_eq!(relate(tip(10, 1), same, None), Relation::Unsettled);
    }
}
