//! What a valid fluxnode transaction does. The collateral is judged here, because it counts as it is at the transaction's place
//! in the block (fluxd `CheckFluxnodeTxInput`).

use fluxplane_core::{Sat, Tier};

use crate::{
    fluxnode::{
        Collateral, CollateralSource, FluxnodeState, Ip, Mode, NodeEntry, NodeFault, Status,
        alone::delegates_of,
    },
    hash::Hash256,
    key::PublicKey,
    outpoint::OutPoint,
    params::Upgrade,
    script::{p2pkh, p2sh},
    tx::{Fluxnode, Start, Transaction, UpdateKind},
};

/// What a valid fluxnode transaction will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeAction {
    Start {
        entry: Box<NodeEntry>,
        /// Keys to set as delegates; an empty list removes them.
        delegates: Option<Vec<PublicKey>>,
    },
    Confirm {
        collateral: OutPoint,
        ip: Ip,
    },
    Update {
        collateral: OutPoint,
        ip: Ip,
    },
}

impl FluxnodeState {
    /// What a fluxnode transaction did that a block at `height` held. Judged by itself: the lists of this state play no part, only
    /// its parameters do.
    pub fn past_action(
        &self,
        transaction: &Transaction<'_>,
        txid: &Hash256,
        source: &impl CollateralSource,
        height: u32,
    ) -> Result<NodeAction, NodeFault> {
        self.action(transaction, txid, source, height, Mode::Follow, |_| false)
    }

    /// Checks the collateral and says what the transaction does. `spent` knows the outputs spent earlier in the block.
    pub(super) fn action(
        &self,
        transaction: &Transaction<'_>,
        txid: &Hash256,
        source: &impl CollateralSource,
        height: u32,
        mode: Mode,
        spent: impl Fn(&OutPoint) -> bool,
    ) -> Result<NodeAction, NodeFault> {
        match transaction.as_fluxnode() {
            Some(Fluxnode::Start(start)) => {
                let outpoint = start.collateral().ok_or(NodeFault::NoCollateral)?;
                let collateral = source
                    .collateral(&outpoint)
                    .filter(|_| !spent(&outpoint))
                    .ok_or(NodeFault::CollateralMissing)?;
                let tier = self.check_input(&collateral, start.collateral_key(), height, mode)?;
                Ok(NodeAction::Start {
                    entry: Box::new(entry_of(
                        start,
                        transaction,
                        txid,
                        &collateral,
                        tier,
                        height,
                        self,
                    )),
                    delegates: delegates_of(start)?,
                })
            }
            Some(Fluxnode::Confirm(confirm)) => {
                if mode == Mode::Validate {
                    let collateral = source
                        .collateral(&confirm.collateral)
                        .filter(|_| !spent(&confirm.collateral))
                        .ok_or(NodeFault::CollateralMissing)?;
                    self.check_input(&collateral, &[], height, mode)?;
                }
                let collateral = confirm.collateral;
                let ip = Ip::new(confirm.ip);
                match confirm.update_kind() {
                    Some(UpdateKind::Initial) => Ok(NodeAction::Confirm { collateral, ip }),
                    Some(UpdateKind::Update) => Ok(NodeAction::Update { collateral, ip }),
                    None => Err(NodeFault::UpdateTypeUnknown(confirm.update_type)),
                }
            }
            Some(Fluxnode::Unknown(other)) => Err(NodeFault::UnknownType(*other)),
            None => Err(NodeFault::UnknownType(0)),
        }
    }

    fn check_input(
        &self,
        collateral: &Collateral,
        collateral_key: &[u8],
        height: u32,
        mode: Mode,
    ) -> Result<Tier, NodeFault> {
        let params = self.params();
        let needed = params.nodes.collateral_depth;
        let depth = height.saturating_sub(collateral.height);
        if depth < needed && mode == Mode::Validate {
            return Err(NodeFault::CollateralTooYoung { depth, needed });
        }
        let amount: Sat = collateral.value;
        let tier = params
            .tier_of_amount(amount, height)
            .ok_or(NodeFault::NotCollateral(amount))?;
        let foundation = self.is_foundation_key(collateral_key);
        if foundation && !params.is_active(Upgrade::Halving, height) {
            return Err(NodeFault::FoundationKeyTooEarly);
        }
        if foundation && params.is_active(Upgrade::P2shNodes, height) {
            return Err(NodeFault::FoundationKeyRetired);
        }
        Ok(tier)
    }

    fn is_foundation_key(&self, key: &[u8]) -> bool {
        let keys = &self.params().nodes.foundation_start_keys;
        !key.is_empty() && keys.iter().any(|entry| entry.key.as_bytes() == key)
    }
}

/// The entry a start makes. Payments go to the key, to the redeem script, or, for nodes the foundation started before version 6,
/// to the owner of the collateral.
fn entry_of(
    start: &Start<'_>,
    transaction: &Transaction<'_>,
    txid: &Hash256,
    collateral: &Collateral,
    tier: Tier,
    height: u32,
    state: &FluxnodeState,
) -> NodeEntry {
    let collateral_key = PublicKey::parse(start.collateral_key()).unwrap_or_default();
    let redeem = start.redeem_script().filter(|_| start.is_p2sh());
    let payment_script = match redeem {
        Some(redeem) => p2sh(&redeem.id()),
        None if state.is_foundation_key(start.collateral_key()) => collateral.script.clone(),
        None => p2pkh(&collateral_key.id()),
    };
    NodeEntry {
        collateral: start.collateral().unwrap_or(OutPoint::NULL),
        status: Status::Started,
        tier,
        amount: collateral.value,
        start_txid: *txid,
        start_version: transaction.version(),
        node_key: PublicKey::parse(start.node_key()).unwrap_or_default(),
        collateral_key,
        payment_script,
        redeem_script: redeem.unwrap_or_default().to_owned(),
        ip: Ip::default(),
        added_height: height,
        confirmed_height: 0,
        last_confirmed_height: 0,
        last_paid_height: 0,
    }
}
