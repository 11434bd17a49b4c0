//! Nodes that are kept running on the chain as a fluxnode daemon would: started when their collateral is deep enough, confirmed, and
//! confirmed again in time. What to do next is read off the chain at every block, so that it does not matter what happened before:
//! a reorganisation, a restart, a lost transaction.

use std::sync::Arc;

use fluxplane_core::Tier;
use fluxplane_flux_chain::{
    OutPoint, PrivateKey,
    build::{ConfirmBuilder, StartBuilder, StartKind},
    fluxnode::{NodeEntry, Status},
    tx::UpdateKind,
};
use serde::{Deserialize, Serialize};

use crate::{
    chain::Chain,
    mempool::Mempool,
    wallet::keys::{Keyring, SPACE},
};

/// A node of the developer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManagedNode {
    pub(crate) number: u32,
    pub(crate) tier: Tier,
    pub(crate) collateral: OutPoint,
    /// The payment that made the collateral, in hexadecimal; none when the coin was there before.
    pub(crate) funding: Option<String>,
    #[serde(with = "as_wif")]
    pub(crate) collateral_key: PrivateKey,
    #[serde(with = "as_wif")]
    pub(crate) node_key: PrivateKey,
    pub(crate) ip: String,
    /// Whether it is kept confirmed.
    pub(crate) running: bool,
}

/// Where a node stands, in words of the developer verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Its collateral waits for a block.
    Funding,
    /// Its collateral is not deep enough.
    Maturing,
    /// Its start waits for a block, or will be sent now.
    Starting,
    /// Started; its first confirm waits for a block.
    Started,
    Confirmed,
    /// Not confirmed in time; it can start again later.
    Dos,
    /// Its collateral is spent.
    Gone,
}

impl ManagedNode {
    pub(crate) fn stage(&self, chain: &Chain) -> Stage {
        let listed = chain.nodes().node(&self.collateral);
        match listed.map(|node| node.status) {
            Some(Status::Confirmed) => return Stage::Confirmed,
            Some(Status::Started) => return Stage::Started,
            Some(Status::Dos) => return Stage::Dos,
            None => {}
        }
        let Some(coin) = chain.coins().get(&self.collateral) else {
            let spent = chain.books().spent(&self.collateral).is_some();
            return if spent { Stage::Gone } else { Stage::Funding };
        };
        if Self::blocks_to_go(coin.height, chain) == 0 {
            Stage::Starting
        } else {
            Stage::Maturing
        }
    }

    /// Blocks until the collateral is deep enough for the next block to hold the start.
    fn blocks_to_go(collateral_height: u32, chain: &Chain) -> u32 {
        let depth = (chain.height() + 1).saturating_sub(collateral_height);
        chain.params().nodes.collateral_depth.saturating_sub(depth)
    }

    /// The transaction the node sends now, if any. `now` is the time of day in Unix seconds.
    pub(crate) fn next_transaction(
        &self,
        chain: &Chain,
        mempool: &Mempool,
        keys: &Keyring,
        now: u32,
    ) -> Option<Arc<[u8]>> {
        if !self.running || mempool.of_node(&self.collateral).is_some() {
            return None;
        }
        let bytes = match self.stage(chain) {
            Stage::Funding => {
                let bytes = hex::decode(self.funding.as_ref()?).ok()?;
                let waits = mempool.contains(&self.collateral.txid);
                (!waits).then_some(bytes)?
            }
            Stage::Starting => self.start(now),
            Stage::Started => self.confirm(UpdateKind::Initial, keys, now),
            Stage::Confirmed => {
                let listed = chain.nodes().node(&self.collateral)?;
                let due = self.update_due(listed, chain);
                due.then(|| self.confirm(UpdateKind::Update, keys, now))?
            }
            Stage::Maturing | Stage::Dos | Stage::Gone => return None,
        };
        Some(bytes.into())
    }

    /// As soon as the rules allow an update, so that the node has the longest time left; after a change of address the shorter
    /// distance counts.
    fn update_due(&self, listed: &NodeEntry, chain: &Chain) -> bool {
        let height = chain.height() + 1;
        let rules = &chain.params().nodes;
        let distance = height.saturating_sub(listed.last_confirmed_height);
        let moved = listed.ip.as_bytes() != self.ip.as_bytes();
        distance > rules.update_distance.at(height)
            || (moved && distance >= rules.ip_change_distance)
    }

    fn start(&self, now: u32) -> Vec<u8> {
        let start = StartBuilder {
            kind: StartKind::Normal {
                collateral_key: self.collateral_key.public_key(),
            },
            collateral: self.collateral,
            node_key: self.node_key.public_key(),
            sig_time: now,
            delegation: None,
        };
        start.sign(&self.collateral_key).bytes
    }

    fn confirm(&self, kind: UpdateKind, keys: &Keyring, now: u32) -> Vec<u8> {
        let confirm = ConfirmBuilder {
            collateral: self.collateral,
            kind,
            sig_time: now,
            benchmark_tier: self.tier,
            benchmark_sig_time: now,
            ip: self.ip.clone(),
        };
        confirm.sign(&self.node_key, &keys.benchmark().key).bytes
    }
}

/// Keys of a development chain are stored as people import them.
mod as_wif {
    use fluxplane_flux_chain::PrivateKey;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use super::SPACE;

    pub(super) fn serialize<S: Serializer>(
        key: &PrivateKey,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&key.to_wif(SPACE))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PrivateKey, D::Error> {
        let text = String::deserialize(deserializer)?;
        PrivateKey::from_wif(&text, SPACE).map_err(de::Error::custom)
    }
}
