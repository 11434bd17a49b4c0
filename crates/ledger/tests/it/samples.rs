//! Small things every area needs.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Sat,
    id::{AppId, EpochNumber, InstanceId, InvoiceId, NodeId, QuoteId, TransferId},
};
use fluxplane_ledger::{
    Account, Asset, Group, Transfer,
    account::Party,
    routes::Purpose,
    settlement::{
        Commitment, EpochLeaves, Hash32, InvoiceLine, LineKind, Payout, Salt, commitment::Role,
        epoch::EpochOpening,
    },
};
use uuid::Uuid;

pub(crate) const FLUX: Asset = Asset::FLUX;

pub(crate) fn other_asset() -> Asset {
    "FLUXETH".parse().unwrap()
}

pub(crate) fn party(name: &str) -> Party {
    name.parse().unwrap()
}

pub(crate) fn customer(name: &str) -> Account {
    Account::Customer(party(name))
}

pub(crate) fn operator(name: &str) -> Account {
    Account::Operator(party(name))
}

pub(crate) fn held(app: u128) -> Account {
    Account::CustomerHeld(AppId::new(Uuid::from_u128(app)))
}

pub(crate) fn id(number: u128) -> TransferId {
    TransferId::new(Uuid::from_u128(number))
}

/// Seconds after an arbitrary beginning.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

pub(crate) fn transfer(
    number: u128,
    purpose: Purpose,
    debit: Account,
    credit: Account,
    amount: i64,
) -> Transfer {
    Transfer {
        id: id(number),
        purpose,
        debit,
        credit,
        asset: Asset::FLUX,
        amount: Sat::new(amount),
        happened_at: at(0),
        undoes: None,
        reference: "test".to_owned(),
    }
}

pub(crate) fn deposit(number: u128, to: Account, amount: i64) -> Transfer {
    transfer(number, Purpose::Deposit, Account::ChainClearing, to, amount)
}

pub(crate) fn group(transfers: impl IntoIterator<Item = Transfer>) -> Group {
    Group::new(transfers.into_iter().collect()).unwrap()
}

pub(crate) fn opening(epoch: u64) -> EpochOpening {
    let previous_root = if epoch == 1 {
        Hash32::ZERO
    } else {
        Hash32([0x11; 32])
    };
    EpochOpening {
        epoch: EpochNumber(epoch),
        previous_root,
        opened_at: 1_800_000_000,
        closed_at: 1_800_003_600,
        asset: Asset::FLUX,
    }
}

/// A line that differs from every other in more than its number.
pub(crate) fn line(epoch: u64, number: u32) -> InvoiceLine {
    let byte = u8::try_from(number % 251).unwrap();
    let uuid = |kind: u128| Uuid::from_u128((kind << 64) | u128::from(number));
    InvoiceLine {
        epoch: EpochNumber(epoch),
        invoice: InvoiceId::new(uuid(u128::from(number / 3))),
        number,
        customer: Commitment::new(Role::Customer, &Salt::new([byte; 32]), &party("t1abc")),
        app: AppId::new(uuid(2)),
        instance: InstanceId::new(uuid(3)),
        node: NodeId::new(uuid(4)),
        quote: QuoteId::new(uuid(5)),
        price_table: 7,
        from: 1_800_000_000,
        to: 1_800_003_600,
        seconds: 3_000,
        kind: LineKind::Usage,
        amount: Sat::new(1_000 + i64::from(number)),
        asset: Asset::FLUX,
        evidence: Hash32([byte; 32]),
    }
}

pub(crate) fn payout(epoch: u64, number: u32) -> Payout {
    let byte = u8::try_from(number % 251).unwrap();
    Payout {
        epoch: EpochNumber(epoch),
        id: id(u128::from(number)),
        operator: Commitment::new(Role::Operator, &Salt::new([byte; 32]), &party("op")),
        node: NodeId::new(Uuid::from_u128(u128::from(number) << 8)),
        share_table: 1,
        online: Sat::new(500),
        hosting: Sat::new(i64::from(number)),
        asset: Asset::FLUX,
        seconds_online: 3_600,
    }
}

pub(crate) fn epoch(number: u64, lines: u32, payouts: u32) -> EpochLeaves {
    EpochLeaves::new(
        opening(number),
        (0..lines).map(|n| line(number, n)).collect(),
        (0..payouts).map(|n| payout(number, n)).collect(),
    )
    .unwrap()
}
