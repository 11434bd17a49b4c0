//! The whole chain in a file, and back.

use std::path::{Path, PathBuf};

use crate::{
    chain::{BlockRef, BlockStatus, Chain},
    daemon::{Daemon, DevnetError, Source},
    mempool::Mempool,
    store::{Record, read_log, write_log},
    wallet::{Keyring, Wallet, WalletState},
};

impl Daemon {
    /// Writes every block to a file. It is a log like that of a folder, so a folder can be begun with it, too. Transactions that wait
    /// are not in it.
    pub(crate) fn snapshot(&self, file: Option<PathBuf>) -> Result<PathBuf, DevnetError> {
        let path = file.unwrap_or_else(|| self.snapshot_name());
        write_log(&path, &self.rules, &self.records())?;
        Ok(path)
    }

    fn snapshot_name(&self) -> PathBuf {
        let tip = self.chain.tip_ref();
        let digits: String = tip.hash.to_string().chars().take(8).collect();
        let name = format!("snapshot-{}-{digits}.chain", tip.height);
        self.folder()
            .map_or_else(std::env::temp_dir, Path::to_owned)
            .join(name)
    }

    /// The tree of blocks as records. A branch that is invalid is left out.
    fn records(&self) -> Vec<Record> {
        let wallet = Record::Wallet(self.wallet.state.clone());
        let blocks = self.chain.index().by_arrival();
        let blocks = blocks
            .into_iter()
            .filter(|block| block.height > 0 && block.status != BlockStatus::Invalid)
            .map(|block| Record::Block(block.raw.to_vec()));
        std::iter::once(wallet).chain(blocks).collect()
    }

    /// Goes back to what a snapshot holds. Subscribers see one reorganisation, however deep; who follows the chain must be able to
    /// start anew.
    pub(crate) fn restore(&mut self, file: &Path) -> Result<BlockRef, DevnetError> {
        self.require_grown("devnet_restore")?;
        let (rules, records) = read_log(file)?;
        let old = std::mem::replace(&mut self.chain, Chain::new(rules.params().into()));
        self.rules = rules;
        self.source = Source::Grown;
        self.mempool = Mempool::default();
        self.wallet = Wallet::new(Keyring::new(&self.rules.seed), WalletState::default());
        for record in &records {
            self.apply_record(record);
        }
        let fork = (0..=old.height().min(self.chain.height()))
            .rev()
            .filter_map(|height| old.at(height))
            .find(|block| {
                self.chain
                    .at(block.height)
                    .is_some_and(|at| at.hash == block.hash)
            })
            .map_or_else(
                || old.tip_ref(),
                |block| BlockRef {
                    hash: block.hash,
                    height: block.height,
                },
            );
        let new = self.chain.tip_ref();
        let changes = self.chain.node_changes_from(&old);
        if fork != old.tip_ref() {
            self.notifier.reorganisation(old.tip_ref(), new, fork);
        }
        if new != old.tip_ref() {
            self.notifier.new_tip(self.chain.tip(), &changes);
        }
        if let Some(store) = &mut self.store {
            store.rewrite(&self.rules, &records)?;
        }
        self.save_wallet()?;
        self.tip_moved();
        self.operate_nodes();
        Ok(new)
    }
}
