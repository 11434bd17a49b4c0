//! The rules of a single transaction that need no coins (fluxd `CheckTransactionWithoutProofVerification` and the first part of
//! `ContextualCheckTransaction`). What fluxnode transactions need beside these is the business of the node lists.

use std::collections::BTreeSet;

use fluxplane_core::{Sat, money::SAT_PER_FLUX};
use fluxplane_flux_chain::{
    ChainParams, OutPoint, Transaction,
    encode::Sink as _,
    params::Upgrade,
    tx::{SAPLING_GROUP, Transfer},
};

use crate::chain::Reject;

/// The most one amount may be (fluxd `src/amount.h`, `MAX_MONEY`).
const MAX_MONEY: i64 = 440_000_000 * SAT_PER_FLUX;

/// The largest transaction (fluxd `MAX_TX_SIZE_AFTER_SAPLING`, `MAX_TX_SIZE_BEFORE_SAPLING`).
const MAX_SIZE: usize = 2_000_000;
const MAX_SIZE_BEFORE_SAPLING: usize = 100_000;

/// Expiry heights from here on are refused (fluxd `TX_EXPIRY_HEIGHT_THRESHOLD`).
pub(crate) const EXPIRY_THRESHOLD: u32 = 500_000_000;

/// Lock times below are heights, from here on they are moments (fluxd `LOCKTIME_THRESHOLD`).
const LOCK_TIME_THRESHOLD: u32 = 500_000_000;

/// The bounds of a coinbase script in bytes.
const COINBASE_SCRIPT: std::ops::RangeInclusive<usize> = 2..=100;

/// Rules that need nothing but the transaction.
pub(crate) fn check_alone(transaction: &Transaction<'_>) -> Result<(), Reject> {
    let Some(transfer) = transaction.as_transfer() else {
        return check_size(transaction);
    };
    check_version(transaction, transfer)?;
    if transfer.inputs.is_empty() && !has_shielded_source(transfer) {
        return Err(Reject::invalid("bad-txns-vin-empty", "it spends nothing"));
    }
    if transfer.outputs.is_empty() && !has_shielded_sink(transfer) {
        return Err(Reject::invalid("bad-txns-vout-empty", "it pays nobody"));
    }
    check_size(transaction)?;
    check_amounts(transfer)?;
    check_inputs_once(transfer)?;
    check_coinbase_form(transaction, transfer)
}

fn check_size(transaction: &Transaction<'_>) -> Result<(), Reject> {
    let size = transaction.size();
    if size > MAX_SIZE {
        let detail = format!("it has {size} bytes, at most {MAX_SIZE} are allowed");
        return Err(Reject::invalid("bad-txns-oversize", detail));
    }
    Ok(())
}

fn check_version(transaction: &Transaction<'_>, transfer: &Transfer<'_>) -> Result<(), Reject> {
    if !transaction.is_overwintered() && transaction.version() < 1 {
        let detail = "version 0 does not exist";
        return Err(Reject::invalid("bad-txns-version-too-low", detail));
    }
    match transfer.expiry_height {
        Some(height) if height >= EXPIRY_THRESHOLD => {
            let detail = format!("expiry height {height} must be below {EXPIRY_THRESHOLD}");
            Err(Reject::invalid("bad-tx-expiry-height-too-high", detail))
        }
        Some(_) | None => Ok(()),
    }
}

fn has_shielded_source(transfer: &Transfer<'_>) -> bool {
    let spends = transfer.sapling.as_ref();
    has_join_splits(transfer) || spends.is_some_and(|part| part.spends().len() > 0)
}

fn has_shielded_sink(transfer: &Transfer<'_>) -> bool {
    let outputs = transfer.sapling.as_ref();
    has_join_splits(transfer) || outputs.is_some_and(|part| part.outputs().len() > 0)
}

fn has_join_splits(transfer: &Transfer<'_>) -> bool {
    transfer
        .join_splits
        .as_ref()
        .is_some_and(|part| !part.is_empty())
}

