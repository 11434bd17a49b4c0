//! The transfers behind every movement of money. The id of a transfer is made from the fact it books, so the same fact
//! can never be booked twice, whoever repeats it.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Sat,
    id::{AppId, RevisionId, TransferId},
};
use fluxplane_ledger::{
    Account, Asset, Group, Transfer, account::Party, routes::Purpose, transfer::TransferError,
};
use uuid::Uuid;

/// Namespace of the ids made here.
const FACTS: Uuid = Uuid::from_u128(0x6a3e_3f7c_55d0_4c1e_9b52_0f6b_1c1d_7a01);

/// The id of the transfer that books a fact.
pub fn transfer_id(fact: &str) -> TransferId {
    Uuid::new_v5(&FACTS, fact.as_bytes()).into()
}

/// A movement of FLUX that undoes nothing.
pub struct Booking {
    /// What happened, uniquely; becomes the id.
    pub fact: String,
    pub purpose: Purpose,
    pub debit: Account,
    pub credit: Account,
    pub amount: Sat,
    pub happened_at: DateTime<Utc>,
    pub reference: String,
}

impl From<Booking> for Transfer {
    fn from(booking: Booking) -> Self {
        Self {
            id: transfer_id(&booking.fact),
            purpose: booking.purpose,
            debit: booking.debit,
            credit: booking.credit,
            asset: Asset::FLUX,
            amount: booking.amount,
            happened_at: booking.happened_at,
            undoes: None,
            reference: booking.reference,
        }
    }
}

/// An output of a payment, and which of its credits this is.
#[derive(Debug, Clone, Copy)]
pub struct Coin<'a> {
    pub txid: &'a str,
    pub vout: u32,
    /// 1 for the first credit; a payment that comes back after a reorganisation is credited again.
    pub credit: u32,
}

impl Coin<'_> {
    pub fn deposit_id(self) -> TransferId {
        transfer_id(&self.fact("deposit"))
    }

    pub fn identify_id(self) -> TransferId {
        transfer_id(&self.fact("identify"))
    }

    fn fact(self, what: &str) -> String {
        let Self { txid, vout, credit } = self;
        format!("{what}:{txid}:{vout}:{credit}")
    }

    fn reference(self) -> String {
        format!("{}:{}", self.txid, self.vout)
    }

    /// Coins arrived.
    pub fn deposit(self, amount: Sat, to: Account, at: DateTime<Utc>) -> Transfer {
        Booking {
            fact: self.fact("deposit"),
            purpose: Purpose::Deposit,
            debit: Account::ChainClearing,
            credit: to,
            amount,
            happened_at: at,
            reference: self.reference(),
        }
        .into()
    }

    /// The purpose of coins in suspense became known.
    pub fn identify(self, amount: Sat, owner: Party, at: DateTime<Utc>) -> Transfer {
        Booking {
            fact: self.fact("identify"),
            purpose: Purpose::Identify,
            debit: Account::Suspense,
            credit: Account::Customer(owner),
            amount,
            happened_at: at,
            reference: self.reference(),
        }
        .into()
    }

    /// Takes a deposit back whose block was undone. `deposit` and `identified` are what was booked; `available` is what
    /// the customer can still give. What was spent becomes a debt.
    pub fn take_back(
        self,
        deposit: &Transfer,
        identified: Option<&Transfer>,
        owner: Option<&Party>,
        available: Sat,
        at: DateTime<Utc>,
    ) -> Result<Group, TransferError> {
        let amount = deposit.amount;
        let back = match owner {
            Some(_) => available.clamp(Sat::ZERO, amount),
            None => amount,
        };
        let reverse = |what: &str, original: &Transfer, part: Sat| Transfer {
            amount: part,
            ..original.reverse(transfer_id(&self.fact(what)), at, self.reference())
        };
        let mut parts = Vec::with_capacity(3);
        if let Some(identified) = identified {
            parts.push(reverse("unidentify", identified, back));
        }
        parts.push(reverse("withdrawn", deposit, back));
        if let Some(owner) = owner {
            parts.push(Transfer {
                purpose: Purpose::Debt,
                debit: Account::CustomerDebt(owner.clone()),
                ..reverse("debt", deposit, Sat::new(amount.get() - back.get()))
            });
        }
        parts.retain(|part| !part.amount.is_zero());
        Group::new(parts)
    }
}

/// A debt is settled out of later money. `fact` names that money.
pub fn settle_debt(fact: &str, owner: &Party, amount: Sat, at: DateTime<Utc>) -> Transfer {
    Booking {
        fact: format!("settle-debt:{fact}"),
        purpose: Purpose::SettleDebt,
        debit: Account::Customer(owner.clone()),
        credit: Account::CustomerDebt(owner.clone()),
        amount,
        happened_at: at,
        reference: fact.to_owned(),
    }
    .into()
}

