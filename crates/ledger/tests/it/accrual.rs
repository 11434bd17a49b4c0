//! Charges add up to the exact price, however the seconds are cut.

use fluxplane_core::Sat;
use fluxplane_ledger::accrual::{Accrual, Charge, Term, TermError};
use proptest::prelude::*;

#[test]
fn a_month_in_hours_costs_the_month() {
    let term = Term::new(Sat::new(1_000_000_007), 30 * 86_400, 3).unwrap();
    let mut accrual = Accrual::new(term);
    let mut sum = 0;
    for _ in 0..3 * 30 * 24 {
        sum += accrual.charge(3_600).unwrap().amount.get();
    }
    assert_eq!(sum, 1_000_000_007);
    assert_eq!((accrual.left(), accrual.unused()), (0, Sat::ZERO));
}

#[test]
fn what_one_charge_cuts_off_the_next_one_carries() {
    let mut accrual = Accrual::new(Term::new(Sat::new(10), 3, 1).unwrap());
    let Charge {
        amount,
        carried_in,
        carried_out,
        ..
    } = accrual.charge(1).unwrap();
    assert_eq!(
        (amount.get(), carried_in.numerator, carried_out.numerator),
        (3, 0, 1)
    );
    assert_eq!(carried_out.denominator, 3);
    let Charge {
        amount,
        carried_in,
        carried_out,
        ..
    } = accrual.charge(1).unwrap();
    assert_eq!(
        (amount.get(), carried_in.numerator, carried_out.numerator),
        (3, 1, 2)
    );
    assert_eq!(accrual.charge(1).unwrap().amount.get(), 4);
}

#[test]
fn seconds_beyond_the_term_are_refused_and_charge_nothing() {
    let mut accrual = Accrual::new(Term::new(Sat::new(10), 60, 1).unwrap());
    accrual.charge(50).unwrap();
    let before = accrual;
    let error = accrual.charge(11).unwrap_err();
    assert_eq!((error.offered, error.left), (11, 10));
    assert_eq!(accrual, before);
}

#[test]
fn a_term_without_meaning_has_no_price() {
    assert_eq!(
        Term::new(Sat::new(-1), 1, 1),
        Err(TermError::NegativeTotal(Sat::new(-1)))
    );
    assert_eq!(Term::new(Sat::ZERO, 0, 1), Err(TermError::NoSeconds));
    assert_eq!(Term::new(Sat::ZERO, 1, 0), Err(TermError::NoInstances));
    assert!(matches!(
        Term::new(Sat::ZERO, u64::MAX, 2),
        Err(TermError::TooLong { .. })
    ));
    assert!(serde_json::from_str::<Term>(r#"{"total":1,"seconds":0,"instances":1}"#).is_err());
    let beyond = r#"{"term":{"total":1,"seconds":5,"instances":1},"used":6}"#;
    assert!(serde_json::from_str::<Accrual>(beyond).is_err());
}

fn any_term() -> impl Strategy<Value = Term> {
    let total = prop_oneof![0..1_000_i64, 0..=i64::MAX];
    let seconds = prop_oneof![1..100_u64, 1..=1_u64 << 40];
    (total, seconds, 1..200_u32).prop_map(|(total, seconds, instances)| {
        Term::new(Sat::new(total), seconds, instances).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_charges_of_a_full_term_add_up_to_the_total(
        term in any_term(), cuts in prop::collection::vec(any::<u64>(), 0..20),
    ) {
        let mut accrual = Accrual::new(term);
        let mut sum = Sat::ZERO;
        for cut in cuts {
            let charge = accrual.charge(cut % (accrual.left() + 1)).unwrap();
            prop_assert!(!charge.amount.is_negative());
            prop_assert!(charge.carried_out.numerator < charge.carried_out.denominator);
            sum = sum.checked_add(charge.amount).unwrap();
            prop_assert_eq!(sum, accrual.charged());
            prop_assert_eq!(sum.checked_add(accrual.unused()), Some(term.total()));
        }
        let last = accrual.charge(accrual.left()).unwrap();
        prop_assert_eq!(sum.checked_add(last.amount), Some(term.total()));
        prop_assert_eq!(last.carried_out.numerator, 0);
    }

    #[test]
    fn a_charge_is_the_exact_price_with_what_was_carried(
        term in any_term(), first in any::<u64>(), second in any::<u64>(),
    ) {
        let mut accrual = Accrual::new(term);
        accrual.charge(first % (accrual.left() + 1)).unwrap();
        let charge = accrual.charge(second % (accrual.left() + 1)).unwrap();
        // amount + out = total × seconds / whole + in, all over the same denominator. Wide products need two limbs, so
        // the equation is checked modulo a prime and in floating point; a wrong charge fails one or the other.
        let prime = 4_294_967_291_u128;
        let times = |a: u128, b: u128| (a % prime) * (b % prime) % prime;
        let whole = u128::from(term.instance_seconds());
        let amount = u128::from(charge.amount.get().unsigned_abs());
        let left = times(amount, whole) + u128::from(charge.carried_out.numerator) % prime;
        let total = u128::from(term.total().get().unsigned_abs());
        let right = times(total, charge.seconds.into())
            + u128::from(charge.carried_in.numerator) % prime;
        prop_assert_eq!(left % prime, right % prime);
        prop_assert_eq!(charge.carried_out.denominator, term.instance_seconds());
    }

    #[test]
    fn the_price_does_not_depend_on_how_seconds_are_reported(
        term in any_term(), seconds in any::<u64>(), cut in any::<u64>(),
    ) {
        let mut whole = Accrual::new(term);
        let seconds = seconds % (whole.left() + 1);
        whole.charge(seconds).unwrap();
        let mut parts = Accrual::new(term);
        let cut = cut % (seconds + 1);
        parts.charge(cut).unwrap();
        parts.charge(seconds - cut).unwrap();
        prop_assert_eq!(whole.charged(), parts.charged());
        let json = serde_json::to_string(&parts).unwrap();
        prop_assert_eq!(serde_json::from_str::<Accrual>(&json).unwrap(), parts);
    }
}
