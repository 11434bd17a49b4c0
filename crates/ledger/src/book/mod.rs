//! A whole ledger in memory.
//!
//! It is the reference for the ledger in the database: the same groups, posted to both, must be accepted and refused
//! alike. Checks and simulations use it as it is. Its rules:
//!
//! * the same transfer posted again changes nothing; its id with other content is refused;
//! * a group is posted whole or not at all;
//! * an account that may not go negative stays at or above what is held of it;
//! * a transfer is undone at most once over, by transfers that run exactly against it.

mod balances;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, id::TransferId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use balances::{Balances, Difference, Totals};

use crate::{
    account::{Account, Side},
    asset::Asset,
    hold::{Hold, HoldError, HoldStep},
    routes::Purpose,
    transfer::{Group, Transfer},
};

/// A transfer in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub transfer: Transfer,
    /// When it entered the journal; the fact itself is older.
    pub booked_at: DateTime<Utc>,
}

impl Entry {
    /// Journals are read in this order; the id decides between equal times.
    pub fn order(&self) -> (DateTime<Utc>, DateTime<Utc>, TransferId) {
        (self.transfer.happened_at, self.booked_at, self.transfer.id)
    }
}

/// What was known at `booked_by` about the time up to `happened_by`: neither later facts nor later bookings.
pub fn as_of(
    journal: &[Entry],
    happened_by: DateTime<Utc>,
    booked_by: DateTime<Utc>,
) -> impl Iterator<Item = &Entry> {
    let known = move |entry: &&Entry| {
        entry.transfer.happened_at <= happened_by && entry.booked_at <= booked_by
    };
    journal.iter().filter(known)
}

/// What posting a group did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// Its transfers are new in the journal.
    New,
    /// They were there already, word for word; nothing changed.
    Repeated,
}

/// Why a group was not posted. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    #[error("transfer {0} is in the journal with other content; make a new id for a new transfer")]
    IdTaken(TransferId),
    #[error(
        "some transfers of the group are in the journal and {0} is not; post the group as it was first sent"
    )]
    PartlyPosted(TransferId),
    #[error(
        "account {account} would have {left} of {asset} left of which {held} is held; it may not go below that"
    )]
    Overdrawn {
        account: Account,
        asset: Asset,
        left: i128,
        held: i128,
    },
    #[error("transfer {id} undoes {undone}, which is not in the journal; post the original first")]
    UndoesUnknown { id: TransferId, undone: TransferId },
    #[error(
        "transfer {id} undoes {undone}, which undoes something itself; post the fact anew instead"
    )]
    UndoesUndoing { id: TransferId, undone: TransferId },
    #[error(
        "transfer {id} does not run against {undone}, which it undoes: accounts and asset must be those of the original"
    )]
    UndoesAnother { id: TransferId, undone: TransferId },
    #[error("transfer {id} undoes {amount} of {undone}, of which only {left} is not undone yet")]
    UndoesTooMuch {
        id: TransferId,
        undone: TransferId,
        amount: Sat,
        left: i128,
    },
}

