//! Whether what billing published is what it announced.

use fluxplane_ledger::settlement::{
    Anchor as Commitment, EpochHeader, Hash32, anchor::AnchorError,
};

use super::anchor::Announced;

/// Why an epoch is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the published leaves are no epoch: {0}")]
    Leaves(String),
    #[error("the published leaves are those of epoch {found}, not {announced}")]
    OtherEpoch { found: u64, announced: u64 },
    #[error("the published leaves give the root {found}, billing announced {announced}")]
    OtherRoot { found: Hash32, announced: Hash32 },
    #[error("{found} leaves are published, billing announced {announced}")]
    OtherCount { found: u64, announced: u64 },
    #[error("the header continues root {found}, the epoch before has root {expected}")]
    OtherPast { found: Hash32, expected: Hash32 },
    #[error("billing announced that the epoch continues root {announced}, its header says {found}")]
    OtherAnnouncedPast { found: Hash32, announced: Hash32 },
    #[error("the commitment does not survive its own encoding: {0}")]
    Encoding(AnchorError),
}

/// Compares what was recomputed with what was announced, and with the root of the epoch before as this service itself
/// recomputed it.
pub fn check(
    announced: &Announced,
    previous_root: Hash32,
    header: &EpochHeader,
    commitment: &Commitment,
) -> Result<(), Refusal> {
    let differs = |found, announced| found != announced;
    if differs(header.epoch.0, announced.epoch) {
        return Err(Refusal::OtherEpoch {
            found: header.epoch.0,
            announced: announced.epoch,
        });
    }
    if header.previous_root != previous_root {
        return Err(Refusal::OtherPast {
            found: header.previous_root,
            expected: previous_root,
        });
    }
    if header.previous_root != announced.previous_root {
        return Err(Refusal::OtherAnnouncedPast {
            found: header.previous_root,
            announced: announced.previous_root,
        });
    }
    if differs(u64::from(commitment.count), announced.leaf_count) {
        return Err(Refusal::OtherCount {
            found: commitment.count.into(),
            announced: announced.leaf_count,
        });
    }
    if commitment.root != announced.root {
        return Err(Refusal::OtherRoot {
            found: commitment.root,
            announced: announced.root,
        });
    }
    match Commitment::decode(&commitment.encode()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Refusal::Encoding(error)),
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_core::{Sat, id::EpochNumber};
    use fluxplane_ledger::Asset;

    use super::*;

    const ROOT: Hash32 = Hash32([7; 32]);
    const PAST: Hash32 = Hash32([6; 32]);

    fn header() -> EpochHeader {
        EpochHeader {
            epoch: EpochNumber(2),
            previous_root: PAST,
            opened_at: 1,
            closed_at: 2,
            lines: 0,
            payouts: 0,
            charged: Sat::ZERO,
            paid: Sat::ZERO,
            asset: Asset::FLUX,
        }
    }

    fn announced() -> Announced {
        Announced {
            epoch: 2,
            root: ROOT,
            previous_root: PAST,
            leaf_count: 1,
        }
    }

    fn commitment() -> Commitment {
        Commitment {
            epoch: EpochNumber(2),
            root: ROOT,
            count: 1,
        }
    }

    #[test]
    fn every_difference_is_refused() {
        assert_eq!(check(&announced(), PAST, &header(), &commitment()), Ok(()));
        let other = Hash32([9; 32]);
        let cases = [
            check(
                &Announced {
                    epoch: 3,
                    ..announced()
                },
                PAST,
                &header(),
                &commitment(),
            ),
            check(
                &Announced {
                    root: other,
                    ..announced()
                },
                PAST,
                &header(),
                &commitment(),
            ),
            check(
                &Announced {
                    leaf_count: 2,
                    ..announced()
                },
                PAST,
                &header(),
                &commitment(),
            ),
            check(
                &Announced {
                    previous_root: other,
                    ..announced()
                },
                PAST,
                &header(),
                &commitment(),
            ),
            check(&announced(), other, &header(), &commitment()),
        ];
        for case in cases {
            assert!(case.is_err(), "{case:?}");
        }
    }
}
