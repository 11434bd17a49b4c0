//! An epoch has one tree, and published leaves that were tampered with are refused.

use fluxplane_core::{Sat, id::EpochNumber};
use fluxplane_ledger::settlement::{
    EpochLeaves, InvoiceLine, Leaf,
    epoch::{EpochError, recompute},
};

use crate::samples::{epoch, line, opening, payout};

fn published(leaves: &EpochLeaves) -> Vec<Vec<u8>> {
    leaves.iter().map(|leaf| leaf.encode()).collect()
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let forward = epoch(2, 40, 7);
    let lines = (0..40).rev().map(|number| line(2, number)).collect();
    let payouts = (0..7).rev().map(|number| payout(2, number)).collect();
    let backward = EpochLeaves::new(opening(2), lines, payouts).unwrap();
    assert_eq!(forward, backward);
    assert_eq!(forward.anchor(), backward.anchor());
}

#[test]
fn published_leaves_give_the_anchor_again() {
    for (number, lines, payouts) in [(1, 0, 0), (2, 1, 0), (2, 0, 1), (2, 33, 9)] {
        let leaves = epoch(number, lines, payouts);
        let anchor = leaves.anchor().unwrap();
        assert_eq!(anchor.count, 1 + lines + payouts);
        assert_eq!(leaves.tree().unwrap().head(), anchor.head());
        let (header, recomputed) = recompute(published(&leaves)).unwrap();
        assert_eq!((header, recomputed), (*leaves.header(), anchor));
    }
}

#[test]
fn the_root_depends_on_the_root_before() {
    let one = epoch(2, 3, 1);
    let mut other = opening(2);
    other.previous_root.0[0] ^= 1;
    let lines = (0..3).map(|number| line(2, number)).collect();
    let other = EpochLeaves::new(other, lines, vec![payout(2, 0)]).unwrap();
    assert_ne!(one.anchor().unwrap().root, other.anchor().unwrap().root);
}

#[test]
fn leaves_that_were_tampered_with_are_refused_by_the_rule_they_break() {
    let leaves = epoch(2, 6, 3);
    let good = published(&leaves);
    let refused = |alter: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut bytes = good.clone();
        alter(&mut bytes);
        recompute(bytes).unwrap_err()
    };
    assert_eq!(refused(&|b| b.clear()), EpochError::NoHeader);
    assert_eq!(refused(&|b| drop(b.remove(0))), EpochError::NoHeader);
    assert_eq!(refused(&|b| b.swap(1, 2)), EpochError::Order(2));
    assert_eq!(refused(&|b| b[2] = b[1].clone()), EpochError::Order(2));
    assert_eq!(
        refused(&|b| b.swap(6, 7)),
        EpochError::Order(7),
        "a line after a payout"
    );
    assert_eq!(
        refused(&|b| b[3] = b[0].clone()),
        EpochError::SecondHeader(3)
    );
    assert!(matches!(
        refused(&|b| drop(b.pop())),
        EpochError::Sum { .. }
    ));
    assert!(matches!(
        refused(&|b| drop(b.remove(3))),
        EpochError::Sum { .. }
    ));
    let raise = |bytes: &mut Vec<Vec<u8>>| bytes[3][166] += 1;
    let error = refused(&raise);
    assert!(
        matches!(
            error,
            EpochError::Sum {
                what: "the sum of the lines",
                ..
            }
        ),
        "{error}"
    );
    assert!(matches!(
        refused(&|b| b[3][0] = 0),
        EpochError::Leaf { position: 3, .. }
    ));
    let foreign = Leaf::Line(line(3, 2)).encode();
    assert!(matches!(
        refused(&|b| b[3] = foreign.clone()),
        EpochError::OtherEpoch { position: 3, .. }
    ));
    let token = InvoiceLine {
        asset: "FLUXETH".parse().unwrap(),
        ..line(2, 2)
    };
    let token = Leaf::Line(token).encode();
    assert!(matches!(
        refused(&|b| b[3] = token.clone()),
        EpochError::OtherAsset { position: 3, .. }
    ));
}

#[test]
fn what_makes_no_epoch_is_refused_before_it_is_anchored() {
    let make = |lines: Vec<InvoiceLine>| EpochLeaves::new(opening(2), lines, Vec::new());
    assert_eq!(
        make(vec![line(2, 1), line(2, 1)]),
        Err(EpochError::Order(2))
    );
    assert!(matches!(
        make(vec![line(3, 1)]),
        Err(EpochError::OtherEpoch { .. })
    ));
    let invalid = InvoiceLine {
        seconds: 1_000_000,
        ..line(2, 1)
    };
    assert!(matches!(
        make(vec![invalid]),
        Err(EpochError::Leaf { position: 1, .. })
    ));
    let vast = |number| InvoiceLine {
        amount: Sat::new(i64::MAX),
        ..line(2, number)
    };
    assert_eq!(
        make(vec![vast(1), vast(2)]),
        Err(EpochError::TooLarge("lines"))
    );
    let zero = fluxplane_ledger::settlement::epoch::EpochOpening {
        epoch: EpochNumber(0),
        ..opening(2)
    };
    assert!(EpochLeaves::new(zero, Vec::new(), Vec::new()).is_err());
}
