//! Random histories of a ledger: whatever is posted, held, captured and undone, every asset sums to zero, nobody falls
//! below their limit, and the balances are the fold of the journal.

use fluxplane_core::Sat;
use fluxplane_ledger::{
    Account, AccountKind, Group, Transfer,
    book::{Balances, Book, Posted},
    hold::Hold,
    routes::Purpose,
    transfer::{TransferError, undo_deposit},
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::samples::{FLUX, at, group, held, id, other_asset, party, transfer};

#[derive(Debug, Clone)]
enum Step {
    Post {
        purpose: Purpose,
        route: usize,
        parties: (u8, u8),
        amount: i64,
        token: bool,
    },
    Repeat {
        pick: usize,
    },
    Undo {
        pick: usize,
        amount: i64,
    },
    Vanish {
        pick: usize,
    },
    Hold {
        customer: u8,
        amount: i64,
        lasts: i64,
    },
    Capture {
        pick: usize,
        amount: i64,
    },
    LetGo {
        pick: usize,
        expire: bool,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let purposes: Vec<Purpose> = Purpose::ALL
        .into_iter()
        .filter(|purpose| !purpose.routes().is_empty())
        .collect();
    let post = (
        prop::sample::select(purposes),
        any::<usize>(),
        (0..3_u8, 0..3_u8),
        1..50_i64,
        prop::bool::weighted(0.2),
    );
    prop_oneof![
        4 => (any::<usize>(), (0..3_u8, 0..3_u8), 1..80_i64).prop_map(|(route, parties, amount)| {
            Step::Post { purpose: Purpose::Deposit, route, parties, amount, token: false }
        }),
        12 => post.prop_map(|(purpose, route, parties, amount, token)| {
            Step::Post { purpose, route, parties, amount, token }
        }),
        1 => any::<usize>().prop_map(|pick| Step::Repeat { pick }),
        2 => (any::<usize>(), 1..50_i64).prop_map(|(pick, amount)| Step::Undo { pick, amount }),
        1 => any::<usize>().prop_map(|pick| Step::Vanish { pick }),
        3 => (0..3_u8, 1..40_i64, 1..20_i64).prop_map(|(customer, amount, lasts)| {
            Step::Hold { customer, amount, lasts }
        }),
        2 => (any::<usize>(), 1..40_i64).prop_map(|(pick, amount)| Step::Capture { pick, amount }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(pick, expire)| Step::LetGo { pick, expire }),
    ]
}

fn account(kind: AccountKind, number: u8) -> Account {
    use AccountKind as K;
    let name = party(["ann", "bob", "cid"][usize::from(number)]);
    match kind {
        K::ChainClearing => Account::ChainClearing,
        K::PayoutClearing => Account::PayoutClearing,
        K::ChainFees => Account::ChainFees,
        K::Capital => Account::Capital,
        K::Revenue => Account::Revenue,
        K::Suspense => Account::Suspense,
        K::OperatorPool => Account::OperatorPool,
        K::Customer => Account::Customer(name),
        K::CustomerHeld => held(u128::from(number)),
        K::CustomerDebt => Account::CustomerDebt(name),
        K::Rounding => Account::Rounding(name),
        K::Operator => Account::Operator(name),
    }
}

/// Does the step if the book allows it; the book's refusal is as good an outcome.
fn perform(book: &mut Book, step: &Step, number: u128, now: i64, holds: &[Uuid]) {
    let chosen = |pick: usize| (!holds.is_empty()).then(|| holds[pick % holds.len()]);
    match *step {
        Step::Post {
            purpose,
            route,
            parties,
            amount,
            token,
        } => {
            let routes = purpose.routes();
            let (debit, credit) = routes[route % routes.len()];
            let (debit, credit) = (account(debit, parties.0), account(credit, parties.1));
            let undoes = known(book, route).filter(|_| purpose.undoes());
            let posted = Transfer {
                asset: if token { other_asset() } else { FLUX },
                undoes: undoes.map(|original| original.id),
                ..transfer(number, purpose, debit, credit, amount)
            };
            attempt(book, Group::new(vec![posted]), now);
        }
        Step::Repeat { pick } => {
            if let Some(known) = known(book, pick) {
                let length = book.journal().len();
                assert_eq!(book.post(&group([known]), at(now)), Ok(Posted::Repeated));
                assert_eq!(book.journal().len(), length);
            }
        }
        Step::Undo { pick, amount } => {
            if let Some(known) = known(book, pick) {
                let undo = Transfer {
                    amount: Sat::new(amount),
                    ..known.reverse(id(number), at(now), String::new())
                };
                attempt(book, Group::new(vec![undo]), now);
            }
        }
        Step::Vanish { pick } => {
            if let Some(known) = known(book, pick) {
                let available = book.available(known.asset, &known.credit).clamp(0, 1_000);
                let available = Sat::new(available.try_into().unwrap());
                let ids = [id(number), id(number + 1)];
                let undo = undo_deposit(&known, available, &party("ann"), ids, at(now));
                attempt(book, undo, now);
            }
        }
        Step::Hold {
            customer,
            amount,
            lasts,
        } => {
            let account = account(AccountKind::Customer, customer);
            let hold = Hold::reserve(account, FLUX, Sat::new(amount), at(now + lasts), at(now));
            drop(book.reserve(Uuid::from_u128(number), hold.unwrap()));
        }
        Step::Capture { pick, amount } => {
            if let Some(hold) = chosen(pick) {
                let from = book.hold(hold).unwrap().account.clone();
                let charge = transfer(number, Purpose::Charge, from, Account::Revenue, amount);
                drop(book.capture(hold, Sat::new(amount), &group([charge]), at(now)));
            }
        }
        Step::LetGo { pick, expire } => {
            if let Some(hold) = chosen(pick) {
                drop(if expire {
                    book.expire(hold, at(now))
                } else {
                    book.void(hold, at(now))
                });
            }
        }
    }
}

/// One of the transfers in the journal.
fn known(book: &Book, pick: usize) -> Option<Transfer> {
    let length = book.journal().len();
    (length > 0).then(|| book.journal()[pick % length].transfer.clone())
}

fn attempt(book: &mut Book, group: Result<Group, TransferError>, now: i64) {
    if let Ok(group) = group {
        drop(book.post(&group, at(now)));
    }
}

fn check(book: &Book, holds: &[Uuid]) {
    for asset in [FLUX, other_asset()] {
        assert_eq!(book.balances().imbalance(asset), 0);
    }
    let pending = |account: &Account| {
        let own = holds
            .iter()
            .filter_map(|id| book.hold(*id))
            .filter(|h| h.account == *account);
        own.map(|hold| i128::from(hold.pending().get()))
            .sum::<i128>()
    };
    for (asset, account, balance) in book.balances().iter() {
        if asset == FLUX {
            assert_eq!(book.held(asset, account), pending(account));
        }
        if !account.kind().may_go_negative() {
            assert!(
                balance >= book.held(asset, account),
                "{account} has {balance}"
            );
        }
    }
    let folded = Balances::fold(book.journal().iter().map(|entry| &entry.transfer));
    assert_eq!(book.balances().differences(&folded), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_happens_the_books_balance_and_limits_hold(
        steps in prop::collection::vec(any_step(), 1..120),
    ) {
        let mut book = Book::new();
        let mut holds = Vec::new();
        for (position, step) in (0..).zip(&steps) {
            let number = 10 * (u128::try_from(position).unwrap() + 1);
            perform(&mut book, step, number, position, &holds);
            if matches!(step, Step::Hold { .. }) && book.hold(Uuid::from_u128(number)).is_some() {
                holds.push(Uuid::from_u128(number));
            }
            check(&book, &holds);
        }
    }
}
