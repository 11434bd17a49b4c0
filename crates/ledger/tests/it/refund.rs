//! What is unused returns to its payers, exactly.

use fluxplane_core::Sat;
use fluxplane_ledger::refund::{RefundError, return_to_payers};
use proptest::prelude::*;

#[test]
fn a_sponsor_receives_the_sponsors_part() {
    let payments = [("owner", Sat::new(300)), ("sponsor", Sat::new(100))];
    let returned = return_to_payers(&payments, Sat::new(41)).unwrap();
    assert_eq!(
        returned,
        [("owner", Sat::new(31)), ("sponsor", Sat::new(10))]
    );
    assert_eq!(return_to_payers::<u8>(&[], Sat::ZERO), Ok(Vec::new()));
}

#[test]
fn no_more_returns_than_was_paid() {
    let payments = [("owner", Sat::new(5))];
    let error = return_to_payers(&payments, Sat::new(6)).unwrap_err();
    assert_eq!(
        error,
        RefundError::MoreThanPaid {
            unused: Sat::new(6),
            paid: Sat::new(5)
        }
    );
    assert!(return_to_payers(&payments, Sat::new(-1)).is_err());
    let negative = [("owner", Sat::new(-5))];
    assert!(matches!(
        return_to_payers(&negative, Sat::ZERO),
        Err(RefundError::NegativePayment(_))
    ));
    let vast = [("a", Sat::new(i64::MAX)), ("b", Sat::new(1))];
    assert_eq!(
        return_to_payers(&vast, Sat::ZERO),
        Err(RefundError::TooLarge)
    );
}

proptest! {
    #[test]
    fn the_parts_add_up_and_nobody_gains(
        payments in prop::collection::btree_map(any::<u16>(), 0..1_i64 << 50, 1..20),
        part in 0..=1_000_u64,
    ) {
        let payments: Vec<(u16, Sat)> =
            payments.into_iter().map(|(payer, paid)| (payer, Sat::new(paid))).collect();
        let paid = Sat::checked_sum(payments.iter().map(|(_, paid)| *paid)).unwrap();
        let unused = paid.mul_div(part, 1_000).unwrap();
        let returned = return_to_payers(&payments, unused).unwrap();
        prop_assert_eq!(Sat::checked_sum(returned.iter().map(|(_, part)| *part)), Some(unused));
        for ((payer, paid), (receiver, part)) in payments.iter().zip(&returned) {
            prop_assert_eq!(payer, receiver);
            prop_assert!(part <= paid);
        }
    }
}
