//! The chain's fluxnode list changed.

use anyhow::Context as _;
use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{
    Event as _,
    chain_indexer::v1::{Fluxnode, FluxnodeChanged, FluxnodeStatus, fluxnode_changed::Change},
};
use prost::Message as _;
use sqlx::PgConnection;

use crate::{
    app::{
        Context,
        set_eligibility::{Standing, set_eligibility},
    },
    domain::Collateral,
};

/// Takes work away from nodes whose collateral left the list, and gives it back.
#[derive(Debug)]
pub struct OnFluxnodeChanged {
    pub ctx: Context,
}

impl Handler for OnFluxnodeChanged {
    const CONSUMER: &'static str = "node-registry-fluxnodes";
    const PRODUCER: &'static str = "chain-indexer";
    const SUBJECT: &'static str = FluxnodeChanged::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event = FluxnodeChanged::decode(payload).map_err(HandlerError::poison)?;
        let standing = match event.change() {
            Change::Started | Change::Unspecified => return Ok(()),
            Change::Confirmed | Change::Updated => Standing::Confirmed,
            Change::Expired | Change::Dos | Change::DosLeft | Change::CollateralSpent => {
                Standing::Gone
            }
            Change::Reorganised => match event.fluxnode.as_ref().map(Fluxnode::status) {
                Some(FluxnodeStatus::Confirmed) => Standing::Confirmed,
                Some(
                    FluxnodeStatus::Started | FluxnodeStatus::Dos | FluxnodeStatus::Unspecified,
                )
                | None => Standing::Gone,
            },
        };
        let outpoint = event
            .collateral
            .context("collateral")
            .map_err(HandlerError::poison)?;
        let collateral = Collateral {
            txid: outpoint.txid,
            vout: outpoint.vout,
        };
        let changed = set_eligibility(conn, &self.ctx, &collateral, standing)
            .await
            .map_err(HandlerError::retry)?;
        if let Some(node) = changed {
            tracing::info!(node.id = %node, ?standing, "the chain changed a node's standing");
        }
        Ok(())
    }
}
