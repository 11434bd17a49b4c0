//! The leaves of one epoch in their order, and the check of published ones.

use fluxplane_core::{
    Sat,
    id::{EpochNumber, InvoiceId, TransferId},
};

use super::{
    anchor::Anchor,
    hash::Hash32,
    leaf::{EpochHeader, InvoiceLine, Leaf, LeafError, Payout},
    tree::{HeadBuilder, TooManyLeaves, Tree, leaf_hash},
};
use crate::asset::Asset;

/// What is known of an epoch besides its lines and payouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochOpening {
    pub epoch: EpochNumber,
    /// [`Hash32::ZERO`] for epoch 1.
    pub previous_root: Hash32,
    /// Seconds since 1970-01-01 UTC.
    pub opened_at: u64,
    pub closed_at: u64,
    pub asset: Asset,
}

/// The leaves of an epoch: header, lines by (invoice, number), payouts by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochLeaves {
    header: EpochHeader,
    lines: Vec<InvoiceLine>,
    payouts: Vec<Payout>,
}

/// Why leaves make no epoch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpochError {
    #[error("leaf {position} is invalid")]
    Leaf {
        position: usize,
        #[source]
        source: LeafError,
    },
    #[error("leaf {position} is of epoch {found}, the header of epoch {expected}")]
    OtherEpoch {
        position: usize,
        found: EpochNumber,
        expected: EpochNumber,
    },
    #[error("leaf {position} is in {found}, the header in {expected}; an epoch settles one asset")]
    OtherAsset {
        position: usize,
        found: Asset,
        expected: Asset,
    },
    #[error("leaf 0 is no header; every epoch begins with one")]
    NoHeader,
    #[error("leaf {0} is a header; only leaf 0 is")]
    SecondHeader(usize),
    #[error(
        "leaf {0} is out of order: lines come by invoice and number, then payouts by id, each once"
    )]
    Order(usize),
    #[error("{what} is {found}, the header says {expected}")]
    Sum {
        what: &'static str,
        found: i128,
        expected: i128,
    },
    #[error("the {0} of the epoch add up to more than any amount")]
    TooLarge(&'static str),
    #[error("the epoch is too large")]
    TooMany(#[source] TooManyLeaves),
}

impl EpochLeaves {
    /// Puts lines and payouts in order and makes the header.
    pub fn new(
        opening: EpochOpening,
        mut lines: Vec<InvoiceLine>,
        mut payouts: Vec<Payout>,
    ) -> Result<Self, EpochError> {
        lines.sort_unstable_by_key(line_key);
        payouts.sort_unstable_by_key(|payout| payout.id);
        let count =
            |length: usize| u32::try_from(length).map_err(|_| EpochError::TooMany(TooManyLeaves));
        let charged = Sat::checked_sum(lines.iter().map(|line| line.amount));
        let paid = payouts
            .iter()
            .try_fold(Sat::ZERO, |sum, payout| sum.checked_add(payout.total()?));
        let header = EpochHeader {
            epoch: opening.epoch,
            previous_root: opening.previous_root,
            opened_at: opening.opened_at,
            closed_at: opening.closed_at,
            lines: count(lines.len())?,
            payouts: count(payouts.len())?,
            charged: charged.ok_or(EpochError::TooLarge("lines"))?,
            paid: paid.ok_or(EpochError::TooLarge("payouts"))?,
            asset: opening.asset,
        };
        let leaves = Self {
            header,
            lines,
            payouts,
        };
        let mut check = Check::default();
        for leaf in leaves.iter() {
            leaf.validate().map_err(|source| EpochError::Leaf {
                position: check.position,
                source,
            })?;
            check.next(&leaf)?;
        }
        check.finish()?;
        Ok(leaves)
    }

    pub const fn header(&self) -> &EpochHeader {
        &self.header
    }

    /// The leaves in order.
    pub fn iter(&self) -> impl Iterator<Item = Leaf> + '_ {
        let header = std::iter::once(Leaf::Header(self.header));
        let lines = self.lines.iter().copied().map(Leaf::Line);
        header
            .chain(lines)
            .chain(self.payouts.iter().copied().map(Leaf::Payout))
    }

    /// What is to be anchored.
    pub fn anchor(&self) -> Result<Anchor, EpochError> {
        let mut builder = HeadBuilder::default();
        for leaf in self.iter() {
            builder.push(&leaf.encode()).map_err(EpochError::TooMany)?;
        }
        Ok(anchor(self.header.epoch, &builder))
    }

    /// The tree, to prove leaves by their position in [`Self::iter`].
    pub fn tree(&self) -> Result<Tree, EpochError> {
        let hashes = self.iter().map(|leaf| leaf_hash(&leaf.encode()));
        Tree::new(hashes).map_err(EpochError::TooMany)
    }
}

