//! Everything needed to check one line of an invoice offline.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use fluxplane_core::id::InvoiceId;
use fluxplane_ledger::{
    interval::{Interval, IntervalSet},
    settlement::{Hash32, Proof, Tree, tree::leaf_hash},
};
use sqlx::PgConnection;

use super::{Context, Error, queries::read_line};
use crate::{
    db::{self, epochs::Epoch},
    domain::epoch::EpochState,
};

/// Trees kept in memory; a tree of a million leaves has 64 MB.
const KEPT: usize = 4;

/// Leaves read per statement.
const BATCH: i64 = 20_000;

/// The trees that were asked for last. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Trees(Arc<Mutex<Kept>>);

/// By epoch, the oldest first.
type Kept = VecDeque<(u64, Arc<Tree>)>;

impl Trees {
    fn get(&self, epoch: u64) -> Option<Arc<Tree>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(number, _)| *number == epoch);
        found.map(|(_, tree)| Arc::clone(tree))
    }

    fn put(&self, epoch: u64, tree: Arc<Tree>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(number, _)| *number != epoch);
        kept.push_front((epoch, tree));
        kept.truncate(KEPT);
    }
}

/// A line, its proof, and what opens it.
#[derive(Debug, Clone)]
pub struct Proven {
    pub epoch: Epoch,
    pub leaf: Vec<u8>,
    pub proof: Proof,
    pub root: Hash32,
    pub previous_root: Hash32,
    /// Opens the commitment to the owner.
    pub salt: [u8; 32],
    /// The seconds behind the line; their hash is in the leaf.
    pub evidence: IntervalSet,
}

/// Proves a line of an invoice of this owner. Lines count from 1.
pub async fn prove_line(
    ctx: &Context,
    trees: &Trees,
    id: InvoiceId,
    line_number: u32,
    owner: &str,
) -> Result<Proven, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let invoice = db::invoices::get(&mut conn, id, owner).await?;
    let invoice = invoice.ok_or(Error::NoInvoice(id))?;
    let no_line = Error::NoLine {
        invoice: id,
        line: line_number,
    };
    if line_number == 0 || u64::from(line_number) > invoice.lines {
        return Err(no_line);
    }
    let index = invoice.first_leaf + u64::from(line_number) - 1;
    let leaf = db::leaves::range(&mut conn, invoice.epoch, index, 1)
        .await?
        .pop();
    let leaf = leaf.ok_or(no_line)?;
    let line = read_line(&leaf)?;
    let epoch = closed(&mut conn, invoice.epoch).await?;
    let window =
        Interval::new(line.from, line.to).map_err(|err| Error::Inconsistent(err.to_string()))?;
    let evidence =
        db::usage::counted(&mut conn, invoice.epoch, line.instance, line.node, window).await?;
    let tree = tree(&mut conn, trees, invoice.epoch).await?;
    let proof = u32::try_from(index)
        .ok()
        .and_then(|index| tree.prove(index));
    let missing =
        |what: &str| Error::Inconsistent(format!("epoch {} lacks its {what}", invoice.epoch));
    let root = epoch.root.ok_or_else(|| missing("root"))?;
    if tree.head().root != root {
        return Err(Error::Inconsistent(format!(
            "the leaves of epoch {} do not give its root",
            invoice.epoch
        )));
    }
    Ok(Proven {
        leaf,
        proof: proof.ok_or_else(|| missing("leaf"))?,
        root,
        previous_root: epoch
            .previous_root
            .ok_or_else(|| missing("previous root"))?,
        salt: invoice.salt,
        evidence,
        epoch,
    })
}

/// An epoch whose leaves are published.
pub async fn closed(conn: &mut PgConnection, number: u64) -> Result<Epoch, Error> {
    let epoch = db::epochs::get(conn, number)
        .await?
        .ok_or(Error::NoEpoch(number))?;
    match epoch.state {
        EpochState::Closed => Ok(epoch),
        EpochState::Open | EpochState::Ending | EpochState::Closing => {
            Err(Error::NotClosed(number))
        }
    }
}

async fn tree(conn: &mut PgConnection, trees: &Trees, epoch: u64) -> Result<Arc<Tree>, Error> {
    if let Some(tree) = trees.get(epoch) {
        return Ok(tree);
    }
    let mut hashes = Vec::new();
    loop {
        let first = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
        let batch = db::leaves::range(conn, epoch, first, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        hashes.extend(batch.iter().map(|leaf| leaf_hash(leaf)));
    }
    let made = tokio::task::spawn_blocking(move || Tree::new(hashes)).await;
    let made = made.map_err(|err| Error::Inconsistent(err.to_string()))?;
    let tree = Arc::new(made.map_err(|err| Error::Inconsistent(err.to_string()))?);
    trees.put(epoch, Arc::clone(&tree));
    Ok(tree)
}
