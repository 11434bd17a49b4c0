//! The indexes the daemon keeps with `-txindex` and `-insightexplorer`: where a transaction stands, what an address received and
//! spent, who spent an output, and when blocks came.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Hash256, OutPoint,
    script::{Destination, Script},
};

use crate::chain::Coin;

/// Where a transaction stands. Stays when its block leaves the best chain, until another block takes it up, as in the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TransactionPlace {
    pub(crate) block: Hash256,
    pub(crate) index: usize,
}

/// Who spent an output, and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) txid: Hash256,
    pub(crate) input: usize,
    pub(crate) height: u32,
    pub(crate) value: Sat,
    pub(crate) owner: Option<Destination>,
}

/// A change of the balance of an address. Ordered as the daemon's index orders its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AddressDelta {
    pub(crate) height: u32,
    /// Place of the transaction in its block.
    pub(crate) block_index: usize,
    pub(crate) txid: Hash256,
    /// Place of the input or output in the transaction.
    pub(crate) index: usize,
    pub(crate) spending: bool,
    /// Negative when spent.
    pub(crate) value: Sat,
}

/// An unspent output of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressCoin {
    pub(crate) value: Sat,
    pub(crate) height: u32,
}

#[derive(Debug, Clone, Default)]
struct AddressBook {
    deltas: BTreeSet<AddressDelta>,
    unspent: BTreeMap<OutPoint, AddressCoin>,
}

/// All indexes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    transactions: HashMap<Hash256, TransactionPlace>,
    spent: HashMap<OutPoint, Spent>,
    addresses: HashMap<Destination, AddressBook>,
    /// Blocks by logical time: the header's, or one more than the parent's where that is later.
    times: BTreeSet<(u32, Hash256)>,
    time_of: HashMap<Hash256, u32>,
}

/// Where inputs and outputs stand: height, place of the transaction, id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) height: u32,
    pub(super) block_index: usize,
    pub(super) txid: Hash256,
}

/// Who owns an output as the address index sees it: only the two usual scripts count (fluxd `CScript::GetType`).
pub(crate) fn indexed_owner(script: Script<'_>) -> Option<Destination> {
    let key = script.p2pkh_hash().map(Destination::Key);
    key.or_else(|| script.p2sh_hash().map(Destination::Script))
}

impl Books {
    pub(crate) fn place(&self, txid: &Hash256) -> Option<TransactionPlace> {
        self.transactions.get(txid).copied()
    }

    pub(crate) fn spent(&self, outpoint: &OutPoint) -> Option<&Spent> {
        self.spent.get(outpoint)
    }

    /// Changes of an address in the order of the chain.
    pub(crate) fn deltas(&self, owner: &Destination) -> impl Iterator<Item = &AddressDelta> {
        self.addresses
            .get(owner)
            .into_iter()
            .flat_map(|book| &book.deltas)
    }

    /// Unspent outputs of an address.
    pub(crate) fn unspent(
        &self,
        owner: &Destination,
    ) -> impl Iterator<Item = (&OutPoint, &AddressCoin)> {
        self.addresses
            .get(owner)
            .into_iter()
            .flat_map(|book| &book.unspent)
    }

    /// Blocks whose logical time is at least `low` and below `high`.
    pub(crate) fn blocks_between(
        &self,
        low: u32,
        high: u32,
    ) -> impl Iterator<Item = (u32, Hash256)> {
        let range = (low < high).then_some((low, Hash256::ZERO)..(high, Hash256::ZERO));
        range
            .into_iter()
            .flat_map(|range| self.times.range(range))
            .copied()
    }

    pub(super) fn note_block(&mut self, hash: Hash256, parent: &Hash256, time: u32) {
        let after_parent = self.time_of.get(parent).map_or(0, |time| time + 1);
        let logical = time.max(after_parent);
        self.times.insert((logical, hash));
        self.time_of.insert(hash, logical);
    }

    pub(super) fn note_transaction(&mut self, place: Place, block: Hash256) {
        let index = place.block_index;
        self.transactions
            .insert(place.txid, TransactionPlace { block, index });
    }

    pub(super) fn note_output(&mut self, place: Place, n: usize, outpoint: OutPoint, coin: &Coin) {
        let Some(owner) = indexed_owner(coin.script.as_script()) else {
            return;
        };
        let book = self.addresses.entry(owner).or_default();
        book.deltas.insert(delta(place, n, coin.value, false));
        let (value, height) = (coin.value, coin.height);
        book.unspent.insert(outpoint, AddressCoin { value, height });
    }

    pub(super) fn note_input(&mut self, place: Place, n: usize, outpoint: OutPoint, coin: &Coin) {
        let owner = indexed_owner(coin.script.as_script());
        let spent = Spent {
            txid: place.txid,
            input: n,
            height: place.height,
            value: coin.value,
            owner,
        };
        self.spent.insert(outpoint, spent);
        if let Some(book) = owner.and_then(|owner| self.addresses.get_mut(&owner)) {
            book.deltas.insert(delta(place, n, coin.value, true));
            book.unspent.remove(&outpoint);
        }
    }

    pub(super) fn forget_output(
        &mut self,
        place: Place,
        n: usize,
        outpoint: &OutPoint,
        coin: &Coin,
    ) {
        let owner = indexed_owner(coin.script.as_script());
        if let Some(book) = owner.and_then(|owner| self.addresses.get_mut(&owner)) {
            book.deltas.remove(&delta(place, n, coin.value, false));
            book.unspent.remove(outpoint);
        }
    }

    pub(super) fn forget_input(&mut self, place: Place, n: usize, outpoint: OutPoint, coin: &Coin) {
        self.spent.remove(&outpoint);
        let owner = indexed_owner(coin.script.as_script());
        if let Some(book) = owner.and_then(|owner| self.addresses.get_mut(&owner)) {
            book.deltas.remove(&delta(place, n, coin.value, true));
            let (value, height) = (coin.value, coin.height);
            book.unspent.insert(outpoint, AddressCoin { value, height });
        }
    }
}

const fn delta(place: Place, index: usize, value: Sat, spending: bool) -> AddressDelta {
    AddressDelta {
        height: place.height,
        block_index: place.block_index,
        txid: place.txid,
        index,
        spending,
        value: if spending {
            Sat::new(-value.get())
        } else {
            value
        },
    }
}
