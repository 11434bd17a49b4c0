//! Settlement epochs: what everybody can check.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{Amount, Client, Error, call::Call, open_enum::open_enum, page::Listing};

open_enum! {
    /// How far an epoch is.
    EpochState {
        Open = "open",
        /// Root computed, not on the chain yet.
        Closed = "closed",
        /// Anchor transaction in a block.
        Anchored = "anchored",
        /// Anchor has 40 confirmations.
        Sealed = "sealed",
    }
}

/// All usage lines and earnings between two times, under one root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    pub number: u64,
    pub state: EpochState,
    pub from: DateTime<Utc>,
    /// Null while open.
    pub to: Option<DateTime<Utc>>,
    /// Lower-case hex; null while open.
    pub root: Option<String>,
    /// Root of the epoch before; null for the first.
    pub previous_root: Option<String>,
    pub leaf_count: u64,
    pub charged: Amount,
    pub paid_out: Amount,
    /// Where the root is on the chain; null until it is.
    pub anchor: Option<EpochAnchor>,
}

/// The transaction that carries an epoch's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochAnchor {
    pub txid: String,
    /// Null while in the mempool.
    pub height: Option<u32>,
    pub confirmations: u32,
}

open_enum! {
    /// How far an anchor is.
    AnchorState {
        /// The published leaves do not give the published root; nothing was sent.
        Refused = "refused",
        Signed = "signed",
        Broadcast = "broadcast",
        Confirmed = "confirmed",
        Final = "final",
    }
}

/// The anchor of an epoch as the validator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    pub epoch: u64,
    pub state: AnchorState,
    /// The root the validator computed itself.
    pub root: String,
    pub leaf_count: u64,
    pub txid: Option<String>,
    pub height: Option<u32>,
    pub confirmations: u32,
    /// Why it is refused, or stays signed.
    pub reason: String,
    pub updated_at: DateTime<Utc>,
}

/// One line of a download of leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafLine {
    pub index: u64,
    /// The leaf's canonical bytes, lower-case hex.
    pub leaf: String,
}

impl Client {
    /// Newest first.
    pub async fn epochs(&self, limit: u32) -> Result<Listing<Epoch>, Error> {
        self.listing(Call::get(&["epochs"]).public(), limit).await
    }

    pub async fn epoch(&self, number: u64) -> Result<Epoch, Error> {
        self.json(&Call::get(&["epochs", &number.to_string()]).public())
            .await
    }

    pub async fn anchor(&self, number: u64) -> Result<Anchor, Error> {
        self.json(&Call::get(&["epochs", &number.to_string(), "anchor"]).public())
            .await
    }

    /// The leaves of a closed epoch, one [`LeafLine`] a line, as they arrive. A download that breaks off was not complete.
    pub async fn leaves(&self, number: u64) -> Result<Download, Error> {
        let call = Call::get(&["epochs", &number.to_string(), "leaves"])
            .public()
            .streaming();
        let response = Box::pin(self.send(&call)).await?;
        Ok(Download {
            server: self.server_name(),
            response,
        })
    }

    /// Closes the running epoch now. For administrators.
    pub async fn close_epoch(&self) -> Result<Epoch, Error> {
        self.json(&Call::change(Method::POST, &["epochs:close"], self.key()))
            .await
    }
}

/// A body that is read piece by piece.
#[derive(Debug)]
pub struct Download {
    server: String,
    response: reqwest::Response,
}

impl Download {
    /// The next bytes; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let chunk = self
            .response
            .chunk()
            .await
            .map_err(|source| Error::Broken {
                server: self.server.clone(),
                source,
            })?;
        Ok(chunk.map(|bytes| bytes.to_vec()))
    }
}
