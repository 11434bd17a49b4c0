//! One line of an invoice: leaf, owner, path, root. Pure, offline.

use chrono::{DateTime, Utc};
use fluxplane_core::id::EpochNumber;
use fluxplane_ledger::{
    account::Party,
    settlement::{
        Anchor, Hash32, InvoiceLine as LeafLine, Leaf, LineKind, Proof, Receipt, Salt,
        commitment::Role,
    },
};

use super::{Report, evidence};
use crate::api::billing::{Invoice, InvoiceLine, LineProof};

/// What checking a line found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCheck {
    pub report: Report,
    /// What the leaf says, when it could be read.
    pub line: Option<LeafLine>,
    /// What must stand on the chain, when the proof could be read.
    pub anchor: Option<Anchor>,
}

/// Checks a proof against its own root. `shown` is what the invoice says the line is; `owner` the wallet address it is
/// billed to.
pub fn check_line(
    proof: &LineProof,
    shown: Option<(&Invoice, &InvoiceLine)>,
    owner: Option<&str>,
) -> LineCheck {
    let mut report = Report::default();
    let leaf = read_leaf(proof);
    let line = leaf.as_ref().ok().map(|(_, line)| *line);
    match &leaf {
        Ok((_, line)) => report.passed(
            "leaf",
            format!(
                "line {} of invoice {}, {} {}",
                line.number, line.invoice, line.amount, line.asset
            ),
        ),
        Err(why) => report.failed("leaf", why.clone()),
    }
    if let (Some(line), Some((invoice, shown))) = (&line, shown) {
        report.judged("invoice", same_line(line, invoice, shown));
    }
    if let Some(line) = &line {
        match line.kind {
            LineKind::Usage => report.judged("evidence", evidence::check(line, &proof.evidence)),
            // What is given back rests on the lines it takes back, not on seconds of its own.
            LineKind::Refund => {}
        }
        match owner {
            Some(owner) => report.judged("owner", owned(line, &proof.owner_salt, owner)),
            None => {
                report.not_checked("owner", "nobody said whose line it should be; name --owner");
            }
        }
    }
    let anchor = read_anchor(proof);
    match (&leaf, &anchor) {
        (Ok((bytes, _)), Ok(anchor)) => report.judged("path", path(proof, bytes, anchor)),
        (_, Err(why)) => report.failed("path", why.clone()),
        (Err(_), Ok(_)) => report.not_checked("path", "there is no leaf to begin with"),
    }
    LineCheck {
        report,
        line,
        anchor: anchor.ok(),
    }
}

fn read_leaf(proof: &LineProof) -> Result<(Vec<u8>, LeafLine), String> {
    let bytes =
        hex::decode(&proof.leaf).map_err(|err| format!("the leaf is not hexadecimal: {err}"))?;
    let leaf = Leaf::decode(&bytes).map_err(|err| err.to_string())?;
    let line = match leaf {
        Leaf::Line(line) => line,
        Leaf::Header(_) => return Err("the leaf is the header of an epoch, not a line".to_owned()),
        Leaf::Payout(_) => return Err("the leaf is a payout, not a line of an invoice".to_owned()),
    };
    if line.epoch.0 != proof.epoch {
        return Err(format!(
            "the leaf is of epoch {}, the proof of epoch {}",
            line.epoch, proof.epoch
        ));
    }
    Ok((bytes, line))
}

fn read_anchor(proof: &LineProof) -> Result<Anchor, String> {
    let root: Hash32 = proof
        .root
        .parse()
        .map_err(|_| format!("`{}` is no root", proof.root))?;
    let count = u32::try_from(proof.tree_size)
        .map_err(|_| format!("{} leaves are more than an anchor counts", proof.tree_size))?;
    Ok(Anchor {
        epoch: EpochNumber(proof.epoch),
        root,
        count,
    })
}

fn path(proof: &LineProof, leaf: &[u8], anchor: &Anchor) -> Result<String, String> {
    let path = proof
        .path
        .iter()
        .map(|hash| hash.parse::<Hash32>().map_err(|err| err.to_string()));
    let index = u32::try_from(proof.leaf_index)
        .map_err(|_| format!("there is no leaf {} in an epoch", proof.leaf_index))?;
    let receipt = Receipt {
        leaf: leaf.to_vec(),
        proof: Proof {
            index,
            size: anchor.count,
            path: path.collect::<Result<_, _>>()?,
        },
    };
    receipt.verify(anchor).map_err(|err| chain(&err))?;
    Ok(format!(
        "leaf {index} of {} leads over {} hashes to root {}",
        anchor.count,
        proof.path.len(),
        anchor.root
    ))
}

/// Whether the invoice shows what the leaf says.
fn same_line(leaf: &LeafLine, invoice: &Invoice, shown: &InvoiceLine) -> Result<String, String> {
    let uuid = |id: Option<uuid::Uuid>| id.unwrap_or_default().to_string();
    let facts = [
        ("epoch", leaf.epoch.to_string(), invoice.epoch.to_string()),
        (
            "invoice",
            leaf.invoice.to_string(),
            invoice.invoice_id.to_string(),
        ),
        ("number", leaf.number.to_string(), shown.number.to_string()),
        (
            "application",
            leaf.app.to_string(),
            shown.app_id.to_string(),
        ),
        (
            "instance",
            leaf.instance.to_string(),
            uuid(shown.instance_id),
        ),
        ("node", leaf.node.to_string(), uuid(shown.node_id)),
        ("quote", leaf.quote.to_string(), uuid(shown.quote_id)),
        (
            "seconds",
            leaf.seconds.to_string(),
            shown.seconds.to_string(),
        ),
        ("from", time(leaf.from), whole_seconds(shown.from)),
        ("to", time(leaf.to), whole_seconds(shown.to)),
        (
            "amount",
            leaf.amount.to_string(),
            shown.amount.amount.clone(),
        ),
        (
            "amount in sat",
            leaf.amount.get().to_string(),
            shown.amount.units.to_string(),
        ),
        (
            "currency",
            leaf.asset.to_string(),
            shown.amount.currency.clone(),
        ),
    ];
    match facts.iter().find(|(_, leaf, shown)| leaf != shown) {
        Some((what, leaf, shown)) => Err(format!(
            "{what}: the invoice shows {shown}, the leaf says {leaf}"
        )),
        None => Ok("the invoice shows what the leaf says".to_owned()),
    }
}

fn time(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .map_or_else(|| seconds.to_string(), |at| at.to_rfc3339())
}

/// Leaves count in whole seconds.
fn whole_seconds(at: DateTime<Utc>) -> String {
    DateTime::from_timestamp(at.timestamp(), 0)
        .unwrap_or(at)
        .to_rfc3339()
}

/// Whether the line is committed to that owner.
fn owned(leaf: &LeafLine, salt: &str, owner: &str) -> Result<String, String> {
    let name: Party = owner.parse().map_err(|err| format!("{err}"))?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(salt, &mut bytes)
        .map_err(|err| format!("the salt of the commitment is not 64 hexadecimal digits: {err}"))?;
    if leaf
        .customer
        .opens_to(Role::Customer, &Salt::new(bytes), &name)
    {
        Ok(format!("the commitment opens to {owner}"))
    } else {
        Err(format!(
            "the commitment does not open to {owner}; the line is somebody else's, or the salt is wrong"
        ))
    }
}

/// An error with its sources.
pub(super) fn chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut next = err.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
