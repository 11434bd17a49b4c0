//! A transfer is refused by the first rule it breaks; a reversal is its mirror image.

use fluxplane_core::Sat;
use fluxplane_ledger::{
    Account, Asset, Group,
    routes::Purpose,
    transfer::{Transfer, TransferError, undo_deposit},
};

use crate::samples::{at, customer, deposit, group, held, id, operator, party, transfer};

#[test]
fn every_rule_refuses_with_its_own_error() {
    let good = deposit(1, customer("ann"), 5);
    assert_eq!(good.validate(), Ok(()));
    let zero = Transfer {
        amount: Sat::ZERO,
        ..good.clone()
    };
    assert!(matches!(
        zero.validate(),
        Err(TransferError::NotPositive { .. })
    ));
    let negative = Transfer {
        amount: Sat::new(-5),
        ..good.clone()
    };
    assert!(matches!(
        negative.validate(),
        Err(TransferError::NotPositive { .. })
    ));
    let circle = Transfer {
        credit: good.debit.clone(),
        ..good.clone()
    };
    assert!(matches!(
        circle.validate(),
        Err(TransferError::SameAccount { .. })
    ));
    let shortcut = transfer(1, Purpose::Charge, customer("ann"), operator("op"), 5);
    let error = shortcut.validate().unwrap_err();
    assert!(matches!(error, TransferError::NoRoute { .. }));
    assert!(
        error
            .to_string()
            .contains("charge does not permit to debit customer and credit operator")
    );
    let unlinked = Transfer {
        undoes: None,
        ..good.reverse(id(2), at(1), String::new())
    };
    assert!(matches!(
        unlinked.validate(),
        Err(TransferError::NothingUndone { .. })
    ));
    let overlinked = Transfer {
        undoes: Some(id(9)),
        ..good.clone()
    };
    assert!(matches!(
        overlinked.validate(),
        Err(TransferError::UndoneUnexpected { .. })
    ));
    let verbose = Transfer {
        reference: "x".repeat(257),
        ..good.clone()
    };
    assert!(matches!(
        verbose.validate(),
        Err(TransferError::ReferenceTooLong { length: 257, .. })
    ));
    assert_eq!(Group::new(Vec::new()), Err(TransferError::EmptyGroup));
    assert!(matches!(
        Group::new(vec![good.clone(), good]),
        Err(TransferError::RepeatedId { .. })
    ));
}

#[test]
fn a_reversal_swaps_the_accounts_and_names_the_original() {
    let paid = group([
        deposit(1, customer("ann"), 5),
        transfer(2, Purpose::Prepay, customer("ann"), held(1), 3),
    ]);
    let undone = paid.reverse(
        |original| id(original.id.uuid().as_u128() + 10),
        at(9),
        "reorg",
    );
    let undone = undone.unwrap();
    let [first, second] = undone.transfers() else {
        panic!("{undone:?}");
    };
    assert_eq!(
        (first.id, first.undoes),
        (id(12), Some(id(2))),
        "the last is undone first"
    );
    assert_eq!((&first.debit, &first.credit), (&held(1), &customer("ann")));
    assert_eq!((second.id, second.amount), (id(11), Sat::new(5)));
    assert_eq!(
        (second.happened_at, second.reference.as_str()),
        (at(9), "reorg")
    );
}

#[test]
fn accounts_are_locked_in_one_order_whatever_the_group() {
    let one = group([
        deposit(1, customer("zoe"), 5),
        transfer(2, Purpose::Prepay, customer("ann"), held(1), 3),
    ]);
    let other = group([
        transfer(3, Purpose::Unused, held(1), customer("ann"), 3),
        deposit(4, customer("zoe"), 5),
    ]);
    assert_eq!(one.lock_order(), other.lock_order());
    let accounts = one.lock_order();
    assert!(accounts.is_sorted() && accounts.len() == 4);
    assert_eq!(accounts[0], (Asset::FLUX, &Account::ChainClearing));
}

#[test]
fn a_vanished_deposit_takes_back_what_is_there_and_books_the_rest_as_debt() {
    let seen = deposit(1, customer("ann"), 100);
    let undo = |available: i64| {
        let ids = [id(2), id(3)];
        let group = undo_deposit(&seen, Sat::new(available), &party("ann"), ids, at(5)).unwrap();
        let parts = group
            .transfers()
            .iter()
            .map(|part| (part.purpose, part.amount.get()));
        parts.collect::<Vec<_>>()
    };
    assert_eq!(undo(100), [(Purpose::Reversal, 100)]);
    assert_eq!(undo(500), [(Purpose::Reversal, 100)]);
    assert_eq!(undo(30), [(Purpose::Reversal, 30), (Purpose::Debt, 70)]);
    assert_eq!(undo(0), [(Purpose::Debt, 100)]);
    assert_eq!(undo(-5), [(Purpose::Debt, 100)]);
}

#[test]
fn transfers_survive_json() {
    let sent = deposit(1, customer("ann"), 5).reverse(id(2), at(1), "r".to_owned());
    let json = serde_json::to_string(&sent).unwrap();
    assert!(json.contains(r#""debit":"customer:ann""#), "{json}");
    assert_eq!(serde_json::from_str::<Transfer>(&json).unwrap(), sent);
}
