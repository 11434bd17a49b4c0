//! Transactions of fluxnodes: who signed them, and whose collateral it is.

use fluxplane_flux_chain::{
    Block, ChainParams, Hash256, PublicKey,
    message::{Magic, benchmark_text, confirm_text, start_text, verify},
    script::{Destination, Multisig},
    tx::{Confirm, DelegateKind, Fluxnode, Start},
};

use super::{Known, Report, count};

/// What came of one transaction.
enum Verdict {
    Verified,
    /// Why nobody could look.
    Open(&'static str),
    Wrong(String),
}

pub(super) fn check(
    params: &ChainParams,
    block: &Block<'_>,
    txids: &[Hash256],
    height: Option<u32>,
    known: &Known,
    report: &mut Report,
) {
    let (mut starts, mut confirms) = (Vec::new(), Vec::new());
    for (transaction, txid) in block.transactions.iter().zip(txids) {
        match transaction.as_fluxnode() {
            Some(Fluxnode::Start(start)) => {
                starts.push((txid, check_start(params, start, txid, height, known)));
            }
            Some(Fluxnode::Confirm(confirm)) => {
                confirms.push((txid, check_confirm(params, confirm, known)));
            }
            Some(Fluxnode::Unknown(kind)) => {
                let why = format!("type {kind} is none that a node knows");
                starts.push((txid, Verdict::Wrong(why)));
            }
            None => {}
        }
    }
    say("starts", "start", &starts, report);
    say("confirms", "confirm", &confirms, report);
}

fn say(step: &'static str, noun: &str, verdicts: &[(&Hash256, Verdict)], report: &mut Report) {
    if verdicts.is_empty() {
        return;
    }
    let wrong = verdicts.iter().find_map(|(txid, verdict)| match verdict {
        Verdict::Wrong(why) => Some(format!("{txid}: {why}")),
        Verdict::Verified | Verdict::Open(_) => None,
    });
    if let Some(wrong) = wrong {
        report.failed(step, wrong);
        return;
    }
    let open: Vec<&str> = verdicts
        .iter()
        .filter_map(|(_, verdict)| match verdict {
            Verdict::Open(why) => Some(*why),
            Verdict::Verified | Verdict::Wrong(_) => None,
        })
        .collect();
    let all = count(verdicts.len(), noun);
    match open.first() {
        None => report.passed(step, format!("{all}, all signatures verified")),
        Some(why) => {
            let verified = verdicts.len() - open.len();
            report.not_checked(
                step,
                format!("{verified} of {all} verified completely; {why}"),
            );
        }
    }
}

/// The owner of the collateral signs a start, or a key the owner named before.
fn check_start(
    params: &ChainParams,
    start: &Start<'_>,
    txid: &Hash256,
    height: Option<u32>,
    known: &Known,
) -> Verdict {
    let delegated = start
        .delegates
        .as_ref()
        .and_then(|field| field.data.as_ref())
        .is_some_and(|data| data.delegate_kind() == Some(DelegateKind::Signing));
    if delegated {
        return Verdict::Open("a delegate signed, whose key an earlier start names");
    }
    let text = start_text(txid);
    let signed = |key: &PublicKey| verify(key, start.signature(), Magic::FLUX, text.as_bytes());
    let redeem = start.redeem_script().filter(|_| start.is_p2sh());
    let valid = match redeem {
        Some(redeem) => Multisig::parse(redeem)
            .is_some_and(|multisig| multisig.public_keys().any(|key| signed(&key))),
        None => PublicKey::parse(start.collateral_key()).is_some_and(|key| signed(&key)),
    };
    if !valid {
        return Verdict::Wrong("the owner of the collateral did not sign this start".to_owned());
    }
    let Some(outpoint) = start.collateral() else {
        return Verdict::Wrong("the start names no collateral".to_owned());
    };
    let Some(output) = known.outputs.get(&outpoint) else {
        return Verdict::Open("the collateral is not at hand");
    };
    if let Some(height) = height
        && params.tier_of_amount(output.value, height).is_none()
    {
        let value = output.value;
        return Verdict::Wrong(format!("{value} FLUX are no collateral at height {height}"));
    }
    let script = output.script.as_script();
    let owned = match (script.destination(), redeem) {
        (Some(Destination::Script(hash)), Some(redeem)) => redeem.id() == hash,
        (Some(Destination::Script(_)), None) => params
            .foundation_start_key(start.sig_time())
            .is_some_and(|key| key.as_bytes() == start.collateral_key()),
        (Some(Destination::Key(hash)), _) => {
            PublicKey::parse(start.collateral_key()).is_some_and(|key| key.id() == hash)
        }
        (None, _) => false,
    };
    if owned {
        Verdict::Verified
    } else {
        Verdict::Wrong("the collateral belongs to somebody else than who signed".to_owned())
    }
}

/// The node signs a confirm, and the benchmark signs what it measured.
fn check_confirm(params: &ChainParams, confirm: &Confirm<'_>, known: &Known) -> Verdict {
    let text = benchmark_text(confirm);
    let measured = params
        .benchmark_key(confirm.benchmark_sig_time)
        .is_some_and(|key| verify(&key, confirm.benchmark_signature, Magic::FLUX, &text));
    if !measured {
        return Verdict::Wrong("the benchmark did not sign this confirm".to_owned());
    }
    let Some(key) = known.node_keys.get(&confirm.collateral) else {
        return Verdict::Open("keys of nodes are not at hand");
    };
    let text = confirm_text(confirm);
    if verify(key, confirm.signature, Magic::FLUX, text.as_bytes()) {
        Verdict::Verified
    } else {
        Verdict::Wrong("the node did not sign this confirm".to_owned())
    }
}
