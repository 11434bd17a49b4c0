//! Blocks join and leave the best chain.

use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{
    Event as _,
    chain_indexer::v1::{BlockConnected, BlockDisconnected},
};
use prost::Message as _;
use sqlx::PgConnection;

use super::refused;
use crate::{
    app::{Context, payments},
    db::blocks::Place,
};

/// Keeps the newest blocks, by which payments are counted deep and prices are made.
#[derive(Debug)]
pub struct OnBlock {
    pub ctx: Context,
}

impl Handler for OnBlock {
    const CONSUMER: &'static str = "billing-blocks";
    const PRODUCER: &'static str = "chain-indexer";
    /// Both kinds, so that they stay in order.
    const SUBJECT: &'static str = "fluxplane.chain_indexer.v1.block.*";

    async fn apply(
        &self,
        conn: &mut PgConnection,
        subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let (height, hash, sequence) = match subject {
            BlockConnected::SUBJECT => {
                let block = BlockConnected::decode(payload).map_err(HandlerError::poison)?;
                (block.height, Some(block.hash), block.sequence)
            }
            BlockDisconnected::SUBJECT => {
                let block = BlockDisconnected::decode(payload).map_err(HandlerError::poison)?;
                (block.height, None, block.sequence)
            }
            // A kind of a later release that is none of our business.
            _ => return Ok(()),
        };
        let place = Place {
            height: height.into(),
            hash: hash.as_deref(),
            sequence,
        };
        payments::block_changed(conn, &self.ctx, place)
            .await
            .map_err(refused)
    }
}