fn check_amounts(transfer: &Transfer<'_>) -> Result<(), Reject> {
    let mut total = 0_i64;
    for (n, output) in transfer.outputs.iter().enumerate() {
        let value = output.value.get();
        if value < 0 {
            let detail = format!("output {n} pays {} FLUX", output.value);
            return Err(Reject::invalid("bad-txns-vout-negative", detail));
        }
        if value > MAX_MONEY {
            let detail = format!("output {n} pays {} FLUX, more than can be", output.value);
            return Err(Reject::invalid("bad-txns-vout-toolarge", detail));
        }
        total += value;
        if total > MAX_MONEY {
            let detail = format!("the outputs up to {n} pay {} FLUX", Sat::new(total));
            return Err(Reject::invalid("bad-txns-txouttotal-toolarge", detail));
        }
    }
    let balance = transfer
        .sapling
        .as_ref()
        .map_or(0, |part| part.value_balance);
    let balanced = transfer
        .sapling
        .as_ref()
        .is_some_and(|part| part.spends().len() + part.outputs().len() > 0);
    if balance != 0 && !balanced {
        let detail = format!("value balance {balance} without shielded spends or outputs");
        return Err(Reject::invalid("bad-txns-valuebalance-nonzero", detail));
    }
    if transfer.value_out().is_none() {
        let detail = "what leaves the transparent pool is outside the money range";
        return Err(Reject::invalid("bad-txns-txouttotal-toolarge", detail));
    }
    if transfer.shielded_value_in().is_none() {
        let detail = "what comes back from the shielded pools is outside the money range";
        return Err(Reject::invalid("bad-txns-txintotal-toolarge", detail));
    }
    Ok(())
}

fn check_inputs_once(transfer: &Transfer<'_>) -> Result<(), Reject> {
    let mut seen = BTreeSet::new();
    for input in &transfer.inputs {
        if !seen.insert(input.previous) {
            let detail = format!("it spends {} twice", input.previous);
            return Err(Reject::invalid("bad-txns-inputs-duplicate", detail));
        }
    }
    Ok(())
}

fn check_coinbase_form(
    transaction: &Transaction<'_>,
    transfer: &Transfer<'_>,
) -> Result<(), Reject> {
    if !transaction.is_coinbase() {
        let null = |outpoint: OutPoint| outpoint.is_null();
        if transfer.inputs.iter().any(|input| null(input.previous)) {
            let detail = "an input refers to nothing";
            return Err(Reject::invalid("bad-txns-prevout-null", detail));
        }
        return Ok(());
    }
    if has_join_splits(transfer) {
        let detail = "a coinbase has no JoinSplits";
        return Err(Reject::invalid("bad-cb-has-joinsplits", detail));
    }
    let length = transfer
        .inputs
        .first()
        .map_or(0, |input| input.script.len());
    if !COINBASE_SCRIPT.contains(&length) {
        let detail = format!("the coinbase script has {length} bytes, 2 to 100 are allowed");
        return Err(Reject::invalid("bad-cb-length", detail));
    }
    Ok(())
}

/// Rules of the formats and upgrades that are active at a height.
pub(crate) fn check_at_height(
    transaction: &Transaction<'_>,
    params: &ChainParams,
    height: u32,
) -> Result<(), Reject> {
    let Some(transfer) = transaction.as_transfer() else {
        return Ok(());
    };
    let sapling = params.is_active(Upgrade::Acadia, height);
    if !sapling {
        if transaction.is_overwintered() {
            let detail = "the format is not active yet; write version 1";
            return Err(Reject::invalid("tx-overwinter-not-active", detail));
        }
        let size = transaction.size();
        if size > MAX_SIZE_BEFORE_SAPLING {
            let detail = format!("it has {size} bytes, at most {MAX_SIZE_BEFORE_SAPLING}");
            return Err(Reject::invalid("bad-txns-oversize", detail));
        }
        return check_shielded(transaction, transfer, params, height);
    }
    if !transaction.is_overwintered() {
        if transaction.version() >= 4 {
            let detail = "version 4 needs the overwintered flag";
            return Err(Reject::invalid("tx-overwintered-flag-not-set", detail));
        }
        let detail = "ordinary transactions are version 4 since Sapling";
        return Err(Reject::invalid("tx-sapling-active", detail));
    }
    if transfer.version_group != Some(SAPLING_GROUP) {
        let detail = "ordinary transactions have version group 892f2085 since Sapling";
        return Err(Reject::invalid("bad-sapling-tx-version-group-id", detail));
    }
    if is_expired(transaction, height) {
        let expiry = transfer.expiry_height.unwrap_or_default();
        let detail = format!("it could be mined up to height {expiry}, this is {height}");
        return Err(Reject::invalid("tx-sapling-expired", detail));
    }
    check_shielded(transaction, transfer, params, height)
}

