//! Blocks: submitted, made here, replaced.

use fluxplane_flux_chain::{Block, Hash256, build::Output, encode::DecodeError};

use crate::{
    chain::{
        AcceptError, Activation, BlockEntry, BlockRef, BlockStatus, Chain, Checks, Reject,
        TipChange,
    },
    daemon::{Daemon, DevnetError, LastAssembly, Source},
    mempool::Mempool,
    miner::{Assembled, BYPASS_SIGNATURE, Order, assemble},
    options::PREMINED_BLOCKS,
    store::Record,
    wallet::{PREMINE_HEIGHT, premine_outputs},
};

/// The deepest reorganisation nodes accept (fluxd `src/main.h`, `MAX_REORG_LENGTH`, less one).
pub(crate) const DEEPEST_REORGANISATION: u32 = fluxplane_flux_chain::params::MAX_REORG_LENGTH - 1;

/// What became of a submitted block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Submission {
    /// It is the new tip, or below it.
    Connected(Hash256),
    /// It is valid as far as can be told and stands beside the best chain.
    Beside(Hash256),
    /// It was known; the daemon's word for how.
    Known(Hash256, &'static str),
    Rejected(Reject),
}

/// What a reorganisation by hand did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reorganisation {
    pub old: BlockRef,
    pub new: BlockRef,
    /// The last block both branches have.
    pub fork: BlockRef,
    /// Blocks taken back, the old tip first.
    pub disconnected: Vec<Hash256>,
    /// Blocks of the new branch, the lowest first.
    pub connected: Vec<Hash256>,
}

impl Daemon {
    /// Takes a block from outside.
    pub(crate) fn submit(&mut self, raw: &[u8]) -> Result<Submission, DecodeError> {
        let hash = match self.chain.accept(raw, self.chain_time(), Checks::Full) {
            Ok(hash) => hash,
            Err(AcceptError::Decode(error)) => return Err(error),
            Err(AcceptError::Known { hash, status }) => {
                return Ok(Submission::Known(
                    hash,
                    match status {
                        BlockStatus::Validated => "duplicate",
                        BlockStatus::Invalid => "duplicate-invalid",
                        BlockStatus::Stored => "duplicate-inconclusive",
                    },
                ));
            }
            Err(AcceptError::Refused { hash, reject }) => {
                tracing::info!(
                    block.hash = %hash,
                    reason = %reject.reason,
                    detail = %reject.detail,
                    "block is refused"
                );
                return Ok(Submission::Rejected(reject));
            }
        };
        let activation = self.chain.activate_best(Checks::Full);
        self.settle(&[hash], &activation);
        let failure = activation.failures.into_iter().find(|(of, _)| *of == hash);
        Ok(match failure {
            Some((_, reject)) => Submission::Rejected(reject),
            None if self.chain.is_active(self.chain.index().known(&hash)) => {
                Submission::Connected(hash)
            }
            None => Submission::Beside(hash),
        })
    }

    /// Makes blocks on the tip and tells their hashes.
    pub(crate) fn mine(&mut self, count: u32) -> Result<Vec<Hash256>, DevnetError> {
        self.require_grown("generate")?;
        (0..count).map(|_| self.mine_one(&[])).collect()
    }

    fn mine_one(&mut self, extra: &[Output]) -> Result<Hash256, DevnetError> {
        let assembled = self.assemble_new(&self.chain, &self.mempool, self.now(), extra)?;
        self.last_assembly = LastAssembly {
            transactions: assembled.transactions,
            bytes: assembled.bytes,
        };
        let hash = self.take(&assembled)?;
        let activation = self.chain.activate_best(Checks::Full);
        self.settle(&[hash], &activation);
        match activation.failures.into_iter().next() {
            Some((_, reject)) => Err(DevnetError::Refused(reject)),
            None => Ok(hash),
        }
    }

    /// A block after the tip of a chain that differs from every block of the tree. After blocks were declared invalid, or while the
    /// clock stands still, the first attempt may be one that is known.
    fn assemble_new(
        &self,
        chain: &Chain,
        mempool: &Mempool,
        time: u32,
        extra: &[Output],
    ) -> Result<Assembled, DevnetError> {
        let mut time = time;
        loop {
            let order = Order {
                producer: self.bypass(),
                time,
                extra,
            };
            let assembled = assemble(chain, mempool, order);
            let hash = assembled.draft.hash()?;
            if self.chain.index().get(&hash).is_none() {
                return Ok(assembled);
            }
            time = assembled.draft.time + 1;
        }
    }

