//! What can be judged of a fluxnode transaction without the lists: its fields, its signatures, and whether its kind is active
//! (fluxd `CheckTransaction` and the first part of `ContextualCheckTransaction`).

use fluxplane_core::Tier;

use crate::{
    fluxnode::{FluxnodeState, Mode, NodeFault},
    hash::Hash256,
    key::PublicKey,
    params::Upgrade,
    script::{MAX_SCRIPT_SIZE, Multisig},
    tx::{
        Confirm, DelegateData, DelegateKeys, DelegateKind, FLUXNODE_UPGRADED_VERSION, Fluxnode,
        MAX_DELEGATES, Start, Transaction, UpdateKind,
    },
};

/// From this moment on the benchmark signs longer IP texts (fluxd `src/main.cpp`).
const LONG_IP_TIME: u32 = 1_647_262_800;

impl FluxnodeState {
    /// Checks that need no more than the transaction and the keys of the node (fluxd `CheckTransaction`).
    pub(super) fn check_alone(
        &self,
        fluxnode: &Fluxnode<'_>,
        txid: &Hash256,
        mode: Mode,
    ) -> Result<(), NodeFault> {
        if let Fluxnode::Unknown(other) = fluxnode {
            return Err(NodeFault::UnknownType(*other));
        }
        fluxnode
            .collateral()
            .filter(|collateral| !collateral.is_null())
            .ok_or(NodeFault::NoCollateral)?;
        match fluxnode {
            Fluxnode::Start(start) => {
                check_redeem_script(start)?;
                delegates_of(start)?;
                if mode == Mode::Validate {
                    self.check_start_signature(start, txid)?;
                }
                Ok(())
            }
            Fluxnode::Confirm(confirm) => {
                if mode == Mode::Validate {
                    self.check_confirm_signatures(confirm)?;
                }
                check_confirm_fields(confirm)
            }
            Fluxnode::Unknown(other) => Err(NodeFault::UnknownType(*other)),
        }
    }

    pub(super) fn check_activation(
        &self,
        transaction: &Transaction<'_>,
        fluxnode: &Fluxnode<'_>,
        height: u32,
    ) -> Result<(), NodeFault> {
        let active = |upgrade| self.params().is_active(upgrade, height);
        if !active(Upgrade::Kamata) {
            return Err(NodeFault::NotActive);
        }
        if transaction.version() != FLUXNODE_UPGRADED_VERSION {
            return Ok(());
        }
        if !active(Upgrade::P2shNodes) {
            return Err(NodeFault::UpgradedNotActive);
        }
        // A confirm has no flux version; to the daemon it then is 0, which only Proof of Node lets pass.
        let version = match fluxnode {
            Fluxnode::Start(start) => start.flux_version.unwrap_or_default(),
            Fluxnode::Confirm(_) | Fluxnode::Unknown(_) => 0,
        };
        if active(Upgrade::Pon) || matches!(version, 1 | 2) {
            Ok(())
        } else {
            Err(NodeFault::FeaturesNotActive(version))
        }
    }
}

fn check_redeem_script(start: &Start<'_>) -> Result<(), NodeFault> {
    let Some(redeem) = start.redeem_script().filter(|_| start.is_p2sh()) else {
        return Ok(());
    };
    let (length, limit) = (redeem.len(), MAX_SCRIPT_SIZE);
    if length > limit {
        return Err(NodeFault::RedeemScriptTooLong { length, limit });
    }
    let multisig = Multisig::parse(redeem).is_some();
    multisig
        .then_some(())
        .ok_or(NodeFault::RedeemScriptNotMultisig)
}

fn check_confirm_fields(confirm: &Confirm<'_>) -> Result<(), NodeFault> {
    let tier = u8::try_from(confirm.benchmark_tier).ok();
    if tier.and_then(Tier::from_number).is_none() {
        return Err(NodeFault::BenchmarkTierUnknown(confirm.benchmark_tier));
    }
    let limit = if confirm.benchmark_sig_time >= LONG_IP_TIME {
        60
    } else {
        40
    };
    let length = confirm.ip.len();
    if length > limit {
        return Err(NodeFault::IpTooLong { length, limit });
    }
    match confirm.update_kind() {
        Some(UpdateKind::Initial | UpdateKind::Update) => Ok(()),
        None => Err(NodeFault::UpdateTypeUnknown(confirm.update_type)),
    }
}

/// The keys a start sets as delegates, if it does. A start whose flux version promises a delegates part must have a valid one.
pub(super) fn delegates_of(start: &Start<'_>) -> Result<Option<Vec<PublicKey>>, NodeFault> {
    let Some(field) = &start.delegates else {
        return Ok(None);
    };
    let data: &DelegateData<'_> = field.data.as_ref().ok_or(NodeFault::DelegatesInvalid)?;
    let raw = data.keys.iter().flat_map(DelegateKeys::iter);
    let keys: Option<Vec<PublicKey>> = raw
        .map(|key| PublicKey::parse(key).filter(PublicKey::is_compressed))
        .take(MAX_DELEGATES + 1)
        .collect();
    let keys = keys
        .filter(|keys| keys.len() <= MAX_DELEGATES)
        .ok_or(NodeFault::DelegatesInvalid)?;
    match data.delegate_kind() {
        Some(DelegateKind::Update) => Ok(Some(keys)),
        Some(DelegateKind::Signing) => Ok(None),
        None => Err(NodeFault::DelegatesInvalid),
    }
}
