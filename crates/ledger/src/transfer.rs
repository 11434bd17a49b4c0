//! Transfers: the only way money moves. Each debits one account and credits another by the same amount, so whatever
//! is posted, every asset sums to zero. A transfer is never edited; a mistake is undone by another transfer that names
//! the first.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, id::TransferId};
use serde::{Deserialize, Serialize};

use crate::{
    account::{Account, AccountKind, Party},
    asset::Asset,
    routes::Purpose,
};

/// The longest reference, in bytes.
const LONGEST_REFERENCE: usize = 256;

/// One movement between two accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Made by the caller and stored before it is sent: the same id with the same content is the same transfer, the
    /// same id with other content is refused.
    pub id: TransferId,
    pub purpose: Purpose,
    pub debit: Account,
    pub credit: Account,
    pub asset: Asset,
    /// More than zero.
    pub amount: Sat,
    /// When the fact happened; when it was booked is known to the journal.
    pub happened_at: DateTime<Utc>,
    /// The transfer this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<TransferId>,
    /// What the transfer is about, such as `txid:output`, a usage line or an invoice.
    pub reference: String,
}

/// Why a transfer can never be posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    #[error(
        "transfer {id}: amount is {amount}, but must be more than zero; swap debit and credit to move the other way"
    )]
    NotPositive { id: TransferId, amount: Sat },
    #[error(
        "transfer {id}: debit and credit are both {account}; a transfer has two different accounts"
    )]
    SameAccount { id: TransferId, account: Account },
    #[error(
        "transfer {id}: purpose {purpose} does not permit to debit {debit} and credit {credit}; see the routes of the purpose"
    )]
    NoRoute {
        id: TransferId,
        purpose: Purpose,
        debit: AccountKind,
        credit: AccountKind,
    },
    #[error(
        "transfer {id}: purpose {purpose} undoes another transfer and must name it in `undoes`"
    )]
    NothingUndone { id: TransferId, purpose: Purpose },
    #[error("transfer {id}: purpose {purpose} undoes nothing, so `undoes` must be empty")]
    UndoneUnexpected { id: TransferId, purpose: Purpose },
    #[error("transfer {id}: reference has {length} bytes, at most 256 are kept")]
    ReferenceTooLong { id: TransferId, length: usize },
    #[error("transfer {id} appears twice in its group; make a new id for each transfer")]
    RepeatedId { id: TransferId },
    #[error("the group is empty; a group has at least one transfer")]
    EmptyGroup,
}

impl Transfer {
    /// Checks everything that can be judged without other transfers.
    pub fn validate(&self) -> Result<(), TransferError> {
        let id = self.id;
        let purpose = self.purpose;
        if self.amount <= Sat::ZERO {
            return Err(TransferError::NotPositive {
                id,
                amount: self.amount,
            });
        }
        if self.debit == self.credit {
            return Err(TransferError::SameAccount {
                id,
                account: self.debit.clone(),
            });
        }
        let (debit, credit) = (self.debit.kind(), self.credit.kind());
        if !purpose.permits(debit, credit) {
            return Err(TransferError::NoRoute {
                id,
                purpose,
                debit,
                credit,
            });
        }
        match (purpose.undoes(), self.undoes) {
            (true, None) => return Err(TransferError::NothingUndone { id, purpose }),
            (false, Some(_)) => return Err(TransferError::UndoneUnexpected { id, purpose }),
            (true, Some(_)) | (false, None) => {}
        }
        let length = self.reference.len();
        if length > LONGEST_REFERENCE {
            return Err(TransferError::ReferenceTooLong { id, length });
        }
        Ok(())
    }

    /// The transfer that undoes this one: same amount, accounts swapped, linked.
    #[must_use]
    pub fn reverse(&self, id: TransferId, happened_at: DateTime<Utc>, reference: String) -> Self {
        Self {
            id,
            purpose: Purpose::Reversal,
            debit: self.credit.clone(),
            credit: self.debit.clone(),
            happened_at,
            undoes: Some(self.id),
            reference,
            ..self.clone()
        }
    }
}

/// Transfers that are posted together or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Group(Vec<Transfer>);

impl Group {
    /// A group of valid transfers with different ids.
    pub fn new(transfers: Vec<Transfer>) -> Result<Self, TransferError> {
        if transfers.is_empty() {
            return Err(TransferError::EmptyGroup);
        }
        let mut ids = BTreeSet::new();
        for transfer in &transfers {
            transfer.validate()?;
            if !ids.insert(transfer.id) {
                return Err(TransferError::RepeatedId { id: transfer.id });
            }
        }
        Ok(Self(transfers))
    }

    pub fn transfers(&self) -> &[Transfer] {
        &self.0
    }

    /// Every account the group touches, once, in the order in which to lock them.
    pub fn lock_order(&self) -> Vec<(Asset, &Account)> {
        let sides = self.0.iter().flat_map(|transfer| {
            [
                (transfer.asset, &transfer.debit),
                (transfer.asset, &transfer.credit),
            ]
        });
        let mut accounts: Vec<(Asset, &Account)> = sides.collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// The group that undoes this one, in the opposite order. `ids` makes the id of each reversal from the transfer it
    /// undoes.
    pub fn reverse(
        &self,
        mut ids: impl FnMut(&Transfer) -> TransferId,
        happened_at: DateTime<Utc>,
        reference: &str,
    ) -> Result<Self, TransferError> {
        let undo = |transfer: &Transfer| {
            transfer.reverse(ids(transfer), happened_at, reference.to_owned())
        };
        Self::new(self.0.iter().rev().map(undo).collect())
    }
}

/// Undoes a deposit that vanished from the chain. What is still there is taken back; what was spent becomes a debt of
/// the customer, because coins that do not exist cannot stay booked as coins.
///
/// `available` is what the credited account can still give. `ids` are for the part taken back and for the debt.
pub fn undo_deposit(
    deposit: &Transfer,
    available: Sat,
    customer: &Party,
    ids: [TransferId; 2],
    happened_at: DateTime<Utc>,
) -> Result<Group, TransferError> {
    let [back_id, debt_id] = ids;
    let back = available.clamp(Sat::ZERO, deposit.amount);
    let reversal = Transfer {
        amount: back,
        ..deposit.reverse(back_id, happened_at, deposit.reference.clone())
    };
    let missing = Sat::new(deposit.amount.get() - back.get());
    let debt = Transfer {
        id: debt_id,
        purpose: Purpose::Debt,
        debit: Account::CustomerDebt(customer.clone()),
        credit: deposit.debit.clone(),
        amount: missing,
        ..reversal.clone()
    };
    let parts = [reversal, debt];
    Group::new(
        parts
            .into_iter()
            .filter(|part| !part.amount.is_zero())
            .collect(),
    )
}
