//! Balances are the fold of the journal. A stored balance is only a copy of it, and every difference is an alarm.

use std::collections::BTreeMap;

use crate::{
    account::{Account, Side},
    asset::Asset,
    transfer::Transfer,
};

/// Everything that was ever debited and credited. Totals only grow; `i128` holds more than all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub debits: i128,
    pub credits: i128,
}

/// Totals of every account that was ever touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balances(BTreeMap<(Asset, Account), Totals>);

/// An account on which two sets of balances disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub asset: Asset,
    pub account: Account,
    pub ours: i128,
    pub theirs: i128,
}

impl Balances {
    /// Balances from nothing but the journal.
    pub fn fold<'a>(transfers: impl IntoIterator<Item = &'a Transfer>) -> Self {
        let mut balances = Self::default();
        for transfer in transfers {
            balances.apply(transfer);
        }
        balances
    }

    /// Adds one transfer.
    pub fn apply(&mut self, transfer: &Transfer) {
        let amount = i128::from(transfer.amount.get());
        let debit = (transfer.asset, transfer.debit.clone());
        self.0.entry(debit).or_default().debits += amount;
        let credit = (transfer.asset, transfer.credit.clone());
        self.0.entry(credit).or_default().credits += amount;
    }

    pub fn totals(&self, asset: Asset, account: &Account) -> Totals {
        self.0
            .get(&(asset, account.clone()))
            .copied()
            .unwrap_or_default()
    }

    /// The balance on the account's normal side.
    pub fn balance(&self, asset: Asset, account: &Account) -> i128 {
        on_normal_side(account, self.totals(asset, account))
    }

    /// Every account with its balance.
    pub fn iter(&self) -> impl Iterator<Item = (Asset, &Account, i128)> {
        let balance = |((asset, account), totals): (&'_ (Asset, Account), &Totals)| {
            (*asset, on_normal_side(account, *totals))
        };
        self.0.iter().map(move |entry| {
            let (asset, amount) = balance(entry);
            (asset, &entry.0.1, amount)
        })
    }

    /// Debits less credits over all accounts; anything but zero means the books are broken.
    pub fn imbalance(&self, asset: Asset) -> i128 {
        let own = self.0.iter().filter(|((other, _), _)| *other == asset);
        own.map(|(_, totals)| totals.debits - totals.credits).sum()
    }

    /// Where these balances and others disagree, an account one of them lacks counting as zero.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut keys: Vec<&(Asset, Account)> = self.0.keys().chain(other.0.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let differing = keys.into_iter().filter_map(|(asset, account)| {
            let (ours, theirs) = (
                self.balance(*asset, account),
                other.balance(*asset, account),
            );
            (ours != theirs).then(|| Difference {
                asset: *asset,
                account: account.clone(),
                ours,
                theirs,
            })
        });
        differing.collect()
    }
}

fn on_normal_side(account: &Account, totals: Totals) -> i128 {
    match account.kind().normal_side() {
        Side::Debit => totals.debits - totals.credits,
        Side::Credit => totals.credits - totals.debits,
    }
}
