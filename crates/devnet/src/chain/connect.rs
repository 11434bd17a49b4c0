//! Carries out a block on the state of its parent, and takes it back (fluxd `ConnectBlock`, `DisconnectBlock`).

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Block, Hash256, OutPoint,
    fluxnode::{BlockView, Mode, Undo},
    params::Upgrade,
    pon::{Producer, verify_signature},
    subsidy::coinbase_limit,
};

use crate::chain::{
    BlockEntry, BlockStatus, Chain, Checks, Coin, CoinView, EMPTY_SAPLING_ROOT,
    MAX_BLOCK_SIGNATURE_OPERATIONS, Reject, UNDO_KEPT, books::Place, check_scripts, check_values,
    coins::created_coins, legacy_signature_operations, redeem_signature_operations,
};

/// What a block took away.
#[derive(Debug, Clone)]
pub(super) struct BlockUndo {
    /// The coins each transaction spent, input by input.
    spent: Vec<Vec<Coin>>,
    nodes: Undo,
}

impl Chain {
    /// Applies a block of the tree whose parent is the tip, or changes nothing and says why not.
    pub(super) fn connect(&mut self, hash: &Hash256, checks: Checks) -> Result<(), Reject> {
        // The entry is taken out of the tree's hands: its parts are shared, so this copies a few words.
        let entry = self.index.known(hash).clone();
        let block = entry.parse();
        if checks == Checks::Full {
            self.check_in_place(&block, entry.height)?;
            self.check_producer(&entry, &block)?;
        }
        self.check_no_overwrite(&entry)?;
        let mode = match checks {
            Checks::Full => Mode::Validate,
            Checks::Trusted => Mode::Follow,
        };
        let view = BlockView::new(entry.height, &block).with_txids(&entry.txids);
        let delta = self.nodes.apply_block(&view, &self.coins, mode)?;
        let spent = match self.check_coins(&entry, &block, checks) {
            Ok(spent) => spent,
            Err(reject) => {
                self.nodes
                    .undo_block(&delta.undo)
                    .expect("the block just applied is the last one");
                return Err(reject);
            }
        };
        for change in &delta.undo.nodes {
            let before = change.before.clone();
            self.touched.entry(change.collateral).or_insert(before);
        }
        self.commit(&entry, &block, &spent);
        self.undo.push_back(BlockUndo {
            spent,
            nodes: delta.undo,
        });
        if self.undo.len() > UNDO_KEPT {
            self.undo.pop_front();
        }
        self.active.push(entry.hash);
        self.index.set_status(&entry.hash, BlockStatus::Validated);
        Ok(())
    }

    /// A block that was accepted beside the tip has not had its producer judged.
    fn check_producer(&self, entry: &BlockEntry, block: &Block<'_>) -> Result<(), Reject> {
        let header = &block.header;
        let special = [
            self.params.pon.test_bypass,
            Some(self.params.emergency.collateral),
        ];
        if special.contains(&header.producer()) {
            return Ok(());
        }
        let signed = match self.producer(header, self.tip()) {
            Producer::Node(key) => verify_signature(header, &key),
            Producer::Stranger | Producer::NotChecked => false,
        };
        if signed {
            return Ok(());
        }
        let detail = format!("block {} is not signed by a confirmed node", entry.hash);
        Err(Reject::invalid("bad-pon-block", detail))
    }

    /// No transaction may share its id with one that has unspent outputs (BIP 30).
    fn check_no_overwrite(&self, entry: &BlockEntry) -> Result<(), Reject> {
        match entry.txids.iter().find(|txid| self.coins.has_any_of(txid)) {
            None => Ok(()),
            Some(txid) => {
                let detail = format!("transaction {txid} has unspent outputs already");
                Err(Reject::invalid("bad-txns-BIP30", detail))
            }
        }
    }

