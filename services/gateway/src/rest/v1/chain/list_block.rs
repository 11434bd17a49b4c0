//! The block an answer about the lists is for.

use chrono::{DateTime, Utc};
use fluxplane_proto::chain_indexer::v1 as wire;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::wire::{Malformed, required, time};

/// The block after which an answer holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListBlock {
    #[schema(example = 2_996_914)]
    pub height: u32,
    pub hash: String,
    pub time: DateTime<Utc>,
}

impl ListBlock {
    pub fn from_wire(block: Option<wire::ListBlock>) -> Result<Self, Malformed> {
        let block = required("block", block)?;
        Ok(Self {
            height: block.height,
            hash: block.hash,
            time: time("block.time", block.time)?,
        })
    }
}