/// A revision is funded.
pub fn prepay(
    revision: RevisionId,
    app: AppId,
    owner: &Party,
    amount: Sat,
    at: DateTime<Utc>,
) -> Transfer {
    Booking {
        fact: format!("prepay:{revision}"),
        purpose: Purpose::Prepay,
        debit: Account::Customer(owner.clone()),
        credit: Account::CustomerHeld(app),
        amount,
        happened_at: at,
        reference: format!("revision:{revision}"),
    }
    .into()
}

/// Part of a term returns to who paid it. `why` tells the returns of one term apart.
pub fn unused(
    revision: RevisionId,
    why: &str,
    app: AppId,
    owner: &Party,
    amount: Sat,
    at: DateTime<Utc>,
) -> Transfer {
    Booking {
        fact: format!("unused:{why}:{revision}"),
        purpose: Purpose::Unused,
        debit: Account::CustomerHeld(app),
        credit: Account::Customer(owner.clone()),
        amount,
        happened_at: at,
        reference: format!("revision:{revision}"),
    }
    .into()
}

/// The evidenced time of one term in one epoch.
pub fn charge(
    epoch: u64,
    revision: RevisionId,
    app: AppId,
    amount: Sat,
    at: DateTime<Utc>,
) -> Transfer {
    Booking {
        fact: format!("charge:{epoch}:{revision}"),
        purpose: Purpose::Charge,
        debit: Account::CustomerHeld(app),
        credit: Account::Revenue,
        amount,
        happened_at: at,
        reference: format!("epoch:{epoch} revision:{revision}"),
    }
    .into()
}

/// The operators' part of an epoch.
pub fn share(epoch: u64, amount: Sat, at: DateTime<Utc>) -> Transfer {
    Booking {
        fact: format!("share:{epoch}"),
        purpose: Purpose::Share,
        debit: Account::Revenue,
        credit: Account::OperatorPool,
        amount,
        happened_at: at,
        reference: format!("epoch:{epoch}"),
    }
    .into()
}

/// The id of what a node earned in an epoch.
pub fn earning_id(epoch: u64, node: fluxplane_core::id::NodeId) -> TransferId {
    transfer_id(&format!("earn:{epoch}:{node}"))
}

/// What a node earned in an epoch.
pub fn earn(
    epoch: u64,
    node: fluxplane_core::id::NodeId,
    operator: &Party,
    amount: Sat,
    at: DateTime<Utc>,
) -> Transfer {
    Booking {
        fact: format!("earn:{epoch}:{node}"),
        purpose: Purpose::Earn,
        debit: Account::OperatorPool,
        credit: Account::Operator(operator.clone()),
        amount,
        happened_at: at,
        reference: format!("epoch:{epoch} node:{node}"),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use fluxplane_ledger::book::Book;
    use proptest::prelude::*;

    use super::*;

    const COIN: Coin<'_> = Coin {
        txid: "aa",
        vout: 1,
        credit: 1,
    };

    fn owner() -> Party {
        "owner".parse().unwrap()
    }

    proptest! {
        /// Deposit, perhaps through suspense; part is spent; the block is undone. Nothing may be left over.
        #[test]
        fn a_payment_that_vanishes_leaves_only_a_debt_of_what_was_spent(
            amount in 1_i64..1_000, spent in 0_i64..1_000, through_suspense: bool,
        ) {
            let at = DateTime::UNIX_EPOCH;
            let spent = spent.min(amount);
            let app: AppId = Uuid::nil().into();
            let mut book = Book::new();
            let mut post = |transfers| book.post(&Group::new(transfers).unwrap(), at).unwrap();
            let to = if through_suspense { Account::Suspense } else { Account::Customer(owner()) };
            let deposit = COIN.deposit(Sat::new(amount), to, at);
            let identified = through_suspense.then(|| COIN.identify(Sat::new(amount), owner(), at));
            post(vec![deposit.clone()]);
            if let Some(identified) = &identified {
                post(vec![identified.clone()]);
            }
            if spent > 0 {
                let revision = Uuid::nil().into();
                post(vec![prepay(revision, app, &owner(), Sat::new(spent), at)]);
            }
            let available = Sat::new(amount - spent);
            let group = COIN
                .take_back(&deposit, identified.as_ref(), Some(&owner()), available, at)
                .unwrap();
            book.post(&group, at).unwrap();
            let balance = |account| book.balances().balance(Asset::FLUX, &account);
            prop_assert_eq!(balance(Account::ChainClearing), 0);
            prop_assert_eq!(balance(Account::Suspense), 0);
            prop_assert_eq!(balance(Account::Customer(owner())), 0);
            prop_assert_eq!(balance(Account::CustomerDebt(owner())), i128::from(spent));
            prop_assert_eq!(balance(Account::CustomerHeld(app)), i128::from(spent));
        }
    }

    #[test]
    fn every_credit_of_a_payment_has_ids_of_its_own() {
        let again = Coin { credit: 2, ..COIN };
        assert_ne!(COIN.deposit_id(), again.deposit_id());
        assert_ne!(COIN.deposit_id(), COIN.identify_id());
        let deposit = COIN.deposit(Sat::new(1), Account::Suspense, DateTime::UNIX_EPOCH);
        assert_eq!(deposit.id, COIN.deposit_id());
    }
}
