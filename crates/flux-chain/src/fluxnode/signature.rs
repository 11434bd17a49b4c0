//! Who may sign a fluxnode transaction, and whether they did (fluxd `CheckFluxnodeTxSignatures`).

use crate::{
    fluxnode::{FluxnodeState, rejection::NodeFault},
    hash::Hash256,
    key::PublicKey,
    message::{Magic, benchmark_text, confirm_text, start_text, verify},
    script::Multisig,
    tx::{Confirm, DelegateKind, Start},
};

impl FluxnodeState {
    /// A start is signed by the owner of the collateral, by any key of the redeem script, or, when it says so, by a delegate the
    /// owner named earlier.
    pub(super) fn check_start_signature(
        &self,
        start: &Start<'_>,
        txid: &Hash256,
    ) -> Result<(), NodeFault> {
        let text = start_text(txid);
        let signed_by =
            |key: &PublicKey| verify(key, start.signature(), Magic::FLUX, text.as_bytes());
        let delegate_signs = start
            .delegates
            .as_ref()
            .and_then(|field| field.data.as_ref())
            .is_some_and(|data| data.delegate_kind() == Some(DelegateKind::Signing));
        let signed = if delegate_signs {
            start
                .collateral()
                .is_some_and(|collateral| self.delegates(&collateral).iter().any(signed_by))
        } else if let Some(redeem) = start.redeem_script().filter(|_| start.is_p2sh()) {
            Multisig::parse(redeem)
                .is_some_and(|multisig| multisig.public_keys().any(|key| signed_by(&key)))
        } else {
            PublicKey::parse(start.collateral_key()).is_some_and(|key| signed_by(&key))
        };
        signed.then_some(()).ok_or(NodeFault::BadSignature)
    }

    /// A confirm is signed by the key its start named, and by the benchmark.
    pub(super) fn check_confirm_signatures(&self, confirm: &Confirm<'_>) -> Result<(), NodeFault> {
        if let Some(entry) = self.node(&confirm.collateral) {
            let text = confirm_text(confirm);
            if !verify(
                &entry.node_key,
                confirm.signature,
                Magic::FLUX,
                text.as_bytes(),
            ) {
                return Err(NodeFault::BadSignature);
            }
        }
        let signed = self
            .params()
            .benchmark_key(confirm.benchmark_sig_time)
            .is_some_and(|key| {
                let text = benchmark_text(confirm);
                verify(&key, confirm.benchmark_signature, Magic::FLUX, &text)
            });
        signed.then_some(()).ok_or(NodeFault::BadBenchmarkSignature)
    }
}
