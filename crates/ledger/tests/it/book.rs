//! The rules of a whole ledger by example.

use fluxplane_core::Sat;
use fluxplane_ledger::{
    Account, Group, Transfer,
    book::{Balances, Book, BookHoldError, PostError, Posted, as_of},
    hold::{Hold, HoldState},
    routes::Purpose,
    transfer::undo_deposit,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::samples::{
    FLUX, at, customer, deposit, group, held, id, operator, other_asset, party, transfer,
};

fn book(groups: impl IntoIterator<Item = Group>) -> Book {
    let mut book = Book::new();
    for group in groups {
        assert_eq!(book.post(&group, at(0)), Ok(Posted::New));
    }
    book
}

#[test]
fn a_group_is_posted_whole_or_not_at_all() {
    let mut book = book([group([deposit(1, customer("ann"), 10)])]);
    let before = book.balances().clone();
    let too_much = group([
        transfer(2, Purpose::Prepay, customer("ann"), held(1), 6),
        transfer(3, Purpose::Prepay, customer("ann"), held(2), 5),
    ]);
    let error = book.post(&too_much, at(1)).unwrap_err();
    assert!(
        matches!(
            error,
            PostError::Overdrawn {
                left: -1,
                held: 0,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!((book.balances(), book.journal().len()), (&before, 1));
}

#[test]
fn the_limit_is_judged_by_what_the_whole_group_leaves() {
    let through = group([
        transfer(2, Purpose::Prepay, customer("ann"), held(1), 10),
        deposit(3, customer("ann"), 10),
    ]);
    let book = book([through]);
    assert_eq!(book.balances().balance(FLUX, &held(1)), 10);
}

#[test]
fn the_same_transfer_again_changes_nothing_and_other_content_is_refused() {
    let first = group([deposit(1, customer("ann"), 10)]);
    let mut book = book([first.clone()]);
    assert_eq!(book.post(&first, at(5)), Ok(Posted::Repeated));
    assert_eq!(book.journal().len(), 1);
    let other = group([deposit(1, customer("ann"), 11)]);
    assert_eq!(book.post(&other, at(5)), Err(PostError::IdTaken(id(1))));
    let partly = group([
        deposit(1, customer("ann"), 10),
        deposit(2, customer("ann"), 1),
    ]);
    assert_eq!(
        book.post(&partly, at(5)),
        Err(PostError::PartlyPosted(id(2)))
    );
    assert_eq!(book.balances().balance(FLUX, &customer("ann")), 10);
}

#[test]
fn a_transfer_is_undone_at_most_once_over_and_only_against_itself() {
    let seen = deposit(1, customer("ann"), 10);
    let mut book = book([group([seen.clone()])]);
    let part = |number: u128, amount: i64| Transfer {
        amount: Sat::new(amount),
        ..seen.reverse(id(number), at(1), String::new())
    };
    book.post(&group([part(2, 4)]), at(1)).unwrap();
    let too_much = book.post(&group([part(3, 7)]), at(1)).unwrap_err();
    assert!(
        matches!(too_much, PostError::UndoesTooMuch { left: 6, .. }),
        "{too_much}"
    );
    let in_two = group([part(3, 3), part(4, 4)]);
    assert!(matches!(
        book.post(&in_two, at(1)),
        Err(PostError::UndoesTooMuch { .. })
    ));
    let of_another = Transfer {
        debit: customer("bob"),
        ..part(3, 1)
    };
    let refused = book.post(&group([of_another]), at(1)).unwrap_err();
    assert!(
        matches!(refused, PostError::UndoesAnother { .. }),
        "{refused}"
    );
    let of_other_asset = Transfer {
        asset: other_asset(),
        ..part(3, 1)
    };
    let refused = book.post(&group([of_other_asset]), at(1)).unwrap_err();
    assert!(
        matches!(refused, PostError::UndoesAnother { .. }),
        "{refused}"
    );
    let unknown = Transfer {
        undoes: Some(id(99)),
        ..part(3, 1)
    };
    let refused = book.post(&group([unknown]), at(1)).unwrap_err();
    assert!(
        matches!(refused, PostError::UndoesUnknown { .. }),
        "{refused}"
    );
    book.post(&group([part(3, 6)]), at(1)).unwrap();
    assert_eq!(book.balances().balance(FLUX, &customer("ann")), 0);
}

#[test]
fn what_undoes_is_not_undone_itself() {
    let spent = transfer(2, Purpose::Prepay, customer("ann"), held(1), 8);
    let back = spent.reverse(id(3), at(1), String::new());
    let again = back.reverse(id(4), at(2), String::new());
    let mut book = book([
        group([deposit(1, customer("ann"), 10)]),
        group([spent]),
        group([back]),
    ]);
    let refused = book.post(&group([again]), at(2)).unwrap_err();
    assert!(
        matches!(refused, PostError::UndoesUndoing { .. }),
        "{refused}"
    );
}

#[test]
fn a_debt_only_replaces_a_deposit_and_is_settled_by_the_next_one() {
    let seen = deposit(1, customer("ann"), 10);
    let spent = transfer(2, Purpose::Prepay, customer("ann"), held(1), 8);
    let mut book = book([group([seen.clone()]), group([spent.clone()])]);
    let ids = [id(3), id(4)];
    let vanished = undo_deposit(&seen, Sat::new(2), &party("ann"), ids, at(1)).unwrap();
    book.post(&vanished, at(1)).unwrap();
    let debt = Account::CustomerDebt(party("ann"));
    assert_eq!(book.balances().balance(FLUX, &debt), 8);
    assert_eq!(book.balances().balance(FLUX, &Account::ChainClearing), 0);
    let settle = group([
        deposit(5, customer("ann"), 20),
        transfer(6, Purpose::SettleDebt, customer("ann"), debt.clone(), 8),
    ]);
    book.post(&settle, at(2)).unwrap();
    assert_eq!(book.balances().balance(FLUX, &debt), 0);
    assert_eq!(book.balances().balance(FLUX, &customer("ann")), 12);
    let of_no_deposit = Transfer {
        undoes: Some(id(2)),
        purpose: Purpose::Debt,
        debit: debt,
        credit: Account::ChainClearing,
        ..transfer(7, Purpose::Debt, customer("ann"), held(1), 1)
    };
    let refused = book.post(&group([of_no_deposit]), at(3)).unwrap_err();
    assert!(
        matches!(refused, PostError::UndoesAnother { .. }),
        "{refused}"
    );
}

#[test]
fn what_is_held_cannot_be_spent_and_a_capture_never_overdraws() {
    let mut book = book([group([deposit(1, customer("ann"), 10)])]);
    let hold = Uuid::from_u128(1);
    let of = |amount: i64| {
        Hold::reserve(customer("ann"), FLUX, Sat::new(amount), at(100), at(0)).unwrap()
    };
    assert!(book.reserve(hold, of(11)).is_err());
    assert_eq!(book.reserve(hold, of(7)), Ok(Posted::New));
    assert_eq!(book.reserve(hold, of(7)), Ok(Posted::Repeated));
    assert!(matches!(
        book.reserve(hold, of(6)),
        Err(BookHoldError::IdTaken(_))
    ));
    assert!(
        book.reserve(Uuid::from_u128(2), of(4)).is_err(),
        "holds add up"
    );
    let spend = |number, amount| {
        group([transfer(
            number,
            Purpose::Prepay,
            customer("ann"),
            held(1),
            amount,
        )])
    };
    assert!(matches!(
        book.post(&spend(2, 4), at(1)),
        Err(PostError::Overdrawn { .. })
    ));
    book.post(&spend(2, 3), at(1)).unwrap();

    let charge = |amount| {
        group([transfer(
            3,
            Purpose::Charge,
            customer("ann"),
            Account::Revenue,
            amount,
        )])
    };
    let differing = book
        .capture(hold, Sat::new(5), &charge(4), at(2))
        .unwrap_err();
    assert!(
        matches!(differing, BookHoldError::CaptureDiffers { moved: 4, .. }),
        "{differing}"
    );
    assert_eq!(
        book.held(FLUX, &customer("ann")),
        7,
        "a refused capture leaves the hold"
    );
    book.capture(hold, Sat::new(5), &charge(5), at(2)).unwrap();
    assert_eq!(
        book.available(FLUX, &customer("ann")),
        2,
        "the rest is free again"
    );
    let captured = HoldState::Captured {
        captured: Sat::new(5),
    };
    assert_eq!(book.hold(hold).unwrap().state, captured);
    assert!(book.capture(hold, Sat::new(1), &charge(1), at(2)).is_err());
    assert!(book.void(hold, at(2)).is_err());
}

#[test]
fn a_capture_that_the_ledger_refuses_leaves_the_hold_as_it_was() {
    let mut book = book([group([deposit(1, customer("ann"), 10)])]);
    let hold = Uuid::from_u128(1);
    let of_five = Hold::reserve(customer("ann"), FLUX, Sat::new(5), at(100), at(0)).unwrap();
    book.reserve(hold, of_five.clone()).unwrap();
    let charge = transfer(2, Purpose::Charge, customer("ann"), Account::Revenue, 5);
    let beyond = transfer(
        3,
        Purpose::Round,
        Account::Rounding(party("ann")),
        customer("ann"),
        1,
    );
    let refused = book.capture(hold, Sat::new(5), &group([charge.clone(), beyond]), at(1));
    assert!(matches!(
        refused,
        Err(BookHoldError::Post(PostError::Overdrawn { .. }))
    ));
    assert_eq!(book.hold(hold), Some(&of_five));

    book.post(&group([charge.clone()]), at(1)).unwrap();
    let paid_before = book.capture(hold, Sat::new(5), &group([charge]), at(1));
    assert_eq!(
        paid_before,
        Err(BookHoldError::Post(PostError::IdTaken(id(2))))
    );
    assert_eq!(
        (book.hold(hold), book.held(FLUX, &customer("ann"))),
        (Some(&of_five), 5)
    );
}

#[test]
fn nobody_holds_money_of_an_account_the_plane_is_owed() {
    let mut book = book([group([deposit(1, customer("ann"), 10)])]);
    let of_chain =
        Hold::reserve(Account::ChainClearing, FLUX, Sat::new(1), at(100), at(0)).unwrap();
    assert!(book.reserve(Uuid::from_u128(1), of_chain).is_err());
}

#[test]
fn assets_are_separate_ledgers() {
    let token = Transfer {
        asset: other_asset(),
        ..deposit(1, customer("ann"), 10)
    };
    let mut book = book([group([token])]);
    let spend = group([transfer(2, Purpose::Prepay, customer("ann"), held(1), 1)]);
    assert!(matches!(
        book.post(&spend, at(1)),
        Err(PostError::Overdrawn { .. })
    ));
    assert_eq!(book.balances().imbalance(other_asset()), 0);
}

#[test]
fn a_view_as_of_a_time_sees_neither_later_facts_nor_later_bookings() {
    let fact = |number, happened| Transfer {
        happened_at: at(happened),
        ..deposit(number, customer("ann"), 1)
    };
    let mut book = Book::new();
    for (number, happened, booked) in [(1, 0, 1), (2, 5, 6), (3, 2, 9)] {
        book.post(&group([fact(number, happened)]), at(booked))
            .unwrap();
    }
    let seen = |happened, booked| {
        let entries = as_of(book.journal(), at(happened), at(booked));
        entries
            .map(|entry| entry.transfer.id.uuid().as_u128())
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(4, 8), [1]);
    assert_eq!(seen(4, 9), [1, 3]);
    assert_eq!(seen(9, 8), [1, 2]);
    let mut journal = book.journal().to_vec();
    journal.sort_by_key(fluxplane_ledger::book::Entry::order);
    assert_eq!(journal[1].transfer.id, id(3));
}

#[test]
fn an_operator_is_paid_through_clearing_that_returns_to_zero() {
    let mut book = book([group([
        deposit(1, customer("ann"), 100),
        transfer(2, Purpose::Prepay, customer("ann"), held(1), 100),
        transfer(3, Purpose::Charge, held(1), Account::Revenue, 100),
        transfer(
            4,
            Purpose::Share,
            Account::Revenue,
            Account::OperatorPool,
            25,
        ),
        transfer(5, Purpose::Earn, Account::OperatorPool, operator("op"), 25),
        transfer(
            6,
            Purpose::Payout,
            operator("op"),
            Account::PayoutClearing,
            25,
        ),
    ])]);
    assert_eq!(book.balances().balance(FLUX, &Account::PayoutClearing), 25);
    let arrived = [
        transfer(
            7,
            Purpose::PayoutFinal,
            Account::PayoutClearing,
            Account::ChainClearing,
            25,
        ),
        transfer(
            8,
            Purpose::ChainFee,
            Account::ChainFees,
            Account::ChainClearing,
            1,
        ),
    ];
    book.post(&group(arrived), at(1)).unwrap();
    assert_eq!(book.balances().balance(FLUX, &Account::PayoutClearing), 0);
    assert_eq!(book.balances().balance(FLUX, &Account::ChainClearing), 74);
    assert_eq!(book.balances().balance(FLUX, &Account::Revenue), 75);
}

proptest! {
#[test]
    fn a_group_and_its_reversal_leave_every_balance_as_it_was(amounts in prop::collection::vec(1..1_000_i64, 1..8)) {
        let total: i64 = amounts.iter().sum();
        let mut book = book([group([deposit(1, customer("ann"), total)])]);
        let before = book.balances().clone();
        let parts = (100..).zip(&amounts).map(|(number, amount)| {
            transfer(number, Purpose::Prepay, customer("ann"), held(number), *amount)
        });
        let parts = group(parts);
        book.post(&parts, at(1)).unwrap();
        let undo = parts.reverse(|part| id(part.id.uuid().as_u128() + 1_000), at(2), "undo");
        book.post(&undo.unwrap(), at(2)).unwrap();
        prop_assert_eq!(before.differences(book.balances()), []);
        let difference = before.differences(&Balances::default());
        prop_assert_eq!(difference.len(), 2);
    }
}