    /// Seals a block made here and puts it into the tree.
    fn take(&mut self, assembled: &Assembled) -> Result<Hash256, DevnetError> {
        let raw = assembled.draft.seal_with(&BYPASS_SIGNATURE)?;
        match self.chain.accept(&raw, self.chain_time(), Checks::Full) {
            Ok(hash) => Ok(hash),
            Err(AcceptError::Known { hash, .. }) => Err(DevnetError::Refused(Reject::invalid(
                "duplicate",
                format!("block {hash} is known already"),
            ))),
            Err(AcceptError::Decode(error)) => Err(error.into()),
            Err(AcceptError::Refused { reject, .. }) => Err(DevnetError::Refused(reject)),
        }
    }

    /// The first blocks of a new chain, timed as if they had come one a second until now.
    pub(super) fn premine(&mut self) -> Result<(), DevnetError> {
        let outputs = premine_outputs(&self.wallet.keys, self.chain.params());
        for height in 1..=PREMINED_BLOCKS {
            let time = self.now().saturating_sub(PREMINED_BLOCKS - height);
            let extra: &[Output] = if height == PREMINE_HEIGHT {
                &outputs
            } else {
                &[]
            };
            let nothing = Mempool::default();
            let assembled = self.assemble_new(&self.chain, &nothing, time, extra)?;
            let hash = self.take(&assembled)?;
            let activation = self.chain.activate_best(Checks::Full);
            self.settle(&[hash], &activation);
            if let Some((_, reject)) = activation.failures.into_iter().next() {
                return Err(DevnetError::Refused(reject));
            }
        }
        Ok(())
    }

    /// Replaces the last blocks by a longer branch of empty ones; what the old ones held waits again.
    pub(crate) fn reorganise(
        &mut self,
        depth: u32,
        blocks: Option<u32>,
    ) -> Result<Reorganisation, DevnetError> {
        self.require_grown("reorg")?;
        let limit = DEEPEST_REORGANISATION.min(self.chain.height());
        if depth == 0 || depth > limit {
            return Err(DevnetError::Depth { depth, limit });
        }
        let blocks = blocks.unwrap_or(depth + 1);
        if blocks <= depth {
            return Err(DevnetError::Branch { blocks, depth });
        }
        let branch = self.build_branch(depth, blocks)?;
        let mut hashes = Vec::with_capacity(branch.len());
        for raw in branch {
            match self.chain.accept(&raw, self.chain_time(), Checks::Full) {
                Ok(hash) | Err(AcceptError::Known { hash, .. }) => hashes.push(hash),
                Err(AcceptError::Decode(error)) => return Err(error.into()),
                Err(AcceptError::Refused { reject, .. }) => {
                    return Err(DevnetError::Refused(reject));
                }
            }
        }
        let old = self.chain.tip_ref();
        let activation = self.chain.activate_best(Checks::Full);
        self.settle(&hashes, &activation);
        if let Some((_, reject)) = activation.failures.into_iter().next() {
            return Err(DevnetError::Refused(reject));
        }
        let fork = activation.changes.iter().find_map(|change| change.fork);
        let disconnected = activation
            .changes
            .into_iter()
            .flat_map(|change| change.disconnected)
            .collect();
        Ok(Reorganisation {
            old,
            new: self.chain.tip_ref(),
            fork: fork.unwrap_or(old),
            disconnected,
            connected: hashes,
        })
    }

    /// Makes the blocks of a branch that forks off below the tip. Who must be paid follows from the state along the branch, so it is
    /// built on a second chain that is brought to the fork.
    fn build_branch(&self, depth: u32, blocks: u32) -> Result<Vec<Vec<u8>>, DevnetError> {
        let fork = self.chain.height() - depth;
        let mut scratch = self.chain.twin_at(fork);
        let nothing = Mempool::default();
        let mut branch = Vec::new();
        // As early as can be, so that long branches do not run far ahead of the day.
        for _ in 0..blocks {
            let assembled = self.assemble_new(&scratch, &nothing, 0, &[])?;
            let raw = assembled.draft.seal_with(&BYPASS_SIGNATURE)?;
            let time = assembled.draft.time;
            let now = self.chain_time().max(time);
            let accepted = scratch.accept(&raw, now, Checks::Trusted);
            if let Err(AcceptError::Refused { reject, .. }) = accepted {
                return Err(DevnetError::Refused(reject));
            }
            scratch.activate_best(Checks::Trusted);
            branch.push(raw);
        }
        Ok(branch)
    }

    /// Declares a block invalid.
    pub(crate) fn invalidate(&mut self, hash: &Hash256) -> Result<(), DevnetError> {
        self.require_grown("invalidateblock")?;
        if self.chain.index().get(hash).is_none() {
            return Err(DevnetError::UnknownBlock(*hash));
        }
        let activation = self.chain.invalidate(hash, Checks::Full);
        let activation = activation.ok_or(DevnetError::TooDeep(*hash))?;
        self.write(&Record::Invalidated(*hash));
        self.settle(&[], &activation);
        Ok(())
    }

