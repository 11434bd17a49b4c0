//! The state machine of holds, checked over all its states and steps.

use std::collections::BTreeSet;

use fluxplane_core::Sat;
use fluxplane_ledger::{
    Asset,
    hold::{Hold, HoldError, HoldState, HoldStep, Resolution},
};

use crate::samples::{at, customer};

fn pending(amount: i64) -> Hold {
    Hold::reserve(
        customer("ann"),
        Asset::FLUX,
        Sat::new(amount),
        at(10),
        at(0),
    )
    .unwrap()
}

/// Every step that could make a difference to a hold of three sat.
fn steps() -> Vec<HoldStep> {
    let captures = (-1..=4).map(|amount| HoldStep::Capture {
        amount: Sat::new(amount),
    });
    captures.chain([HoldStep::Void, HoldStep::Expire]).collect()
}

#[test]
fn from_every_state_every_step_resolves_once_or_changes_nothing() {
    let mut reached = BTreeSet::new();
    let mut open = vec![pending(3)];
    while let Some(hold) = open.pop() {
        if !reached.insert(format!("{:?}", hold.state)) {
            continue;
        }
        for step in steps() {
            for second in [0, 9, 10, 11] {
                match hold.resolve(step, at(second)) {
                    Err(HoldError::Resolved(state)) => {
                        assert_eq!(state, hold.state);
                        assert_ne!(state, HoldState::Pending);
                    }
                    Err(_) => assert_eq!(hold.state, HoldState::Pending),
                    Ok((resolved, Resolution { captured, released })) => {
                        assert_eq!(hold.state, HoldState::Pending, "a hold resolves once");
                        assert_eq!(captured.checked_add(released), Some(hold.amount));
                        assert_eq!(resolved.pending(), Sat::ZERO);
                        let due = (step == HoldStep::Expire) == (second >= 10);
                        assert!(due, "{step:?} at {second}");
                        open.push(resolved);
                    }
                }
            }
        }
    }
    let expected = [
        "Captured { captured: Sat(1) }",
        "Captured { captured: Sat(2) }",
        "Captured { captured: Sat(3) }",
        "Expired",
        "Pending",
        "Voided",
    ];
    assert_eq!(
        reached.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn a_pending_hold_is_never_stuck() {
    let hold = pending(3);
    for second in 0..20 {
        let way_out = steps()
            .into_iter()
            .any(|step| hold.resolve(step, at(second)).is_ok());
        assert!(way_out, "no step resolves the hold at {second}");
    }
}

#[test]
fn each_refusal_says_why() {
    let hold = pending(3);
    let refused = |step, second| hold.resolve(step, at(second)).unwrap_err();
    let capture = |amount| HoldStep::Capture {
        amount: Sat::new(amount),
    };
    assert!(matches!(refused(capture(4), 0), HoldError::TooMuch { .. }));
    assert!(matches!(
        refused(capture(0), 0),
        HoldError::NothingCaptured(_)
    ));
    assert!(matches!(refused(capture(1), 10), HoldError::TooLate { .. }));
    assert!(matches!(
        refused(HoldStep::Void, 10),
        HoldError::TooLate { .. }
    ));
    assert!(matches!(
        refused(HoldStep::Expire, 9),
        HoldError::TooEarly { .. }
    ));
    let reserve = |amount, expires| {
        Hold::reserve(
            customer("ann"),
            Asset::FLUX,
            Sat::new(amount),
            at(expires),
            at(0),
        )
    };
    assert!(matches!(reserve(0, 10), Err(HoldError::NotPositive(_))));
    assert!(matches!(
        reserve(1, 0),
        Err(HoldError::ExpiresAtOnce { .. })
    ));
}
