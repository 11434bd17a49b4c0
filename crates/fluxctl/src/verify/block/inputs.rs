//! What transactions spend: may they, and is it enough.

use std::collections::BTreeMap;

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Block, ChainParams, Hash256, OutPoint, Script, Transaction,
    tx::Transfer,
    verify::{InputFault, InputVerifier},
};

use super::{Known, Report, count};

/// What the transactions leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spends {
    /// Fees of all of them; `None` when an output that is spent is not at hand.
    pub(super) fees: Option<Sat>,
}

/// How the inputs of a block turned out.
#[derive(Debug, Default)]
struct Tally {
    inputs: usize,
    verified: usize,
    /// Spend outputs that are not at hand.
    missing: usize,
    /// Spend outputs of a kind whose scripts are not run here.
    unsupported: usize,
    faults: Vec<String>,
    /// Transactions with shielded parts.
    shielded: usize,
    fees: Vec<Sat>,
    shortfalls: Vec<String>,
}

/// An output as this block or an earlier one makes it.
type Outputs<'b> = BTreeMap<OutPoint, (Sat, Script<'b>)>;

pub(super) fn check(
    params: &ChainParams,
    block: &Block<'_>,
    txids: &[Hash256],
    height: Option<u32>,
    known: &Known,
    report: &mut Report,
) -> Spends {
    let outputs = outputs(block, txids, known);
    let branch_id = params.branch_id(height.unwrap_or_default());
    let mut tally = Tally::default();
    for (transaction, txid) in block.transactions.iter().zip(txids) {
        let Some(transfer) = transaction.as_transfer() else {
            continue;
        };
        if transaction.is_coinbase() {
            continue;
        }
        signatures(transaction, txid, &outputs, branch_id, &mut tally);
        amounts(transfer, txid, &outputs, &mut tally);
        tally.shielded += usize::from(is_shielded(transfer));
    }
    say(&tally, report);
    let complete = tally.missing == 0 && tally.shortfalls.is_empty();
    let fees = complete.then(|| Sat::checked_sum(tally.fees)).flatten();
    Spends { fees }
}

/// Everything that can be spent here, as far as it is known. A transaction may spend from an earlier one of its block.
fn outputs<'b>(block: &'b Block<'_>, txids: &[Hash256], known: &'b Known) -> Outputs<'b> {
    let before = known.outputs.iter();
    let mut outputs: Outputs<'b> = before
        .map(|(out, known)| (*out, (known.value, known.script.as_script())))
        .collect();
    for (transaction, txid) in block.transactions.iter().zip(txids) {
        for (n, output) in (0..).zip(transaction.outputs()) {
            outputs.insert(OutPoint::new(*txid, n), (output.value, output.script));
        }
    }
    outputs
}

fn signatures(
    transaction: &Transaction<'_>,
    txid: &Hash256,
    outputs: &Outputs<'_>,
    branch_id: u32,
    tally: &mut Tally,
) {
    let inputs = transaction.inputs();
    tally.inputs += inputs.len();
    let verifier = match InputVerifier::new(transaction, branch_id) {
        Ok(verifier) => verifier,
        Err(err) => {
            tally.faults.push(format!("{txid}: {err}"));
            return;
        }
    };
    for (index, input) in inputs.iter().enumerate() {
        let Some((value, script)) = outputs.get(&input.previous) else {
            tally.missing += 1;
            continue;
        };
        match verifier.verify(index, *script, *value) {
            Ok(()) => tally.verified += 1,
            Err(InputFault::Unsupported) => tally.unsupported += 1,
            Err(fault) => tally
                .faults
                .push(format!("input {index} of {txid}: {fault}")),
        }
    }
}

/// What comes in must be at least what goes out.
fn amounts(transfer: &Transfer<'_>, txid: &Hash256, outputs: &Outputs<'_>, tally: &mut Tally) {
    let spent: Option<Vec<Sat>> = transfer
        .inputs
        .iter()
        .map(|input| Some(outputs.get(&input.previous)?.0))
        .collect();
    let Some(mut coming) = spent else {
        return;
    };
    coming.extend(transfer.shielded_value_in());
    let sums = Sat::checked_sum(coming).zip(transfer.value_out());
    match sums.and_then(|(coming, going)| coming.checked_sub(going)) {
        Some(fee) if !fee.is_negative() => tally.fees.push(fee),
        Some(short) => tally
            .shortfalls
            .push(format!("{txid} creates {} FLUX", Sat::new(-short.get()))),
        None => tally
            .shortfalls
            .push(format!("{txid} moves more than there can be")),
    }
}

fn is_shielded(transfer: &Transfer<'_>) -> bool {
    let sapling = transfer
        .sapling
        .as_ref()
        .is_some_and(|part| part.spends().len() + part.outputs().len() > 0);
    let sprout = transfer
        .join_splits
        .as_ref()
        .is_some_and(|part| part.iter().len() > 0);
    sapling || sprout
}

fn say(tally: &Tally, report: &mut Report) {
    let Tally {
        inputs,
        verified,
        missing,
        unsupported,
        ..
    } = *tally;
    if let Some(first) = tally.faults.first() {
        let more = tally.faults.len() - 1;
        let more = if more == 0 {
            String::new()
        } else {
            format!(", and {more} more")
        };
        report.failed("inputs", format!("{first}{more}"));
    } else if missing + unsupported == 0 {
        report.passed("inputs", format!("{} verified", count(inputs, "signature")));
    } else {
        let mut parts = vec![format!("{verified} of {inputs} verified")];
        if missing > 0 {
            parts.push(format!("{missing} spend outputs that are not at hand"));
        }
        if unsupported > 0 {
            parts.push(format!("{unsupported} spend scripts that are not run here"));
        }
        report.not_checked("inputs", parts.join(", "));
    }
    if let Some(first) = tally.shortfalls.first() {
        report.failed("amounts", first.clone());
    } else if missing > 0 {
        let text = "needs all outputs that are spent";
        report.not_checked("amounts", text);
    } else {
        let fees = Sat::checked_sum(tally.fees.iter().copied()).unwrap_or(Sat::ZERO);
        let text = format!("no transaction creates coins; fees {fees} FLUX");
        report.passed("amounts", text);
    }
    if tally.shielded > 0 {
        let transactions = count(tally.shielded, "transaction");
        report.not_checked(
            "shielded",
            format!("proofs of {transactions} are not verified"),
        );
    }
}
