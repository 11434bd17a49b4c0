//! Between wire and domain.

use chrono::{DateTime, Utc};
use fluxplane_core::{Tier, error::Violation};
use fluxplane_flux_chain::{
    Address, Hash256, OutPoint, Script,
    address::AddressSpace,
    fluxnode::{NodeEntry, Status},
    tx::TxOut,
};
use fluxplane_proto::{chain_indexer::v1 as wire, common::v1 as common};
use prost_types::Timestamp;

use crate::{
    app::{
        Error,
        queries::{BlockKey, StoredBlock},
    },
    domain::{
        Payment,
        memo::MessageHash,
        payment::{PaidOutput, Place},
    },
};

pub fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

pub fn outpoint_to_wire(outpoint: &OutPoint) -> common::OutPoint {
    common::OutPoint {
        txid: outpoint.txid.to_string(),
        vout: outpoint.n,
    }
}

pub fn fluxnode_to_wire(
    entry: &NodeEntry,
    rank: Option<u32>,
    space: AddressSpace,
) -> wire::Fluxnode {
    wire::Fluxnode {
        collateral: Some(outpoint_to_wire(&entry.collateral)),
        tier: tier_to_wire(entry.tier).into(),
        status: status_to_wire(entry.status).into(),
        node_pubkey: entry.node_key.to_string(),
        payment_address: address_of(entry.payment_script.as_script(), space),
        ip: entry.ip.to_string(),
        added_height: entry.added_height,
        confirmed_height: entry.confirmed_height,
        last_confirmed_height: entry.last_confirmed_height,
        last_paid_height: entry.last_paid_height,
        rank,
        amount_sat: entry.amount.get(),
        added_at: None,
        last_paid_at: None,
    }
}

pub fn payment_to_wire(payment: &Payment, place: &Place, confirmations: u32) -> wire::Payment {
    let (height, block_hash) = match place {
        Place::Mined(block) => (block.height, block.hash.to_string()),
        Place::Mempool | Place::Dropped(_) => (0, String::new()),
    };
    wire::Payment {
        txid: payment.txid.to_string(),
        message_hash: payment
            .memo
            .message()
            .map_or_else(String::new, |hash| hash.to_string()),
        outputs: payment.outputs.iter().map(paid_to_wire).collect(),
        total_sat: payment.total.get(),
        height,
        block_hash,
        confirmations,
    }
}

fn paid_to_wire(output: &PaidOutput) -> wire::PaidOutput {
    wire::PaidOutput {
        vout: output.vout,
        address: output.address.to_string(),
        amount_sat: output.amount.get(),
    }
}

pub(super) fn block_to_wire(block: &StoredBlock, space: AddressSpace) -> wire::Block {
    wire::Block {
        height: block.block.height,
        hash: block.block.hash.to_string(),
        previous_hash: block.previous.to_string(),
        time: Some(timestamp(block.time)),
        size_bytes: block.size_bytes,
        txids: block.txids.iter().map(Hash256::to_string).collect(),
        coinbase_outputs: block
            .with_coinbase(|coinbase| {
                let outputs = coinbase.outputs().iter();
                outputs.map(|out| output_to_wire(out, space)).collect()
            })
            .unwrap_or_default(),
    }
}

fn output_to_wire(output: &TxOut<'_>, space: AddressSpace) -> wire::Output {
    wire::Output {
        amount_sat: output.value.get(),
        address: address_of(output.script, space),
        script_hex: hex::encode(output.script.as_bytes()),
    }
}

/// Empty when the script has no address form.
pub(super) fn address_of(script: Script<'_>, space: AddressSpace) -> String {
    Address::of_script(script, space).map_or_else(String::new, |address| address.to_string())
}

pub(super) const fn tier_to_wire(tier: Tier) -> common::Tier {
    match tier {
        Tier::Cumulus => common::Tier::Cumulus,
        Tier::Nimbus => common::Tier::Nimbus,
        Tier::Stratus => common::Tier::Stratus,
    }
}

const fn status_to_wire(status: Status) -> wire::FluxnodeStatus {
    match status {
        Status::Started => wire::FluxnodeStatus::Started,
        Status::Dos => wire::FluxnodeStatus::Dos,
        Status::Confirmed => wire::FluxnodeStatus::Confirmed,
    }
}

/// `None` for all tiers.
pub(super) fn tier_from_wire(tier: i32) -> Result<Option<Tier>, Error> {
    let known = common::Tier::try_from(tier).map_err(|_| {
        Error::invalid(
            "tier",
            tier,
            "a tier is 1 (Cumulus), 2 (Nimbus) or 3 (Stratus)",
            "leave it out for all tiers",
        )
    })?;
    Ok(match known {
        common::Tier::Unspecified => None,
        common::Tier::Cumulus => Some(Tier::Cumulus),
        common::Tier::Nimbus => Some(Tier::Nimbus),
        common::Tier::Stratus => Some(Tier::Stratus),
    })
}

pub(super) fn block_key(key: Option<wire::get_block_request::Key>) -> Result<BlockKey, Error> {
    use wire::get_block_request::Key;
    match key {
        Some(Key::Height(height)) => Ok(BlockKey::Height(height)),
        Some(Key::Hash(text)) => hash("hash", &text).map(BlockKey::Hash),
        None => Err(Error::invalid(
            "key",
            "",
            "a block is named by its height or its hash",
            "set one of them",
        )),
    }
}

pub(super) fn hash(field: &'static str, text: &str) -> Result<Hash256, Error> {
    text.parse().map_err(|_| {
        let rule = "an id is 64 hexadecimal digits";
        Error::invalid(field, text, rule, "copy it as the explorer shows it")
    })
}

pub(super) fn message_hash(text: &str) -> Result<MessageHash, Error> {
    text.parse().map_err(|_| {
        let rule = "a message hash is 64 lower-case hexadecimal digits";
        let remedy = "use the hash that the registration or update gave";
        Error::invalid("message_hash", text, rule, remedy)
    })
}

pub(super) fn collateral(outpoint: Option<common::OutPoint>) -> Result<OutPoint, Error> {
    let outpoint = outpoint.ok_or_else(|| {
        let rule = "a fluxnode is named by its collateral";
        Error::invalid("collateral", "", rule, "set txid and vout")
    })?;
    let txid = hash("collateral.txid", &outpoint.txid)?;
    Ok(OutPoint::new(txid, outpoint.vout))
}

/// One violation of a request.
impl Error {
    pub(super) fn invalid(
        field: &'static str,
        value: impl std::fmt::Display,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Invalid(vec![Violation::new(field, value, rule, remedy)])
    }
}

/// A daemon, for people.
pub(super) fn source(source: crate::db::daemon::Stored) -> wire::Source {
    wire::Source {
        name: source.name,
        height: source.tip.map_or(0, |tip| tip.height),
        hash: source
            .tip
            .map_or_else(String::new, |tip| tip.hash.to_string()),
        problem: source.problem,
        agrees: source.agrees,
        seen_at: source.seen_at.map(timestamp),
    }
}