    /// Takes that back.
    pub(crate) fn reconsider(&mut self, hash: &Hash256) -> Result<(), DevnetError> {
        self.require_grown("reconsiderblock")?;
        let activation = self.chain.reconsider(hash, Checks::Full);
        let activation = activation.ok_or(DevnetError::UnknownBlock(*hash))?;
        self.write(&Record::Reconsidered(*hash));
        self.settle(&[], &activation);
        Ok(())
    }

    /// Shows the next blocks of a recording.
    pub(crate) fn step(&mut self, count: u32) -> Result<BlockRef, DevnetError> {
        for _ in 0..count {
            let Source::Recorded(recording) = &mut self.source else {
                return Err(DevnetError::NotRecorded {
                    verb: "devnet_step",
                });
            };
            let Some(raw) = recording.take() else { break };
            let accepted = self.chain.accept(&raw, 0, Checks::Trusted);
            match accepted {
                Ok(hash) => {
                    let activation = self.chain.activate_best(Checks::Trusted);
                    self.settle(&[hash], &activation);
                    if let Some((_, reject)) = activation.failures.into_iter().next() {
                        return Err(DevnetError::Refused(reject));
                    }
                }
                Err(AcceptError::Refused { reject, .. }) => {
                    return Err(DevnetError::Refused(reject));
                }
                Err(AcceptError::Decode(error)) => return Err(error.into()),
                Err(AcceptError::Known { hash, .. }) => {
                    tracing::debug!(block.hash = %hash, "the recording repeats a block");
                }
            }
        }
        Ok(self.chain.tip_ref())
    }

    /// Brings everything in step after the chain moved: subscribers, memory pool, log, nodes.
    pub(super) fn settle(&mut self, accepted: &[Hash256], activation: &Activation) {
        for hash in accepted {
            let entry = self.chain.index().known(hash);
            if entry.status != BlockStatus::Invalid {
                let record = Record::Block(entry.raw.to_vec());
                self.write(&record);
            }
        }
        if activation.changes.is_empty() {
            return;
        }
        for change in &activation.changes {
            self.announce(change);
        }
        self.renew_mempool(activation);
        self.tip_moved();
        self.operate_nodes();
    }

    /// Tells those who wait for the tip.
    pub(super) fn tip_moved(&mut self) {
        let tip = self.chain.tip_ref();
        self.tip.send_replace(tip);
        tracing::debug!(block.hash = %tip.hash, block.height = tip.height, "new tip");
    }

    /// Numbers the messages of one step in the daemon's order.
    fn announce(&mut self, change: &TipChange) {
        for hash in &change.disconnected {
            let entry = self.chain.index().known(hash).clone();
            self.announce_transactions(&entry);
        }
        for hash in &change.connected {
            let entry = self.chain.index().known(hash).clone();
            self.notifier.checked_block(&entry);
            self.announce_transactions(&entry);
        }
        if let Some(fork) = change.fork {
            tracing::info!(
                old.height = change.old.height,
                new.height = change.new.height,
                fork.height = fork.height,
                "the chain was reorganised"
            );
            self.notifier.reorganisation(change.old, change.new, fork);
        }
        if let Some(nodes) = &change.nodes {
            let tip = self.chain.index().known(&change.new.hash);
            self.notifier.new_tip(tip, nodes);
        }
    }

    fn announce_transactions(&mut self, entry: &BlockEntry) {
        let block: Block<'_> = entry.parse();
        for (transaction, txid) in block.transactions.iter().zip(entry.txids.iter()) {
            self.notifier.transaction(txid, transaction.raw());
        }
    }

    fn renew_mempool(&mut self, activation: &Activation) {
        let now = self.now();
        let index = self.chain.index();
        let disconnected: Vec<&BlockEntry> = activation
            .changes
            .iter()
            .flat_map(|change| &change.disconnected)
            .map(|hash| index.known(hash))
            .collect();
        if disconnected.is_empty() {
            for hash in activation
                .changes
                .iter()
                .flat_map(|change| &change.connected)
            {
                self.mempool
                    .after_block(index.known(hash), &self.chain, now);
            }
        } else {
            self.mempool
                .after_reorganisation(&disconnected, &self.chain, now);
        }
    }

    fn write(&mut self, record: &Record) {
        if let Some(store) = &mut self.store
            && let Err(error) = store.append(record)
        {
            // The chain goes on in memory; stopping it would lose more than the log.
            let error: &dyn std::error::Error = &error;
            tracing::error!(
                error,
                "the log cannot be written; the chain is kept in memory only"
            );
        }
    }
}
