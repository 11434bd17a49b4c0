//! The unspent outputs. Ordered by outpoint, so that the outputs of one transaction stand together, as in the daemon's database.

use std::collections::{BTreeMap, HashMap, HashSet};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Hash256, OutPoint, ScriptBuf, Transaction,
    fluxnode::{Collateral, CollateralSource},
    script::{MAX_SCRIPT_SIZE, Script, opcode},
};

/// An unspent output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) value: Sat,
    pub(crate) script: ScriptBuf,
    /// Height of the block that created it.
    pub(crate) height: u32,
    pub(crate) coinbase: bool,
    /// Version of the transaction that created it.
    pub(crate) version: u32,
}

/// All unspent outputs after some block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CoinSet(BTreeMap<OutPoint, Coin>);

impl CoinSet {
    pub(crate) fn get(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.0.get(outpoint)
    }

    /// Whether any output of a transaction is unspent, which is how the daemon asks whether it knows one.
    pub(crate) fn has_any_of(&self, txid: &Hash256) -> bool {
        let first = OutPoint::new(*txid, 0);
        let last = OutPoint::new(*txid, u32::MAX);
        self.0.range(first..=last).next().is_some()
    }

    /// Every coin, those of one transaction together.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OutPoint, &Coin)> {
        self.0.iter()
    }

    pub(crate) fn insert(&mut self, outpoint: OutPoint, coin: Coin) {
        self.0.insert(outpoint, coin);
    }

    pub(crate) fn remove(&mut self, outpoint: &OutPoint) -> Option<Coin> {
        self.0.remove(outpoint)
    }
}

impl CollateralSource for CoinSet {
    fn collateral(&self, outpoint: &OutPoint) -> Option<Collateral> {
        self.get(outpoint).map(|coin| Collateral {
            value: coin.value,
            height: coin.height,
            script: coin.script.clone(),
        })
    }
}

/// Whether nobody can ever spend an output with this script; such outputs never become coins (fluxd `CScript::IsUnspendable`).
pub(crate) fn is_unspendable(script: Script<'_>) -> bool {
    script.as_bytes().first() == Some(&opcode::RETURN) || script.len() > MAX_SCRIPT_SIZE
}

/// The coins a transaction creates at a height.
pub(crate) fn created_coins(
    transaction: &Transaction<'_>,
    txid: Hash256,
    height: u32,
) -> impl Iterator<Item = (OutPoint, Coin)> {
    let coinbase = transaction.is_coinbase();
    let version = transaction.version();
    (0..)
        .zip(transaction.outputs())
        .filter(|(_, output)| !is_unspendable(output.script))
        .map(move |(n, output)| {
            let coin = Coin {
                value: output.value,
                script: output.script.to_owned(),
                height,
                coinbase,
                version,
            };
            (OutPoint::new(txid, n), coin)
        })
}

/// The coins as they are in the middle of a block: the set after its parent, and what the block did so far.
#[derive(Debug)]
pub(crate) struct CoinView<'c> {
    base: &'c CoinSet,
    created: HashMap<OutPoint, Coin>,
    spent: HashSet<OutPoint>,
}

impl<'c> CoinView<'c> {
    pub(crate) fn new(base: &'c CoinSet) -> Self {
        Self {
            base,
            created: HashMap::new(),
            spent: HashSet::new(),
        }
    }

    pub(crate) fn get(&self, outpoint: &OutPoint) -> Option<&Coin> {
        if self.spent.contains(outpoint) {
            return None;
        }
        self.created
            .get(outpoint)
            .or_else(|| self.base.get(outpoint))
    }

    /// Spends the inputs and creates the outputs of a transaction whose inputs were found to exist.
    pub(crate) fn apply(&mut self, transaction: &Transaction<'_>, txid: Hash256, height: u32) {
        if !transaction.is_coinbase() {
            let inputs = transaction.inputs();
            self.spent.extend(inputs.iter().map(|input| input.previous));
        }
        self.created
            .extend(created_coins(transaction, txid, height));
    }
}