/// Why a hold was not made or resolved. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookHoldError {
    #[error("hold {0} is known with other content; make a new id for a new hold")]
    IdTaken(Uuid),
    #[error("no hold {0} is known; it was never reserved")]
    Unknown(Uuid),
    #[error(
        "the transfers take {moved} from {account}, the capture is of {captured}; they must be equal"
    )]
    CaptureDiffers {
        account: Account,
        moved: i128,
        captured: Sat,
    },
    #[error("the hold cannot be resolved so")]
    Hold(#[source] HoldError),
    #[error("the ledger refused")]
    Post(#[source] PostError),
}

/// A ledger in memory. See the [module](self).
#[derive(Debug, Clone, Default)]
pub struct Book {
    journal: Vec<Entry>,
    transfers: BTreeMap<TransferId, Transfer>,
    /// How much of a transfer was undone.
    undone: BTreeMap<TransferId, i128>,
    balances: Balances,
    holds: BTreeMap<Uuid, Hold>,
    /// Sums of the pending holds.
    held: BTreeMap<(Asset, Account), i128>,
}

impl Book {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn journal(&self) -> &[Entry] {
        &self.journal
    }

    pub fn balances(&self) -> &Balances {
        &self.balances
    }

    pub fn hold(&self, id: Uuid) -> Option<&Hold> {
        self.holds.get(&id)
    }

    /// Sum of the pending holds of an account.
    pub fn held(&self, asset: Asset, account: &Account) -> i128 {
        self.held
            .get(&(asset, account.clone()))
            .copied()
            .unwrap_or(0)
    }

    /// What an account can give: its balance less what is held.
    pub fn available(&self, asset: Asset, account: &Account) -> i128 {
        self.balances.balance(asset, account) - self.held(asset, account)
    }

    /// Posts a group whole or not at all.
    pub fn post(&mut self, group: &Group, booked_at: DateTime<Utc>) -> Result<Posted, PostError> {
        if self.repeated(group)? {
            return Ok(Posted::Repeated);
        }
        for transfer in group.transfers() {
            self.check_undoing(transfer, group)?;
        }
        self.check_limits(group)?;
        for transfer in group.transfers() {
            if let Some(undone) = transfer.undoes {
                *self.undone.entry(undone).or_default() += i128::from(transfer.amount.get());
            }
            self.balances.apply(transfer);
            self.transfers.insert(transfer.id, transfer.clone());
            self.journal.push(Entry {
                transfer: transfer.clone(),
                booked_at,
            });
        }
        Ok(Posted::New)
    }

    fn repeated(&self, group: &Group) -> Result<bool, PostError> {
        let mut known = 0;
        let mut unknown = None;
        for transfer in group.transfers() {
            match self.transfers.get(&transfer.id) {
                Some(posted) if posted != transfer => {
                    return Err(PostError::IdTaken(transfer.id));
                }
                Some(_) => known += 1,
                None => unknown = Some(transfer.id),
            }
        }
        match unknown {
            Some(id) if known > 0 => Err(PostError::PartlyPosted(id)),
            Some(_) => Ok(false),
            None => Ok(true),
        }
    }

    fn check_undoing(&self, transfer: &Transfer, group: &Group) -> Result<(), PostError> {
        let Some(undone) = transfer.undoes else {
            return Ok(());
        };
        let id = transfer.id;
        let original = self.transfers.get(&undone);
        let original = original.ok_or(PostError::UndoesUnknown { id, undone })?;
        if original.undoes.is_some() {
            return Err(PostError::UndoesUndoing { id, undone });
        }
        let against = transfer.credit == original.debit
            && transfer.asset == original.asset
            && (transfer.purpose == Purpose::Debt || transfer.debit == original.credit);
        let debt_of_deposit =
            transfer.purpose != Purpose::Debt || original.purpose == Purpose::Deposit;
        if !(against && debt_of_deposit) {
            return Err(PostError::UndoesAnother { id, undone });
        }
        let before = self.undone.get(&undone).copied().unwrap_or(0);
        let left = i128::from(original.amount.get()) - before;
        let siblings = group
            .transfers()
            .iter()
            .filter(|other| other.undoes == Some(undone));
        let amount: i128 = siblings.map(|other| i128::from(other.amount.get())).sum();
        if amount > left {
            return Err(PostError::UndoesTooMuch {
                id,
                undone,
                amount: transfer.amount,
                left,
            });
        }
        Ok(())
    }

    fn check_limits(&self, group: &Group) -> Result<(), PostError> {
        let changes = Balances::fold(group.transfers());
        for (asset, account, change) in changes.iter() {
            // A change for the better never fails because of what is held.
            if account.kind().may_go_negative() || change >= 0 {
                continue;
            }
            let left = self.balances.balance(asset, account) + change;
            let held = self.held(asset, account);
            if left < held {
                return Err(PostError::Overdrawn {
                    account: account.clone(),
                    asset,
                    left,
                    held,
                });
            }
        }
        Ok(())
    }

    /// Sets money aside. The same hold again changes nothing.
    pub fn reserve(&mut self, id: Uuid, hold: Hold) -> Result<Posted, BookHoldError> {
        if let Some(known) = self.holds.get(&id) {
            let same = Hold {
                state: hold.state,
                ..known.clone()
            };
            return if same == hold {
                Ok(Posted::Repeated)
            } else {
                Err(BookHoldError::IdTaken(id))
            };
        }
        let available = self.available(hold.asset, &hold.account);
        let amount = i128::from(hold.pending().get());
        let spendable = hold.account.kind().normal_side() == Side::Credit;
        if !spendable || available < amount {
            return Err(BookHoldError::Post(PostError::Overdrawn {
                left: self.balances.balance(hold.asset, &hold.account),
                held: self.held(hold.asset, &hold.account) + amount,
                account: hold.account,
                asset: hold.asset,
            }));
        }
        self.set_hold(id, hold);
        Ok(Posted::New)
    }

    /// Captures part or all of a hold and posts what it pays for; the rest is free again. The group must take exactly
    /// the captured amount from the account.
    pub fn capture(
        &mut self,
        id: Uuid,
        amount: Sat,
        group: &Group,
        now: DateTime<Utc>,
    ) -> Result<(), BookHoldError> {
        let hold = self
            .holds
            .get(&id)
            .ok_or(BookHoldError::Unknown(id))?
            .clone();
        let step = HoldStep::Capture { amount };
        let (resolved, resolution) = hold.resolve(step, now).map_err(BookHoldError::Hold)?;
        let own =
            |transfer: &&Transfer| transfer.asset == hold.asset && transfer.debit == hold.account;
        let taken = group.transfers().iter().filter(own);
        let moved: i128 = taken
            .map(|transfer| i128::from(transfer.amount.get()))
            .sum();
        if moved != i128::from(resolution.captured.get()) {
            return Err(BookHoldError::CaptureDiffers {
                account: hold.account,
                moved,
                captured: resolution.captured,
            });
        }
        self.set_hold(id, resolved);
        let posted = match self.post(group, now) {
            Ok(Posted::New) => Ok(()),
            // Transfers that were posted before moved other money than what is held.
            Ok(Posted::Repeated) => Err(PostError::IdTaken(group.transfers()[0].id)),
            Err(error) => Err(error),
        };
        posted.map_err(|error| {
            self.set_hold(id, hold);
            BookHoldError::Post(error)
        })
    }

    /// Releases a hold that is not needed.
    pub fn void(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<(), BookHoldError> {
        self.let_go(id, HoldStep::Void, now)
    }

    /// Releases a hold whose time is over.
    pub fn expire(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<(), BookHoldError> {
        self.let_go(id, HoldStep::Expire, now)
    }

    fn let_go(
        &mut self,
        id: Uuid,
        step: HoldStep,
        now: DateTime<Utc>,
    ) -> Result<(), BookHoldError> {
        let hold = self.holds.get(&id).ok_or(BookHoldError::Unknown(id))?;
        let (resolved, _) = hold.resolve(step, now).map_err(BookHoldError::Hold)?;
        self.set_hold(id, resolved);
        Ok(())
    }

    /// Stores a hold and keeps the sum of the pending ones.
    fn set_hold(&mut self, id: Uuid, hold: Hold) {
        let held = self
            .held
            .entry((hold.asset, hold.account.clone()))
            .or_default();
        *held += i128::from(hold.pending().get());
        if let Some(before) = self.holds.insert(id, hold) {
            *held -= i128::from(before.pending().get());
        }
    }
}
