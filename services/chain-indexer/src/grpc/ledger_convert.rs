//! Between wire and domain, for outputs and balances.

use fluxplane_flux_chain::{
    Address, OutPoint, ScriptBuf, address::AddressSpace, script::MAX_SCRIPT_SIZE,
};
use fluxplane_proto::{
    chain_indexer::v1::{self as wire, owner::Name},
    common::v1 as common,
};

use super::convert::{address_of, hash, outpoint_to_wire, timestamp};
use crate::{
    app::{
        Error,
        balances::{ObservedSupply, Owner},
    },
    db::ledger::{
        accounts::{Entry, Summary},
        outputs::{ShownOutput, Unspent},
    },
};

/// Digits of a script that a message repeats: messages travel in headers, which have less room than a script may have digits.
const SHOWN_DIGITS: usize = 120;

pub(super) fn owner(owner: Option<wire::Owner>, space: AddressSpace) -> Result<Owner, Error> {
    match owner.and_then(|owner| owner.name) {
        Some(Name::Address(text)) => {
            let address = Address::parse_in(&text, space).map_err(|err| {
                let rule = format!("it is no address of this network: {err}");
                let remedy = format!("use an address of {space}");
                Error::invalid("owner.address", &text, rule, remedy)
            })?;
            Ok(Owner {
                script: address.script(),
                name: text,
            })
        }
        Some(Name::ScriptHex(text)) => Ok(Owner {
            script: script(&text)?,
            name: text.chars().take(SHOWN_DIGITS).collect(),
        }),
        None => {
            let rule = "an owner is named by an address or by a script";
            Err(Error::invalid("owner", "", rule, "set one of them"))
        }
    }
}

fn script(text: &str) -> Result<ScriptBuf, Error> {
    let field = "owner.script_hex";
    if text.len() > 2 * MAX_SCRIPT_SIZE {
        let rule = format!("a script has at most {MAX_SCRIPT_SIZE} bytes");
        let remedy = "copy it from the output that pays it";
        return Err(Error::invalid(field, text, rule, remedy));
    }
    let bytes = hex::decode(text).map_err(|err| {
        let rule = format!("a script is written in hexadecimal digits: {err}");
        Error::invalid(field, text, rule, "copy it from the output that pays it")
    })?;
    Ok(ScriptBuf::new(bytes))
}

pub(super) fn outpoint(outpoint: Option<common::OutPoint>) -> Result<OutPoint, Error> {
    let outpoint = outpoint.ok_or_else(|| {
        let rule = "an output is named by its transaction and its index";
        Error::invalid("outpoint", "", rule, "set txid and vout")
    })?;
    let txid = hash("outpoint.txid", &outpoint.txid)?;
    Ok(OutPoint::new(txid, outpoint.vout))
}

pub(super) fn summary(summary: &Summary, space: AddressSpace) -> wire::AddressSummary {
    wire::AddressSummary {
        address: address_of(summary.script.as_script(), space),
        script_hex: hex::encode(&*summary.script),
        balance_sat: summary.balance.get(),
        received_sat: summary.received.get(),
        sent_sat: summary.sent.get(),
        transaction_count: summary.transactions,
        first_height: summary.first_height,
        last_height: summary.last_height,
    }
}

pub(super) fn entry(entry: &Entry) -> wire::AddressTransaction {
    wire::AddressTransaction {
        txid: entry.txid.to_string(),
        height: entry.key.height,
        position: entry.key.position,
        block_time: Some(timestamp(entry.block_time)),
        received_sat: entry.received.get(),
        sent_sat: entry.sent.get(),
    }
}

pub(super) fn unspent(output: &Unspent) -> wire::UnspentOutput {
    wire::UnspentOutput {
        outpoint: Some(outpoint_to_wire(&output.outpoint)),
        value_sat: output.value.get(),
        height: output.key.height,
        coinbase: output.key.position == 0,
    }
}

pub(super) fn output(output: &ShownOutput, space: AddressSpace) -> wire::LedgerOutput {
    wire::LedgerOutput {
        outpoint: Some(outpoint_to_wire(&output.outpoint)),
        value_sat: output.value.get(),
        address: address_of(output.script.as_script(), space),
        script_hex: hex::encode(&*output.script),
        height: output.height,
        spent_by: output.spent.map(|spend| wire::Spend {
            txid: spend.txid.to_string(),
            vin: spend.vin,
            height: spend.height,
        }),
    }
}

pub(super) fn supply(supply: &ObservedSupply) -> wire::GetSupplyResponse {
    let counted = supply.counted.after;
    wire::GetSupplyResponse {
        height: supply.block.block.height,
        block_hash: supply.block.block.hash.to_string(),
        block_time: Some(timestamp(supply.block.time)),
        transparent_sat: counted.transparent,
        shielded_sat: counted.shielded,
        // Both come from amounts of at most 440 million FLUX whose sums were checked.
        total_sat: counted.transparent.saturating_add(counted.shielded),
        coinbase_sat: supply.counted.coinbase,
        fees_sat: supply.counted.fees,
        scheduled_sat: supply.scheduled.get(),
    }
}
