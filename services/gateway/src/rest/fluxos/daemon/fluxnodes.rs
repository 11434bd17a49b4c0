//! The deterministic fluxnode list, in the order in which nodes are paid.

use axum::extract::State;
use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::fluxnode::{Family, family_of_host, host_of};
use fluxplane_proto::{
    chain_indexer::v1::{Fluxnode, ListFluxnodesRequest},
    common::v1::{PageRequest, Tier as WireTier},
};
use prost_types::Timestamp;
use serde::Serialize;

use crate::rest::{
    Gateway,
    fluxos::{
        envelope::{Data, Refused},
        params::Params,
    },
    v1::nodes::Tier as NodeTier,
    wire::{Malformed, required},
};

/// Nodes asked for at a time.
const PAGE: u32 = 200;

/// A node, as `viewdeterministicfluxnodelist` shows it.
#[derive(Debug, Serialize)]
pub struct NodeView {
    collateral: String,
    txhash: String,
    outidx: String,
    ip: String,
    network: &'static str,
    added_height: u32,
    confirmed_height: u32,
    last_confirmed_height: u32,
    last_paid_height: u32,
    tier: &'static str,
    payment_address: String,
    pubkey: String,
    activesince: String,
    lastpaid: String,
    amount: String,
    rank: u32,
}

/// `GET /daemon/viewdeterministicfluxnodelist/:filter?`
pub async fn list(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Data<Vec<NodeView>>, Refused> {
    let filter = params.get("filter");
    let mut nodes = Vec::new();
    let mut cursor = String::new();
    loop {
        let request = ListFluxnodesRequest {
            page: Some(PageRequest { size: PAGE, cursor }),
            tier: WireTier::Unspecified.into(),
        };
        let answer = gateway.peers.chain.list_fluxnodes(request).await?;
        for node in answer.fluxnodes {
            let view = NodeView::new(node)?;
            if view.matches(filter) {
                nodes.push(view);
            }
        }
        cursor = answer.page.unwrap_or_default().next_cursor;
        if cursor.is_empty() {
            return Ok(Data(nodes));
        }
    }
}

impl NodeView {
    fn new(node: Fluxnode) -> Result<Self, Malformed> {
        let tier = match NodeTier::from_wire(node.tier)? {
            NodeTier::Cumulus => Tier::Cumulus,
            NodeTier::Nimbus => Tier::Nimbus,
            NodeTier::Stratus => Tier::Stratus,
        };
        let collateral = required("fluxnode.collateral", node.collateral)?;
        Ok(Self {
            collateral: format!("COutPoint({}, {})", collateral.txid, collateral.vout),
            txhash: collateral.txid,
            outidx: collateral.vout.to_string(),
            network: family_of_host(host_of(&node.ip)).map_or("", Family::name),
            ip: node.ip,
            added_height: node.added_height,
            confirmed_height: node.confirmed_height,
            last_confirmed_height: node.last_confirmed_height,
            last_paid_height: node.last_paid_height,
            tier: tier.name(),
            payment_address: node.payment_address,
            pubkey: node.node_pubkey,
            activesince: seconds(node.added_at),
            lastpaid: seconds(node.last_paid_at),
            amount: money(Sat::new(node.amount_sat)),
            rank: required("fluxnode.rank", node.rank)?,
        })
    }

    /// fluxd keeps what contains the filter somewhere.
    fn matches(&self, filter: &str) -> bool {
        let Self {
            txhash,
            pubkey,
            ip,
            payment_address,
            ..
        } = self;
        [txhash, pubkey, ip, payment_address]
            .iter()
            .any(|text| text.contains(filter))
    }
}

/// Seconds since 1970; `0` for a block that is not known.
fn seconds(at: Option<Timestamp>) -> String {
    at.map_or(0, |at| at.seconds).to_string()
}

/// An amount with at least two decimals, and no more than it needs (fluxd `FormatMoney`).
fn money(amount: Sat) -> String {
    let text = amount.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}.{:0<2}", decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_decimals_or_what_it_needs() {
        assert_eq!(money(Sat::new(100_000_000_000)), "1000.00");
        assert_eq!(money(Sat::new(1_250_000_000_001)), "12500.00000001");
        assert_eq!(money(Sat::new(150_000_000)), "1.50");
    }
}