/// Makes the anchor of published leaves, in their published order, and checks all that can be checked about them: the
/// form of each, their order, and that number and sums are what the header says.
pub fn recompute<L: AsRef<[u8]>>(
    leaves: impl IntoIterator<Item = L>,
) -> Result<(EpochHeader, Anchor), EpochError> {
    let mut check = Check::default();
    let mut builder = HeadBuilder::default();
    for (position, bytes) in leaves.into_iter().enumerate() {
        let bytes = bytes.as_ref();
        let leaf = Leaf::decode(bytes).map_err(|source| EpochError::Leaf { position, source })?;
        check.next(&leaf)?;
        builder.push(bytes).map_err(EpochError::TooMany)?;
    }
    let header = check.finish()?;
    Ok((header, anchor(header.epoch, &builder)))
}

fn anchor(epoch: EpochNumber, builder: &HeadBuilder) -> Anchor {
    let head = builder.finish();
    Anchor {
        epoch,
        root: head.root,
        count: head.count,
    }
}

fn line_key(line: &InvoiceLine) -> (InvoiceId, u32) {
    (line.invoice, line.number)
}

/// Checks leaves one after the other.
#[derive(Default)]
struct Check {
    position: usize,
    header: Option<EpochHeader>,
    last_line: Option<(InvoiceId, u32)>,
    last_payout: Option<TransferId>,
    lines: u32,
    payouts: u32,
    charged: i128,
    paid: i128,
}

impl Check {
    fn next(&mut self, leaf: &Leaf) -> Result<(), EpochError> {
        let position = self.position;
        self.position += 1;
        let Some(header) = &self.header else {
            let Leaf::Header(header) = leaf else {
                return Err(EpochError::NoHeader);
            };
            self.header = Some(*header);
            return Ok(());
        };
        let (expected, found) = (header.epoch, leaf.epoch());
        if found != expected {
            return Err(EpochError::OtherEpoch {
                position,
                found,
                expected,
            });
        }
        let (asset, in_order) = match leaf {
            Leaf::Header(_) => return Err(EpochError::SecondHeader(position)),
            Leaf::Line(line) => {
                self.lines += 1;
                self.charged += i128::from(line.amount.get());
                let key = Some(line_key(line));
                let rises = self.last_line < key && self.last_payout.is_none();
                self.last_line = key;
                (line.asset, rises)
            }
            Leaf::Payout(payout) => {
                self.payouts += 1;
                self.paid += i128::from(payout.online.get()) + i128::from(payout.hosting.get());
                let key = Some(payout.id);
                let rises = self.last_payout < key;
                self.last_payout = key;
                (payout.asset, rises)
            }
        };
        if !in_order {
            return Err(EpochError::Order(position));
        }
        if asset != header.asset {
            return Err(EpochError::OtherAsset {
                position,
                found: asset,
                expected: header.asset,
            });
        }
        Ok(())
    }

    fn finish(self) -> Result<EpochHeader, EpochError> {
        let header = self.header.ok_or(EpochError::NoHeader)?;
        let sums = [
            (
                "the number of lines",
                self.lines.into(),
                header.lines.into(),
            ),
            (
                "the number of payouts",
                self.payouts.into(),
                header.payouts.into(),
            ),
            (
                "the sum of the lines",
                self.charged,
                header.charged.get().into(),
            ),
            (
                "the sum of the payouts",
                self.paid,
                header.paid.get().into(),
            ),
        ];
        for (what, found, expected) in sums {
            if found != expected {
                return Err(EpochError::Sum {
                    what,
                    found,
                    expected,
                });
            }
        }
        Ok(header)
    }
}
