//! Whom the coinbase pays, and how much.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    Block, ChainParams, OutPoint, Transaction,
    fluxnode::{Payee, check_coinbase},
    subsidy::{block_subsidy, coinbase_limit, one_time_outputs, tier_reward},
    tx::{Transfer, TxOut},
};

use super::{Known, Report};

pub(super) fn check(
    params: &ChainParams,
    block: &Block<'_>,
    height: u32,
    fees: Option<Sat>,
    known: &Known,
    report: &mut Report,
) {
    let Some(coinbase) = block.transactions.first().filter(|one| one.is_coinbase()) else {
        return;
    };
    if height == 0 {
        return;
    }
    let outputs = coinbase.outputs();
    report.judged("split", split(params, height, outputs));
    total(params, height, coinbase, fees, report);
    if height < params.nodes.payments_from {
        return;
    }
    match &known.payees {
        None => {
            let text = "whose turn it was is not at hand; the list before the block has it";
            report.not_checked("payees", text);
        }
        Some(payees) => report.judged("payees", turns(params, height, outputs, payees)),
    }
}

/// Funds, shares of the tiers and the rest, without knowing whose turn it was: an output of exactly a tier's share is taken
/// for it, and a tier without one must have left its share to the dev fund.
fn split(params: &ChainParams, height: u32, outputs: &[TxOut<'_>]) -> Result<String, String> {
    let mut spare: Vec<&TxOut<'_>> = outputs.iter().collect();
    let mut payees = Vec::new();
    if height >= params.nodes.payments_from {
        let dev = params.funds.dev_fund.script();
        for tier in Tier::ALL {
            let amount = tier_reward(params, height, tier);
            let found = spare
                .iter()
                .position(|out| out.value == amount && dev != out.script);
            if let Some(place) = found {
                let output = spare.remove(place);
                payees.push(Payee {
                    tier,
                    collateral: OutPoint::NULL,
                    script: output.script.to_owned(),
                    amount,
                });
            }
        }
    }
    check_coinbase(params, height, outputs, &payees).map_err(|refusal| refusal.to_string())?;
    let mut parts: Vec<String> = payees
        .iter()
        .map(|payee| format!("{} {}", payee.tier, payee.amount))
        .collect();
    parts.extend(
        one_time_outputs(params, height).map(|due| format!("{:?} fund {}", due.fund, due.amount)),
    );
    let subsidy = block_subsidy(params, height);
    if parts.is_empty() {
        return Ok(format!("subsidy {subsidy} FLUX, no node is paid"));
    }
    Ok(format!("subsidy {subsidy} FLUX: {}", parts.join(", ")))
}

/// No more than subsidy, funds and fees.
fn total(
    params: &ChainParams,
    height: u32,
    coinbase: &Transaction<'_>,
    fees: Option<Sat>,
    report: &mut Report,
) {
    let paid = coinbase.as_transfer().and_then(Transfer::value_out);
    let Some(paid) = paid else {
        report.failed(
            "total",
            "the outputs of the coinbase add up to more than there can be",
        );
        return;
    };
    let limit = coinbase_limit(params, height, fees.unwrap_or(Sat::ZERO));
    match (limit, fees) {
        (None, _) => report.passed("total", format!("{paid} FLUX; this height has no limit")),
        (Some(limit), _) if paid <= limit => {
            report.passed("total", format!("pays {paid} of at most {limit} FLUX"));
        }
        (Some(limit), Some(_)) => {
            report.failed(
                "total",
                format!("pays {paid} FLUX, at most {limit} are allowed"),
            );
        }
        (Some(limit), None) => {
            let over = Sat::new(paid.get() - limit.get());
            let text = format!(
                "takes {over} FLUX as fees; the outputs that are spent are not all at hand"
            );
            report.not_checked("total", text);
        }
    }
}

/// Those whose turn it was.
fn turns(
    params: &ChainParams,
    height: u32,
    outputs: &[TxOut<'_>],
    payees: &[Payee],
) -> Result<String, String> {
    check_coinbase(params, height, outputs, payees).map_err(|refusal| refusal.to_string())?;
    let whom = payees
        .iter()
        .map(|payee| format!("{} {}", payee.tier, payee.collateral));
    let whom: Vec<String> = whom.collect();
    if whom.is_empty() {
        return Ok("nobody's turn".to_owned());
    }
    Ok(format!("paid those whose turn it was: {}", whom.join(", ")))
}
