//! What a block rests on, asked of a chain node and of a plane. Neither is believed where the bytes can be checked: a
//! transaction counts when it hashes to its id.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    Address, Block, ChainParams, Hash256, OutPoint, Transaction, fluxnode::Payee,
};

use crate::{
    api::{self, Client, nodes, tiers::NextPayee},
    chain_rpc::Node,
    error::Error,
    exit::Exit,
    verify::block::{Ancestor, Known, KnownOutput, Wanted, height_of, wanted},
};

/// Fills in whatever somebody knows.
pub(super) async fn gather(
    params: &ChainParams,
    block: &Block<'_>,
    node: Option<&Node>,
    client: Option<&Client>,
    known: &mut Known,
) -> Result<(), Error> {
    let wanted = wanted(params, block);
    let height = height_of(params, block);
    if let Some(node) = node {
        headers(node, &wanted, known).await?;
    }
    outputs(node, client, &wanted, known).await?;
    if let Some(height) = height {
        keys(node, client, &wanted, height, known).await?;
        if let Some(client) = client {
            known.payees = payees(client, height).await?;
        }
    }
    Ok(())
}

async fn headers(node: &Node, wanted: &Wanted, known: &mut Known) -> Result<(), Error> {
    if let Some(parent) = wanted.parent {
        known.parent = ancestor(node, &parent).await?;
    }
    if let Some(height) = wanted.window_start {
        let hash = unknown(node.block_hash(height).await)?;
        if let Some(hash) = hash.and_then(|text| text.parse().ok()) {
            known.window_start = ancestor(node, &hash).await?;
        }
    }
    Ok(())
}

async fn ancestor(node: &Node, hash: &Hash256) -> Result<Option<Ancestor>, Error> {
    let header = unknown(node.header(&hash.to_string()).await)?;
    Ok(header.and_then(|header| {
        Some(Ancestor {
            hash: *hash,
            time: header.time?,
            bits: u32::from_str_radix(header.bits.as_deref()?, 16).ok()?,
        })
    }))
}

async fn outputs(
    node: Option<&Node>,
    client: Option<&Client>,
    wanted: &Wanted,
    known: &mut Known,
) -> Result<(), Error> {
    for txid in &wanted.transactions {
        let text = txid.to_string();
        let mut found = None;
        if let Some(node) = node {
            found = unknown(node.transaction(&text).await)?.map(|placed| placed.hex);
        }
        if let (None, Some(client)) = (&found, client) {
            found = missing(client.transaction(&text).await)?.map(|one| one.raw);
        }
        let bytes = found
            .and_then(|hex| hex::decode(hex).ok())
            .unwrap_or_default();
        let Ok(transaction) = Transaction::parse(&bytes) else {
            continue;
        };
        if transaction.txid() != *txid {
            continue;
        }
        for (n, output) in (0..).zip(transaction.outputs()) {
            let value = output.value;
            let script = output.script.to_owned();
            known
                .outputs
                .insert(OutPoint::new(*txid, n), KnownOutput { value, script });
        }
    }
    Ok(())
}

/// Keys of nodes from today's lists. A node that was started again since may have had another key then, so an entry that
/// is younger than the block is left out.
async fn keys(
    node: Option<&Node>,
    client: Option<&Client>,
    wanted: &Wanted,
    height: u32,
    known: &mut Known,
) -> Result<(), Error> {
    let mut open: Vec<OutPoint> = wanted.nodes.iter().copied().collect();
    open.extend(wanted.producer);
    if open.is_empty() {
        return Ok(());
    }
    if let Some(node) = node {
        for listed in node.fluxnodes().await? {
            let Some(collateral) = listed.collateral().filter(|out| open.contains(out)) else {
                continue;
            };
            if let (Some(key), true) = (listed.key(), listed.added_height < height) {
                known.node_keys.insert(collateral, key);
            }
        }
    }
    if let Some(client) = client {
        for collateral in open {
            if known.node_keys.contains_key(&collateral) {
                continue;
            }
            let outpoint = api::OutPoint {
                txid: collateral.txid.to_string(),
                vout: collateral.n,
            };
            let Some(listed) = missing(client.fluxnode(&outpoint).await)? else {
                continue;
            };
            if let (Ok(key), true) = (listed.node_pubkey.parse(), listed.added_height < height) {
                known.node_keys.insert(collateral, key);
            }
        }
    }
    if let Some(producer) = wanted.producer {
        let listed = known.node_keys.get(&producer).copied();
        known.producer = known.producer.or(listed);
    }
    Ok(())
}

/// Whose turn it was, where the plane still has the list before the block.
async fn payees(client: &Client, height: u32) -> Result<Option<Vec<Payee>>, Error> {
    let Some(before) = height.checked_sub(1) else {
        return Ok(None);
    };
    let answer = match client.next_payees(Some(before), None, 1).await {
        Ok(answer) => answer,
        // The list of an old block is not kept by every plane.
        Err(api::Error::Problem(problem)) if matches!(problem.status, 400 | 404 | 409) => {
            return Ok(None);
        }
        Err(err) => return Err(err.into()),
    };
    let mut payees: Vec<Payee> = Vec::new();
    for next in answer.items.iter().filter(|next| next.height == height) {
        match payee(next) {
            Some(payee) => payees.push(payee),
            None => return Ok(None),
        }
    }
    payees.sort_by_key(|payee| payee.tier.number());
    Ok(Some(payees))
}

/// `None` when the node is paid by a script without an address, or something is not what it should be.
fn payee(next: &NextPayee) -> Option<Payee> {
    let address: Address = next.payment_address.as_deref()?.parse().ok()?;
    let tier = match next.tier {
        nodes::Tier::Cumulus => Tier::Cumulus,
        nodes::Tier::Nimbus => Tier::Nimbus,
        nodes::Tier::Stratus => Tier::Stratus,
        nodes::Tier::Other(_) => return None,
    };
    Some(Payee {
        tier,
        collateral: OutPoint::new(next.collateral.txid.parse().ok()?, next.collateral.vout),
        script: address.script(),
        amount: Sat::new(next.amount.units),
    })
}

/// What a chain node does not know is nothing to fail for.
fn unknown<T>(answer: Result<T, crate::chain_rpc::Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(err) if err.is_unknown() => Ok(None),
        Err(err) => Err(err.into()),
    }
}

/// What a plane does not know is nothing to fail for.
fn missing<T>(answer: Result<T, api::Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(err) if err.exit() == Exit::NotFound => Ok(None),
        Err(err) => Err(err.into()),
    }
}
