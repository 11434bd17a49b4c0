//! A whole epoch: its published leaves give the root again, and number and sums are what the header says. Pure; leaves come
//! one after the other, so that an epoch of millions takes no memory.

use fluxplane_core::Sat;
use fluxplane_ledger::settlement::{
    Anchor, EpochHeader, Hash32,
    epoch::{EpochError, recompute},
};
use serde::Deserialize;

use super::{Report, line::chain};
use crate::api::epochs::{Epoch, LeafLine};

/// What checking the leaves found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochCheck {
    pub report: Report,
    /// What the leaves give.
    pub computed: Option<(EpochHeader, Anchor)>,
}

/// What the plane says of the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEpoch {
    pub epoch: Epoch,
    /// Root of the epoch before, as its own record says; `None` for the first epoch.
    pub before: Option<String>,
}

/// Recomputes epoch `number` from lines of a download. `lines` hands out text lines, each `{"index", "leaf"}`; an `Err` in
/// it ends the check.
pub fn check_leaves<E: std::fmt::Display>(
    number: u64,
    lines: impl IntoIterator<Item = Result<String, E>>,
    published: Option<&PublishedEpoch>,
) -> EpochCheck {
    let mut report = Report::default();
    let mut fault = None;
    let mut expected_index = 0;
    let leaves = lines.into_iter().map_while(|line| {
        let leaf = line
            .map_err(|err| format!("the leaves broke off: {err}"))
            .and_then(|line| read(&line, expected_index));
        expected_index += 1;
        leaf.map_err(|why| fault = Some(why)).ok()
    });
    let computed = recompute(leaves);
    if let Some(why) = fault {
        report.failed("leaves", why);
        return EpochCheck {
            report,
            computed: None,
        };
    }
    let (header, anchor) = match computed {
        Ok(computed) => computed,
        Err(err) => {
            report.failed("leaves", explain(&err));
            return EpochCheck {
                report,
                computed: None,
            };
        }
    };
    report.judged("leaves", well_formed(number, &header, &anchor));
    if let Some(published) = published {
        report.judged(
            "published",
            as_published(&published.epoch, &header, &anchor),
        );
        report.judged("previous", continues(published, &header));
    }
    EpochCheck {
        report,
        computed: Some((header, anchor)),
    }
}

#[derive(Deserialize)]
struct BareLeaf {
    leaf: String,
}

fn read(line: &str, expected: u64) -> Result<Vec<u8>, String> {
    let text = line.trim();
    let wrong = |why: String| format!("line {} is no leaf: {why}", expected + 1);
    let leaf = match serde_json::from_str::<LeafLine>(text) {
        Ok(LeafLine { index, leaf }) if index == expected => leaf,
        Ok(LeafLine { index, .. }) => {
            return Err(format!("leaf {index} stands where leaf {expected} belongs"));
        }
        // Without an index the order of the lines counts.
        Err(_) => {
            serde_json::from_str::<BareLeaf>(text)
                .map_err(|err| wrong(err.to_string()))?
                .leaf
        }
    };
    hex::decode(leaf).map_err(|err| wrong(err.to_string()))
}

fn explain(err: &EpochError) -> String {
    chain(err)
}

fn well_formed(number: u64, header: &EpochHeader, anchor: &Anchor) -> Result<String, String> {
    if header.epoch.0 != number {
        return Err(format!(
            "the leaves are those of epoch {}, not {number}",
            header.epoch
        ));
    }
    Ok(format!(
        "{} leaves in order: {} lines of {} {asset}, {} payouts of {} {asset}; root {}",
        anchor.count,
        header.lines,
        header.charged,
        header.payouts,
        header.paid,
        anchor.root,
        asset = header.asset
    ))
}

fn as_published(epoch: &Epoch, header: &EpochHeader, anchor: &Anchor) -> Result<String, String> {
    let root = epoch.root.clone().unwrap_or_default();
    let facts = [
        ("root", anchor.root.to_string(), root),
        (
            "number of leaves",
            anchor.count.to_string(),
            epoch.leaf_count.to_string(),
        ),
        (
            "amount charged",
            header.charged.to_string(),
            Sat::new(epoch.charged.units).to_string(),
        ),
        (
            "amount paid out",
            header.paid.to_string(),
            Sat::new(epoch.paid_out.units).to_string(),
        ),
    ];
    match facts
        .iter()
        .find(|(_, computed, published)| computed != published)
    {
        Some((what, computed, published)) => Err(format!(
            "{what}: the plane says {published}, the leaves give {computed}"
        )),
        None => Ok("root, number and sums are what the plane says".to_owned()),
    }
}

/// Whether the epoch follows the one before.
fn continues(published: &PublishedEpoch, header: &EpochHeader) -> Result<String, String> {
    let own = header.previous_root;
    match &published.before {
        None if own == Hash32::ZERO => Ok("this is the first epoch".to_owned()),
        None => Err(format!(
            "the header names {own} as the root before, but there is no epoch before"
        )),
        Some(before) if own.to_string() == *before => Ok(format!(
            "continues epoch {} with root {before}",
            header.epoch.0.saturating_sub(1)
        )),
        Some(before) => Err(format!(
            "the header names {own} as the root before, epoch {} has {before}",
            header.epoch.0.saturating_sub(1)
        )),
    }
}
