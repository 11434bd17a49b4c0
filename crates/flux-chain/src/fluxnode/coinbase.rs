//! The verdict on a coinbase (fluxd `CheckFluxnodePayout`, and the funds of `ContextualCheckTransaction`).

use fluxplane_core::{Sat, Tier};

use crate::{
    fluxnode::Rejection,
    outpoint::OutPoint,
    params::{ChainParams, Upgrade},
    script::ScriptBuf,
    subsidy::{block_subsidy, one_time_outputs, reward_split},
    tx::TxOut,
};

/// A node the coinbase must pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payee {
    pub tier: Tier,
    pub collateral: OutPoint,
    pub script: ScriptBuf,
    pub amount: Sat,
}

/// Judges the outputs of the coinbase at `height` against the payees the parent's list gives, lowest tier first.
///
/// Each payee needs an output of exactly its amount, and one output serves one payee. From Proof of Node on, one further output
/// must give the dev fund at least what the payees leave of the subsidy.
pub fn check_coinbase(
    params: &ChainParams,
    height: u32,
    outputs: &[TxOut<'_>],
    payees: &[Payee],
) -> Result<(), Rejection> {
    check_funds(params, height, outputs)?;
    if height < params.nodes.payments_from {
        return Ok(());
    }
    let mut open: Vec<&Payee> = payees.iter().collect();
    let mut spare = Vec::with_capacity(outputs.len());
    for output in outputs {
        let served = open
            .iter()
            .position(|payee| payee.script == output.script && payee.amount == output.value);
        match served {
            Some(index) => {
                open.remove(index);
            }
            None => spare.push(output),
        }
    }
    if params.is_pon(height) {
        let paid: i64 = payees.iter().map(|payee| payee.amount.get()).sum();
        let rest = Sat::new(block_subsidy(params, height).get() - paid);
        let address = params.funds.dev_fund;
        let script = address.script();
        if !spare
            .iter()
            .any(|out| script == out.script && out.value >= rest)
        {
            let amount = rest;
            return Err(Rejection::DevFundShort { address, amount });
        }
    }
    match open.first() {
        None => Ok(()),
        Some(payee) => Err(Rejection::PayeeMissing {
            tier: payee.tier,
            collateral: payee.collateral,
            amount: payee.amount,
        }),
    }
}

/// The payments that depend on nothing but the height.
fn check_funds(params: &ChainParams, height: u32, outputs: &[TxOut<'_>]) -> Result<(), Rejection> {
    if params.is_active(Upgrade::Pon, height) {
        let amount = reward_split(params, height).rest;
        let address = params.funds.dev_fund;
        let script = address.script();
        let paid = |out: &TxOut<'_>| script == out.script && out.value >= amount;
        if !amount.is_zero() && !outputs.iter().any(paid) {
            return Err(Rejection::DevFundMissing { address, amount });
        }
    }
    for owed in one_time_outputs(params, height) {
        let script = owed.address.script();
        let paid = |out: &TxOut<'_>| script == out.script && out.value == owed.amount;
        if !outputs.iter().any(paid) {
            return Err(Rejection::FundMissing {
                fund: owed.fund,
                address: owed.address,
                amount: owed.amount,
            });
        }
    }
    Ok(())
}
