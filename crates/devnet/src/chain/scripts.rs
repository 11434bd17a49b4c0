//! What the inputs of a transaction must prove, with the daemon's words for what is missing (fluxd `ContextualCheckInputs`,
//! `src/script/script_error.cpp`).

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    ChainParams, Transaction,
    params::COINBASE_MATURITY,
    script::Script,
    tx::Transfer,
    verify::{InputFault, InputVerifier},
};

use crate::chain::{Coin, Reject};

const EVAL_FALSE: &str =
    "Script evaluated without error but finished with a false/empty top stack element";
const EQUALVERIFY: &str = "Script failed an OP_EQUALVERIFY operation";
const STACK: &str = "Operation not valid with the current stack size";
const ENCODING: &str = "Non-canonical DER signature";

/// Checks the amounts and the age of the coins a transaction spends, and gives back its fee.
pub(crate) fn check_values(
    transaction: &Transaction<'_>,
    coins: &[Coin],
    height: u32,
) -> Result<Sat, Reject> {
    let mut total = 0_i64;
    for (input, coin) in transaction.inputs().iter().zip(coins) {
        let depth = height.saturating_sub(coin.height);
        if coin.coinbase && depth < COINBASE_MATURITY {
            let outpoint = input.previous;
            let detail = format!(
                "{outpoint} is a coinbase of depth {depth}, {COINBASE_MATURITY} are needed; wait"
            );
            return Err(Reject::invalid(
                "bad-txns-premature-spend-of-coinbase",
                detail,
            ));
        }
        total = total.checked_add(coin.value.get()).ok_or_else(|| {
            let detail = "the inputs add up to more than can be";
            Reject::invalid("bad-txns-inputvalues-outofrange", detail)
        })?;
    }
    let paid = transaction
        .as_transfer()
        .and_then(Transfer::value_out)
        .unwrap_or_default();
    let fee = total - paid.get();
    if fee < 0 {
        let detail = format!("it spends {} FLUX and pays {paid}", Sat::new(total));
        return Err(Reject::invalid("bad-txns-in-belowout", detail));
    }
    Ok(Sat::new(fee))
}

/// Checks the signatures of all inputs.
pub(crate) fn check_scripts(
    transaction: &Transaction<'_>,
    coins: &[Coin],
    params: &ChainParams,
    height: u32,
) -> Result<(), Reject> {
    let Ok(verifier) = InputVerifier::new(transaction, params.branch_id(height)) else {
        // Fluxnode transactions have no inputs.
        return Ok(());
    };
    for (index, coin) in coins.iter().enumerate() {
        let script = coin.script.as_script();
        verifier
            .verify(index, script, coin.value)
            .map_err(|fault| refusal(index, script, &fault))?;
    }
    Ok(())
}

fn refusal(index: usize, spent: Script<'_>, fault: &InputFault) -> Reject {
    let detail = format!("input {index}: {fault}");
    let error = script_error(spent, fault);
    if *fault == InputFault::Unsupported {
        return Reject::nonstandard(error, detail);
    }
    let reason = format!("mandatory-script-verify-flag-failed ({error})");
    Reject::invalid(reason, detail)
}

/// The daemon's words for what an input lacks.
pub(crate) fn script_error(spent: Script<'_>, fault: &InputFault) -> &'static str {
    match fault {
        // The daemon runs any script; this chain knows the two kinds people use.
        InputFault::Unsupported => "devnet-unsupported-script (spend P2PKH or P2SH multisig)",
        InputFault::WrongHash if spent.p2pkh_hash().is_some() => EQUALVERIFY,
        InputFault::WrongHash | InputFault::Sighash(_) | InputFault::Signature { .. } => EVAL_FALSE,
        InputFault::Shape => STACK,
        InputFault::Encoding => ENCODING,
    }
}

/// Signature operations in the redeem scripts of P2SH inputs (fluxd `GetP2SHSigOpCount`).
pub(crate) fn redeem_signature_operations(transaction: &Transaction<'_>, coins: &[Coin]) -> u32 {
    transaction
        .inputs()
        .iter()
        .zip(coins)
        .filter(|(_, coin)| coin.script.as_script().p2sh_hash().is_some())
        .filter_map(|(input, _)| {
            let last = input.script.instructions().last()?.ok()?;
            Some(Script::new(last.data).signature_operations(true))
        })
        .fold(0, u32::saturating_add)
}
