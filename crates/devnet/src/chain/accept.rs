//! Puts a block into the tree: everything that can be judged without the state of its parent (fluxd `CheckBlock`, `AcceptBlock`,
//! and `ContextualCheckBlock` without the node lists).

use std::sync::Arc;

use fluxplane_flux_chain::{
    Block, Hash256, Transaction,
    block::merkle_root,
    encode::DecodeError,
    header::Header,
    params::MAX_REORG_LENGTH,
    pon::{Parent, Producer, check_header},
};

use crate::chain::{
    BlockEntry, BlockStatus, Chain, Checks, MAX_BLOCK_SIGNATURE_OPERATIONS, Reject, RejectCode,
    check_alone, check_at_height, is_final, legacy_signature_operations,
    transaction::claims_height,
};

/// Heights up to this one need not be claimed by the coinbase (fluxd `ContextualCheckBlock`).
const UNCLAIMED_HEIGHTS: u32 = 20;

/// Why a block did not get into the tree.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcceptError {
    #[error("the bytes are no block: {0}")]
    Decode(#[from] DecodeError),
    #[error("block {hash} is known already")]
    Known { hash: Hash256, status: BlockStatus },
    #[error("block {hash} is refused: {reject}")]
    Refused { hash: Hash256, reject: Reject },
}

impl Chain {
    /// Judges a block as far as its parent's place allows and puts it into the tree. `now` is the time headers are measured
    /// against, in Unix seconds.
    pub(crate) fn accept(
        &mut self,
        raw: &[u8],
        now: u32,
        checks: Checks,
    ) -> Result<Hash256, AcceptError> {
        let block = Block::parse(raw)?;
        let hash = block.header.hash();
        if let Some(known) = self.index.get(&hash) {
            let status = known.status;
            return Err(AcceptError::Known { hash, status });
        }
        let txids = block.txids();
        let refused = |reject| AcceptError::Refused { hash, reject };
        check_block(&block, &txids).map_err(refused)?;
        let height = self
            .check_header(&block.header, now, checks)
            .map_err(refused)?;
        let verdict = self.check_in_place(&block, height);
        let status = match verdict {
            Ok(()) => BlockStatus::Stored,
            Err(_) => BlockStatus::Invalid,
        };
        // A block whose header is right is remembered even if the rest is not, so that it is refused at once the next time.
        self.index
            .insert(&self.params, &Arc::from(raw), height, txids, status);
        verdict.map_err(refused)?;
        Ok(hash)
    }

    /// Judges the header and tells the height of the block.
    fn check_header(&self, header: &Header<'_>, now: u32, checks: Checks) -> Result<u32, Reject> {
        let parent = self.index.get(&header.previous).ok_or_else(|| {
            let detail = format!("its parent {} is unknown", header.previous);
            Reject::new(RejectCode::None, "bad-prevblk", detail)
        })?;
        if parent.status == BlockStatus::Invalid {
            let detail = format!("its parent {} is invalid", parent.hash);
            return Err(Reject::invalid("bad-prevblk", detail));
        }
        let depth = self.height().saturating_sub(parent.height);
        if depth >= MAX_REORG_LENGTH {
            let detail = format!(
                "it forks off {depth} blocks below the tip; up to {} are accepted",
                MAX_REORG_LENGTH - 1
            );
            return Err(Reject::invalid("bad-fork-prior-to-maxreorgdepth", detail));
        }
        let height = parent.height + 1;
        let now = match checks {
            Checks::Full => now,
            Checks::Trusted => header.time,
        };
        let place = Parent {
            hash: parent.hash,
            time: parent.time,
        };
        let bits = self.bits_after(parent);
        let producer = match checks {
            Checks::Full => self.producer(header, parent),
            Checks::Trusted => Producer::NotChecked,
        };
        check_header(&self.params, header, height, &place, bits, now, producer)?;
        Ok(height)
    }

    /// What is known of the node behind a header. Its list is at hand for children of the tip only.
    pub(super) fn producer(&self, header: &Header<'_>, parent: &BlockEntry) -> Producer {
        if parent.hash != self.tip().hash {
            return Producer::NotChecked;
        }
        header
            .producer()
            .and_then(|collateral| self.nodes.node(&collateral))
            .filter(|node| node.status == fluxplane_flux_chain::fluxnode::Status::Confirmed)
            .map_or(Producer::Stranger, |node| Producer::Node(node.node_key))
    }

    /// Rules that depend on height and time, but not on what came before.
    pub(super) fn check_in_place(&self, block: &Block<'_>, height: u32) -> Result<(), Reject> {
        for (index, transaction) in block.transactions.iter().enumerate() {
            check_at_height(transaction, &self.params, height)?;
            if !is_final(transaction, height, block.header.time) {
                let detail = format!("transaction {index} is locked for longer");
                return Err(Reject::invalid("bad-txns-nonfinal", detail));
            }
        }
        let claimed = block
            .transactions
            .first()
            .is_some_and(|coinbase| claims_height(coinbase, height));
        if height > UNCLAIMED_HEIGHTS && !claimed {
            let detail = format!("the coinbase script must begin with the height {height}");
            return Err(Reject::invalid("bad-cb-height", detail));
        }
        Ok(())
    }
}

/// Rules that need nothing but the block.
fn check_block(block: &Block<'_>, txids: &[Hash256]) -> Result<(), Reject> {
    let merkle = merkle_root(txids);
    if merkle.root != block.header.merkle_root {
        let (found, root) = (block.header.merkle_root, merkle.root);
        let detail = format!("the header has merkle root {found}, the transactions have {root}");
        return Err(Reject::invalid("bad-txnmrklroot", detail));
    }
    if merkle.mutated {
        let detail = "the list of transactions repeats its end";
        return Err(Reject::invalid("bad-txns-duplicate", detail));
    }
    let Some((coinbase, rest)) = block.transactions.split_first() else {
        return Err(Reject::invalid("bad-blk-length", "it has no transactions"));
    };
    if !coinbase.is_coinbase() {
        let detail = "the first transaction must be a coinbase";
        return Err(Reject::invalid("bad-cb-missing", detail));
    }
    if rest.iter().any(Transaction::is_coinbase) {
        let detail = "only the first transaction may be a coinbase";
        return Err(Reject::invalid("bad-cb-multiple", detail));
    }
    for transaction in &block.transactions {
        check_alone(transaction)?;
    }
    let operations = block
        .transactions
        .iter()
        .map(legacy_signature_operations)
        .fold(0, u32::saturating_add);
    if operations > MAX_BLOCK_SIGNATURE_OPERATIONS {
        let detail =
            format!("{operations} signature operations, at most {MAX_BLOCK_SIGNATURE_OPERATIONS}");
        return Err(Reject::invalid("bad-blk-sigops", detail));
    }
    Ok(())
}
