//! Puts blocks together: what waits, first come first served, below a coinbase that pays the nodes whose turn it is.
//!
//! Blocks are produced as stock regtest produces them: by the bypass collateral, with 64 zero bytes for a signature.

use std::collections::BTreeSet;

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Hash256, OutPoint, Transaction,
    block::MAX_BLOCK_SIZE,
    build::{BlockDraft, Output, coinbase_outputs, coinbase_transaction},
    fluxnode::CollateralSource,
};

use crate::{
    chain::{
        Chain, Coin, CoinView, EMPTY_SAPLING_ROOT, MAX_BLOCK_SIGNATURE_OPERATIONS, check_at_height,
        check_values, is_final, legacy_signature_operations, redeem_signature_operations,
    },
    mempool::{Entry, Mempool, collateral_of},
};

/// Signature field of blocks the bypass collateral produces.
pub(crate) const BYPASS_SIGNATURE: [u8; 64] = [0; 64];

/// Room for header, counts and coinbase, far more than they take.
const RESERVED_BYTES: usize = 10_000;
const RESERVED_OPERATIONS: u32 = 100;

/// A block in the making.
#[derive(Debug)]
pub(crate) struct Assembled {
    pub(crate) draft: BlockDraft,
    /// Transactions beside the coinbase, and the bytes of all.
    pub(crate) transactions: usize,
    pub(crate) bytes: usize,
}

/// What the next block shall be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<'o> {
    pub(crate) producer: OutPoint,
    /// Unix seconds; raised to one more than the parent's where it is not later.
    pub(crate) time: u32,
    /// Outputs the coinbase pays on top of what it owes. Consensus allows them in the first two blocks only.
    pub(crate) extra: &'o [Output],
}

/// Assembles the block after the tip.
pub(crate) fn assemble(chain: &Chain, mempool: &Mempool, order: Order<'_>) -> Assembled {
    let tip = chain.tip();
    let height = tip.height + 1;
    let time = order.time.max(tip.time + 1);
    let mut selection = Selection {
        chain,
        height,
        time,
        coins: CoinView::new(chain.coins()),
        nodes: BTreeSet::new(),
        spent: BTreeSet::new(),
        chosen: Vec::new(),
        fees: 0,
        bytes: RESERVED_BYTES,
        operations: RESERVED_OPERATIONS,
    };
    for entry in mempool.iter() {
        selection.consider(entry);
    }
    let Selection { chosen, fees, .. } = selection;
    let payees = chain.nodes().next_payees();
    let mut outputs = coinbase_outputs(chain.params(), height, &payees, Sat::new(fees));
    outputs.extend_from_slice(order.extra);
    let coinbase = coinbase_transaction(chain.params(), height, &outputs);
    let count = chosen.len();
    let transactions: Vec<Vec<u8>> = std::iter::once(coinbase.bytes).chain(chosen).collect();
    Assembled {
        transactions: count,
        bytes: transactions.iter().map(Vec::len).sum(),
        draft: BlockDraft {
            previous: tip.hash,
            final_sapling_root: Hash256::from_wire(EMPTY_SAPLING_ROOT),
            time,
            bits: chain.bits_after(tip),
            producer: order.producer,
            transactions,
        },
    }
}

/// What was chosen so far.
struct Selection<'c> {
    chain: &'c Chain,
    height: u32,
    time: u32,
    coins: CoinView<'c>,
    /// Nodes a chosen transaction is about; a block may name each once.
    nodes: BTreeSet<OutPoint>,
    spent: BTreeSet<OutPoint>,
    chosen: Vec<Vec<u8>>,
    fees: i64,
    bytes: usize,
    operations: u32,
}

impl Selection<'_> {
    /// Takes a waiting transaction if it is valid at this place of the block. One that is not stays where it waits.
    fn consider(&mut self, entry: &Entry) {
        let transaction = entry.parse();
        let fits = self.bytes + entry.size() <= MAX_BLOCK_SIZE;
        let taken = fits
            && match collateral_of(&transaction) {
                Some(collateral) => self.take_fluxnode(&transaction, collateral),
                None => self.take_transfer(&transaction, entry.txid),
            };
        if taken {
            self.bytes += entry.size();
            self.chosen.push(entry.raw.to_vec());
        }
    }

    fn take_fluxnode(&mut self, transaction: &Transaction<'_>, collateral: OutPoint) -> bool {
        let nodes = self.chain.nodes();
        let coins = WithoutSpent {
            chain: self.chain,
            spent: &self.spent,
        };
        !self.nodes.contains(&collateral)
            && nodes.check_transaction(transaction, &coins).is_ok()
            && self.nodes.insert(collateral)
    }

    fn take_transfer(&mut self, transaction: &Transaction<'_>, txid: Hash256) -> bool {
        let (height, time) = (self.height, self.time);
        let inputs = transaction.inputs();
        // Spending the collateral of a node that a chosen transaction is about would make that transaction invalid.
        let ends_chosen_node = inputs
            .iter()
            .any(|input| self.nodes.contains(&input.previous));
        if ends_chosen_node
            || check_at_height(transaction, self.chain.params(), height).is_err()
            || !is_final(transaction, height, time)
        {
            return false;
        }
        let coins: Option<Vec<Coin>> = inputs
            .iter()
            .map(|input| self.coins.get(&input.previous).cloned())
            .collect();
        let Some(coins) = coins else { return false };
        let Ok(fee) = check_values(transaction, &coins, height) else {
            return false;
        };
        let operations = self
            .operations
            .saturating_add(legacy_signature_operations(transaction))
            .saturating_add(redeem_signature_operations(transaction, &coins));
        if operations > MAX_BLOCK_SIGNATURE_OPERATIONS {
            return false;
        }
        self.operations = operations;
        self.fees += fee.get();
        self.spent.extend(inputs.iter().map(|input| input.previous));
        self.coins.apply(transaction, txid, height);
        true
    }
}

/// The coins after the parent, less what the block spent so far.
struct WithoutSpent<'c> {
    chain: &'c Chain,
    spent: &'c BTreeSet<OutPoint>,
}

impl CollateralSource for WithoutSpent<'_> {
    fn collateral(
        &self,
        outpoint: &OutPoint,
    ) -> Option<fluxplane_flux_chain::fluxnode::Collateral> {
        if self.spent.contains(outpoint) {
            return None;
        }
        self.chain.coins().collateral(outpoint)
    }
}