/// This chain has no shielded coins: nothing may enter the pools since FLUX, so nothing can leave them.
fn check_shielded(
    transaction: &Transaction<'_>,
    transfer: &Transfer<'_>,
    params: &ChainParams,
    height: u32,
) -> Result<(), Reject> {
    let enters = has_shielded_sink(transfer);
    if enters && params.is_active(Upgrade::Flux, height) && !transaction.inputs().is_empty() {
        let detail = "nothing may enter the shielded pools any more";
        return Err(Reject::invalid(
            "bad-txns-fluxrebrand-vprivacy-not-empty",
            detail,
        ));
    }
    if has_join_splits(transfer) {
        let detail = "no JoinSplit can be valid on a chain without shielded coins";
        return Err(Reject::invalid(
            "bad-txns-joinsplit-verification-failed",
            detail,
        ));
    }
    if enters || has_shielded_source(transfer) {
        let detail = "no shielded spend can be valid on a chain without shielded coins";
        return Err(Reject::invalid(
            "bad-txns-sapling-spend-description-invalid",
            detail,
        ));
    }
    Ok(())
}

/// Whether a transaction can no longer be mined at a height (fluxd `IsExpiredTx`).
pub(crate) fn is_expired(transaction: &Transaction<'_>, height: u32) -> bool {
    transaction
        .as_transfer()
        .filter(|transfer| !transfer.is_coinbase())
        .and_then(|transfer| transfer.expiry_height)
        .is_some_and(|expiry| expiry != 0 && height > expiry)
}

/// Whether the lock time lets a transaction into a block at this height and time (fluxd `IsFinalTx`).
pub(crate) fn is_final(transaction: &Transaction<'_>, height: u32, time: u32) -> bool {
    let Some(transfer) = transaction.as_transfer() else {
        return true;
    };
    let lock_time = transfer.lock_time;
    let passed = if lock_time < LOCK_TIME_THRESHOLD {
        lock_time < height
    } else {
        lock_time < time
    };
    passed
        || transfer
            .inputs
            .iter()
            .all(|input| input.sequence == u32::MAX)
}

/// Signature operations by the old count: of the scripts as they stand (fluxd `GetLegacySigOpCount`).
pub(crate) fn legacy_signature_operations(transaction: &Transaction<'_>) -> u32 {
    let inputs = transaction.inputs().iter().map(|input| input.script);
    let outputs = transaction.outputs().iter().map(|output| output.script);
    inputs
        .chain(outputs)
        .map(|script| script.signature_operations(false))
        .fold(0, u32::saturating_add)
}

/// Whether a coinbase script begins with its height, as every one above 20 must (BIP 34).
pub(crate) fn claims_height(coinbase: &Transaction<'_>, height: u32) -> bool {
    let mut expected = Vec::new();
    let mut number = u64::from(height).to_le_bytes().to_vec();
    while number.last() == Some(&0) {
        number.pop();
    }
    // The top bit is the sign.
    if number.last().is_some_and(|top| top & 0x80 != 0) {
        number.push(0);
    }
    expected.put_var_bytes(&number);
    coinbase
        .inputs()
        .first()
        .is_some_and(|input| input.script.as_bytes().starts_with(&expected))
}