    /// Checks everything about coins and gives back those each transaction spends.
    fn check_coins(
        &self,
        entry: &BlockEntry,
        block: &Block<'_>,
        checks: Checks,
    ) -> Result<Vec<Vec<Coin>>, Reject> {
        let height = entry.height;
        let mut coins = CoinView::new(&self.coins);
        let mut fees = 0_i64;
        let mut operations = 0_u32;
        let mut all_spent = Vec::with_capacity(block.transactions.len());
        for (transaction, txid) in block.transactions.iter().zip(entry.txids.iter()) {
            let mut spent = Vec::new();
            if !transaction.is_coinbase() {
                for input in transaction.inputs() {
                    let coin = coins.get(&input.previous).cloned();
                    spent.push(coin.ok_or_else(|| missing(txid, &input.previous))?);
                }
                fees += check_values(transaction, &spent, height)?.get();
                if checks == Checks::Full {
                    check_scripts(transaction, &spent, &self.params, height)?;
                }
            }
            operations = operations
                .saturating_add(legacy_signature_operations(transaction))
                .saturating_add(redeem_signature_operations(transaction, &spent));
            coins.apply(transaction, *txid, height);
            all_spent.push(spent);
        }
        if operations > MAX_BLOCK_SIGNATURE_OPERATIONS {
            let detail = format!("{operations} signature operations");
            return Err(Reject::invalid("bad-blk-sigops", detail));
        }
        self.check_roots_and_reward(block, height, Sat::new(fees))?;
        Ok(all_spent)
    }

    fn check_roots_and_reward(
        &self,
        block: &Block<'_>,
        height: u32,
        fees: Sat,
    ) -> Result<(), Reject> {
        let root = block.header.final_sapling_root;
        let empty = Hash256::from_wire(EMPTY_SAPLING_ROOT);
        if self.params.is_active(Upgrade::Acadia, height) && root != empty {
            let detail = format!("the Sapling root is {root}; the tree is empty, so it is {empty}");
            return Err(Reject::invalid("bad-sapling-root-in-block", detail));
        }
        let paid = block
            .transactions
            .first()
            .and_then(|coinbase| coinbase.as_transfer()?.value_out())
            .unwrap_or_default();
        match coinbase_limit(&self.params, height, fees) {
            Some(limit) if paid > limit => {
                let detail = format!("the coinbase pays {paid} FLUX, at most {limit} are due");
                Err(Reject::invalid("bad-cb-amount", detail))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn commit(&mut self, entry: &BlockEntry, block: &Block<'_>, spent: &[Vec<Coin>]) {
        let height = entry.height;
        let transactions = block.transactions.iter().zip(entry.txids.iter());
        for (block_index, ((transaction, txid), spent)) in transactions.zip(spent).enumerate() {
            let place = Place {
                height,
                block_index,
                txid: *txid,
            };
            self.books.note_transaction(place, entry.hash);
            for (n, (input, coin)) in transaction.inputs().iter().zip(spent).enumerate() {
                self.coins.remove(&input.previous);
                self.books.note_input(place, n, input.previous, coin);
            }
            for (outpoint, coin) in created_coins(transaction, *txid, height) {
                let n = usize::try_from(outpoint.n).unwrap_or(usize::MAX);
                self.books.note_output(place, n, outpoint, &coin);
                self.coins.insert(outpoint, coin);
            }
        }
        self.books
            .note_block(entry.hash, &entry.previous, entry.time);
    }

    /// How many blocks can be taken back.
    pub(super) fn undoable(&self) -> usize {
        self.undo.len()
    }

    /// Takes the tip back. The state is then exactly that of its parent.
    pub(super) fn disconnect(&mut self) -> Hash256 {
        let undo = self.undo.pop_back().expect("the caller asked how many");
        let hash = self.active.pop().expect("there is a tip");
        let entry = self.index.known(&hash).clone();
        let block = entry.parse();
        for change in &undo.nodes.nodes {
            let now = self.nodes.node(&change.collateral).cloned();
            self.touched.entry(change.collateral).or_insert(now);
        }
        self.nodes
            .undo_block(&undo.nodes)
            .expect("records are kept in the order of the blocks");
        let height = entry.height;
        let transactions = block.transactions.iter().zip(entry.txids.iter());
        let with_spent: Vec<_> = transactions.zip(undo.spent).enumerate().collect();
        for (block_index, ((transaction, txid), spent)) in with_spent.into_iter().rev() {
            let place = Place {
                height,
                block_index,
                txid: *txid,
            };
            for (outpoint, coin) in created_coins(transaction, *txid, height) {
                let n = usize::try_from(outpoint.n).unwrap_or(usize::MAX);
                self.coins.remove(&outpoint);
                self.books.forget_output(place, n, &outpoint, &coin);
            }
            for (n, (input, coin)) in transaction.inputs().iter().zip(spent).enumerate() {
                self.books.forget_input(place, n, input.previous, &coin);
                self.coins.insert(input.previous, coin);
            }
        }
        hash
    }
}

fn missing(txid: &Hash256, outpoint: &OutPoint) -> Reject {
    let detail = format!("transaction {txid} spends {outpoint}, which does not exist or is spent");
    Reject::invalid("bad-txns-inputs-missingorspent", detail)
}
