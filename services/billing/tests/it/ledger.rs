//! The ledger in the database follows the rules of the ledger crate, and cannot be written around.

use fluxplane_billing::{
    STORE,
    db::ledger::{self, PostError},
};
use fluxplane_core::{Sat, id::AppId};
use fluxplane_ledger::{
    Account, Asset, Group, Transfer,
    account::AccountKind,
    book::{Book, Posted},
    routes::Purpose,
};
use fluxplane_platform::db::PLATFORM_MIGRATIONS;
use fluxplane_testkit::TestDb;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use uuid::Uuid;

use crate::support::time;

async fn db() -> TestDb {
    TestDb::new("billing", &[&PLATFORM_MIGRATIONS, STORE.migrations])
        .await
        .unwrap()
}

fn account(kind: AccountKind, number: u8) -> Account {
    let party = format!("party{number}").parse().unwrap();
    match kind {
        AccountKind::ChainClearing => Account::ChainClearing,
        AccountKind::PayoutClearing => Account::PayoutClearing,
        AccountKind::ChainFees => Account::ChainFees,
        AccountKind::Capital => Account::Capital,
        AccountKind::Revenue => Account::Revenue,
        AccountKind::Suspense => Account::Suspense,
        AccountKind::OperatorPool => Account::OperatorPool,
        AccountKind::Customer => Account::Customer(party),
        AccountKind::CustomerHeld => {
            Account::CustomerHeld(AppId::new(Uuid::from_u128(number.into())))
        }
        AccountKind::CustomerDebt => Account::CustomerDebt(party),
        AccountKind::Rounding => Account::Rounding(party),
        AccountKind::Operator => Account::Operator(party),
    }
}

/// A transfer along a permitted route, or one that undoes an earlier one.
fn transfer() -> impl Strategy<Value = Transfer> {
    let purposes: Vec<Purpose> = Purpose::ALL
        .into_iter()
        .filter(|one| !one.undoes())
        .collect();
    let plain = (
        prop::sample::select(purposes),
        any::<prop::sample::Index>(),
        (0_u8..2, 0_u8..2),
        1_i64..50,
        1_u128..2_000,
        prop::option::weighted(0.15, 1_u128..2_000),
    );
    plain.prop_map(|(purpose, route, (one, other), amount, id, undoes)| {
        let (debit, credit) = *route.get(purpose.routes());
        let plain = Transfer {
            id: Uuid::from_u128(id).into(),
            purpose,
            debit: account(debit, one),
            credit: account(credit, other),
            asset: Asset::FLUX,
            amount: Sat::new(amount),
            happened_at: time(1),
            undoes: None,
            reference: "r".to_owned(),
        };
        match undoes {
            None => plain,
            Some(undone) => Transfer {
                purpose: Purpose::Reversal,
                debit: plain.credit.clone(),
                credit: plain.debit.clone(),
                undoes: Some(Uuid::from_u128(undone).into()),
                ..plain
            },
        }
    })
}

#[tokio::test]
async fn the_database_accepts_and_refuses_what_the_reference_does() {
    let db = db().await;
    let mut runner = TestRunner::deterministic();
    let mut book = Book::new();
    let (mut accepted, mut refused, mut repeated) = (0, 0, 0);
    let groups = prop::collection::vec(transfer(), 1..4);
    let mut earlier: Vec<Group> = Vec::new();
    for round in 0..1_000 {
        let transfers = groups.new_tree(&mut runner).unwrap().current();
        // Now and then something is sent again.
        let group = match earlier.get(round * 7 % (earlier.len() + 5)) {
            Some(group) if round % 5 == 0 => group.clone(),
            _ => match Group::new(transfers) {
                Ok(group) => group,
                Err(_) => continue,
            },
        };
        let expected = book.post(&group, time(2));
        let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
        let got = ledger::post(&mut tx, &group, time(2)).await;
        match (expected, got) {
            (Ok(expected), Ok(got)) => {
                assert_eq!(expected, got, "round {round}");
                tx.commit().await.unwrap();
                match got {
                    Posted::New => accepted += 1,
                    Posted::Repeated => repeated += 1,
                }
                earlier.push(group);
            }
            (Err(_), Err(PostError::Refused(_))) => refused += 1,
            (expected, got) => panic!("round {round}: {expected:?} but {got:?} for {group:?}"),
        }
    }
    assert!(
        accepted > 50 && refused > 50 && repeated > 5,
        "{accepted} {refused} {repeated}"
    );
    let mut conn = db.pool.acquire().await.unwrap();
    for (_, account, balance) in book.balances().iter() {
        let own = ledger::balances(&mut conn, std::slice::from_ref(account))
            .await
            .unwrap();
        let own = own.get(account).copied().unwrap_or(0);
        assert_eq!(i128::from(own), balance, "{account}");
    }
    let audit = ledger::audit(&mut conn).await.unwrap();
    assert_eq!((audit.imbalance, audit.drifted_accounts), (0, 0));
    assert_eq!(
        audit.transfers,
        i64::try_from(book.journal().len()).unwrap()
    );
}

fn deposit(id: u128, amount: i64) -> Group {
    Group::new(vec![Transfer {
        id: Uuid::from_u128(id).into(),
        purpose: Purpose::Deposit,
        debit: Account::ChainClearing,
        credit: account(AccountKind::Customer, 1),
        asset: Asset::FLUX,
        amount: Sat::new(amount),
        happened_at: time(1),
        undoes: None,
        reference: String::new(),
    }])
    .unwrap()
}

#[tokio::test]
async fn the_journal_cannot_be_edited_and_balances_not_be_set() {
    let db = db().await;
    let mut conn = db.pool.acquire().await.unwrap();
    ledger::post(&mut conn, &deposit(1, 100), time(1))
        .await
        .unwrap();
    for sql in [
        "UPDATE transfer SET amount = 1",
        "DELETE FROM transfer",
        "TRUNCATE transfer CASCADE",
        "UPDATE account SET balance = 5 WHERE kind = 'customer'",
        "DELETE FROM account",
    ] {
        let refused = sqlx::raw_sql(sql).execute(&mut *conn).await.unwrap_err();
        assert!(
            refused.to_string().contains("forbidden"),
            "{sql}: {refused}"
        );
    }
    let overdrawn = "INSERT INTO transfer (id, purpose, asset, debit, credit, amount, happened_at, booked_at, reference)
        SELECT gen_random_uuid(), 'charge', 'FLUX', credit, debit, 101, now(), now(), '' FROM transfer";
    let refused = sqlx::raw_sql(overdrawn)
        .execute(&mut *conn)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("account_limit"), "{refused}");
}

#[tokio::test]
async fn the_limits_in_the_database_are_those_of_the_ledger_crate() {
    let db = db().await;
    let mut conn = db.pool.acquire().await.unwrap();
    for kind in AccountKind::ALL {
        let account = account(kind, 1);
        ledger::lock(&mut conn, &[&account]).await.unwrap();
        let debit_side = kind.normal_side() == fluxplane_ledger::account::Side::Debit;
        let below_zero: i64 = if debit_side { 1 } else { -1 };
        let sql = format!(
            "BEGIN; ALTER TABLE account DISABLE TRIGGER account_balance_follows_journal;
             UPDATE account SET balance = {below_zero} WHERE name = '{account}'; ROLLBACK;"
        );
        let set = sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut *conn)
            .await;
        sqlx::raw_sql("ROLLBACK").execute(&mut *conn).await.unwrap();
        assert_eq!(set.is_ok(), kind.may_go_negative(), "{kind}");
    }
}
