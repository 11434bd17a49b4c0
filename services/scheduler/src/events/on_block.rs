//! The chain grew, or a block left it.

use anyhow::anyhow;
use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{
    Event as _,
    chain_indexer::v1::{BlockConnected, BlockDisconnected},
};
use sqlx::PgConnection;

use super::read::decode;
use crate::app::{Context, follow_chain};

/// Keeps the height of the chain.
#[derive(Debug)]
pub struct OnBlock {
    pub ctx: Context,
}

impl Handler for OnBlock {
    const CONSUMER: &'static str = "scheduler-blocks";
    const PRODUCER: &'static str = "chain-indexer";
    const SUBJECT: &'static str = "fluxplane.chain_indexer.v1.block.*";

    async fn apply(
        &self,
        conn: &mut PgConnection,
        subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        match subject {
            BlockConnected::SUBJECT => {
                let event: BlockConnected = decode(payload)?;
                follow_chain::connected(conn, &self.ctx, event.height, &event.hash).await?;
            }
            BlockDisconnected::SUBJECT => {
                let event: BlockDisconnected = decode(payload)?;
                follow_chain::disconnected(conn, &self.ctx, event.height).await?;
            }
            other => return Err(HandlerError::poison(anyhow!("subject {other}"))),
        }
        Ok(())
    }
}
