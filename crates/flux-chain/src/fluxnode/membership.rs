//! What the lists say to a fluxnode transaction: whether its node may start, confirm or update now, and whether the collateral
//! belongs to who starts it (fluxd `ContextualCheckTransaction`).

use crate::{
    fluxnode::{
        Collateral, CollateralSource, FluxnodeState, Mode, NodeEntry, NodeFault, SpacingRule,
        Status,
    },
    key::PublicKey,
    params::Upgrade,
    script::Destination,
    tx::{Confirm, Fluxnode, Start, UpdateKind},
};

impl FluxnodeState {
    /// Checks against the lists, and a start against its collateral (fluxd `ContextualCheckTransaction`).
    pub(super) fn check_membership(
        &self,
        fluxnode: &Fluxnode<'_>,
        source: &impl CollateralSource,
        height: u32,
        mode: Mode,
    ) -> Result<(), NodeFault> {
        match fluxnode {
            Fluxnode::Start(start) => {
                let outpoint = start.collateral().ok_or(NodeFault::NoCollateral)?;
                match self.node(&outpoint).map(|node| node.status) {
                    Some(Status::Started | Status::Dos) => return Err(NodeFault::AlreadyListed),
                    Some(Status::Confirmed) => return Err(NodeFault::AlreadyConfirmed),
                    None => {}
                }
                let collateral = source
                    .collateral(&outpoint)
                    .ok_or(NodeFault::CollateralMissing)?;
                match mode {
                    Mode::Validate => self.check_owner(start, &collateral),
                    Mode::Follow => Ok(()),
                }
            }
            Fluxnode::Confirm(confirm) => self.check_confirm_membership(confirm, height, mode),
            Fluxnode::Unknown(other) => Err(NodeFault::UnknownType(*other)),
        }
    }

    /// Whether the collateral belongs to who the start says.
    fn check_owner(&self, start: &Start<'_>, collateral: &Collateral) -> Result<(), NodeFault> {
        let script = collateral.script.as_script();
        let destination = script.destination().ok_or(NodeFault::CollateralUnowned)?;
        if start.is_upgraded_normal() && script.p2pkh_hash().is_none() {
            return Err(NodeFault::CollateralNotKeyHash);
        }
        if start.is_p2sh() && script.p2sh_hash().is_none() {
            return Err(NodeFault::CollateralNotScriptHash);
        }
        match (
            destination,
            start.redeem_script().filter(|_| start.is_p2sh()),
        ) {
            (Destination::Script(hash), Some(redeem)) => {
                let same = redeem.id() == hash;
                same.then_some(()).ok_or(NodeFault::RedeemScriptMismatch)
            }
            (Destination::Script(_), None) => {
                let key = self.params().foundation_start_key(start.sig_time());
                let same = key.is_some_and(|key| key.as_bytes() == start.collateral_key());
                same.then_some(()).ok_or(NodeFault::FoundationKeyMismatch)
            }
            (Destination::Key(hash), _) => {
                let same =
                    PublicKey::parse(start.collateral_key()).is_some_and(|key| key.id() == hash);
                same.then_some(()).ok_or(NodeFault::CollateralKeyMismatch)
            }
        }
    }

    fn check_confirm_membership(
        &self,
        confirm: &Confirm<'_>,
        height: u32,
        mode: Mode,
    ) -> Result<(), NodeFault> {
        let kind = confirm
            .update_kind()
            .ok_or(NodeFault::UpdateTypeUnknown(confirm.update_type))?;
        let (wanted, fault) = match kind {
            UpdateKind::Initial => (Status::Started, NodeFault::NotStarted),
            UpdateKind::Update => (Status::Confirmed, NodeFault::NotConfirmed),
        };
        let Some(node) = self.node(&confirm.collateral) else {
            return Err(fault);
        };
        let benchmark = confirm.benchmark_tier;
        let measured = u8::try_from(benchmark).unwrap_or(0);
        if mode == Mode::Validate && node.tier.number() > measured {
            let tier = node.tier;
            return Err(NodeFault::BenchmarkTierTooLow { benchmark, tier });
        }
        if node.status != wanted {
            return Err(fault);
        }
        match (kind, mode) {
            (UpdateKind::Update, Mode::Validate) => self.check_spacing(node, confirm, height),
            (UpdateKind::Update, Mode::Follow) | (UpdateKind::Initial, _) => Ok(()),
        }
    }

    fn check_spacing(
        &self,
        node: &NodeEntry,
        confirm: &Confirm<'_>,
        height: u32,
    ) -> Result<(), NodeFault> {
        let rules = &self.params().nodes;
        let distance = height.saturating_sub(node.last_confirmed_height);
        let same_ip = rules.update_distance.at(height);
        let moved =
            self.params().is_active(Upgrade::Flux, height) && node.ip.as_bytes() != confirm.ip;
        if distance > same_ip || (moved && distance >= rules.ip_change_distance) {
            return Ok(());
        }
        let rule = if moved {
            SpacingRule::NewIp(rules.ip_change_distance)
        } else {
            SpacingRule::SameIp(same_ip)
        };
        Err(NodeFault::TooSoon { distance, rule })
    }
}
