//! Transactions: nothing panics, what parses writes back as it was, and every question about it has an answer.
#![no_main]

use std::sync::{Arc, LazyLock};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    ChainParams, OutPoint, PublicKey, Script, ScriptBuf, Transaction,
    address::AddressSpace,
    describe,
    fluxnode::{Collateral, FluxnodeState},
    message::{benchmark_text, confirm_text},
    script::p2pkh,
    sighash::FLUX_BRANCH_ID,
    tx::Fluxnode,
    verify::InputVerifier,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static STATE: LazyLock<FluxnodeState> =
    LazyLock::new(|| FluxnodeState::genesis(Arc::new(ChainParams::regtest_nodes())));

fuzz_target!(|bytes: &[u8]| {
    let transaction = match Transaction::parse(bytes) {
        Ok(transaction) => transaction,
        Err(error) => {
            assert!(error.offset <= bytes.len());
            assert!(!error.field.is_empty());
            return;
        }
    };
    assert_eq!(transaction.serialize(), bytes);
    assert_eq!(transaction.size(), bytes.len());
    transaction.txid();
    transaction.full_hash();
    let described = describe::transaction(&transaction, None, AddressSpace::Main);
    let text = describe::to_text(&described);
    let _: Value = serde_json::from_str(&text).expect("a description is JSON");
    if let Some(transfer) = transaction.as_transfer() {
        transfer.note();
        transfer.value_out();
        transfer.shielded_value_in();
        let verifier = InputVerifier::new(&transaction, FLUX_BRANCH_ID).expect("it has inputs");
        let outputs = transaction.outputs().iter().map(|output| output.script);
        let scripts: Vec<Script<'_>> = outputs.chain([Script::new(&[])]).take(4).collect();
        for index in 0..transaction.inputs().len().min(4) {
            for script in &scripts {
                let _verdict = verifier.verify(index, *script, Sat::from_flux(1));
            }
        }
    }
    match transaction.as_fluxnode() {
        Some(Fluxnode::Start(start)) => {
            let script = PublicKey::parse(start.collateral_key())
                .map_or_else(ScriptBuf::default, |key| p2pkh(&key.id()));
            let collateral = Collateral {
                value: Sat::from_flux(1_000),
                height: 0,
                script,
            };
            let source = move |_: &OutPoint| Some(collateral.clone());
            let _verdict = STATE.check_transaction(&transaction, &Source(source));
        }
        Some(Fluxnode::Confirm(confirm)) => {
            confirm_text(confirm);
            benchmark_text(confirm);
            let _verdict = STATE.check_transaction(&transaction, &Source(|_: &OutPoint| None));
        }
        Some(Fluxnode::Unknown(_)) | None => {}
    }
});

struct Source<F>(F);

impl<F: Fn(&OutPoint) -> Option<Collateral>> fluxplane_flux_chain::fluxnode::CollateralSource
    for Source<F>
{
    fn collateral(&self, outpoint: &OutPoint) -> Option<Collateral> {
        (self.0)(outpoint)
    }
}
