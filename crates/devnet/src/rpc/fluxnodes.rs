//! The fluxnode lists.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    Address, Hash256, OutPoint,
    fluxnode::{Family, NodeEntry, Ranked, Status, family_of_host, host_of},
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{
    daemon::Daemon,
    rpc::{Answer, Method, Params, RpcError, answer, params::Param, read},
    wallet::SPACE,
};

const NOT_A_NODE: &str = "This is not a Flux Node";

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "viewdeterministicfluxnodelist",
            "( \"filter\" )",
            0..=1,
            "The confirmed nodes, tier by tier in the order they are paid; a filter keeps those whose transaction, key, IP or payment \
             address contains it.",
            list,
        )
        .also(&["listfluxnodes", "viewdeterministiczelnodelist", "listzelnodes"]),
        read(
            "getfluxnodesnapshot",
            "",
            0..=0,
            "The confirmed nodes with the block they belong to.",
            getfluxnodesnapshot,
        ),
        read("getfluxnodecount", "", 0..=2, "How many nodes are confirmed.", getfluxnodecount)
            .also(&["getzelnodecount"]),
        read(
            "fluxnodecurrentwinner",
            "",
            0..=0,
            "The nodes the next block pays.",
            fluxnodecurrentwinner,
        )
        .also(&["zelnodecurrentwinner"]),
        read("getstartlist", "", 0..=0, "Nodes that wait for their first confirm.", getstartlist),
        read("getdoslist", "", 0..=0, "Nodes that were not confirmed in time.", getdoslist),
        read(
            "getmigrationcount",
            "",
            0..=0,
            "Confirmed nodes with old and with new collateral.",
            getmigrationcount,
        ),
        read(
            "listfluxnodedelegates",
            "\"txhash\" \"outputindex\"",
            2..=2,
            "The keys that may start a node for its owner.",
            listfluxnodedelegates,
        ),
        read("getfluxnodestatus", "", 0..=0, "Only on a node.", not_a_node)
            .also(&["getzelnodestatus"]),
        read("getbenchmarks", "", 0..=0, "Only on a node.", not_a_node),
        read("getbenchstatus", "", 0..=0, "Only on a node.", not_a_node),
    ]
}

fn not_a_node(_: &Daemon, _: &Params) -> Answer {
    Err(RpcError::misc(NOT_A_NODE))
}

#[derive(Serialize)]
struct NodeView<'n> {
    collateral: String,
    txhash: Hash256,
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
    rank: usize,
    #[serde(skip)]
    node: &'n NodeEntry,
}

fn payment_address(node: &NodeEntry) -> String {
    node.payee()
        .map(|payee| Address::of_destination(payee, SPACE).to_string())
        .unwrap_or_default()
}

/// An amount with at least two decimals, and no more than it needs (fluxd `FormatMoney`).
fn money(amount: Sat) -> String {
    let text = amount.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let kept = decimals.trim_end_matches('0');
    format!("{whole}.{kept:0<2}")
}

fn node_view<'n>(daemon: &Daemon, ranked: Ranked<'n>) -> NodeView<'n> {
    let node = ranked.node;
    let time = |height| {
        let entry = daemon.chain.at(height);
        entry.map_or(0, |entry| entry.time).to_string()
    };
    let ip = node.ip.to_string();
    NodeView {
        collateral: node.collateral.full_text(),
        txhash: node.collateral.txid,
        outidx: node.collateral.n.to_string(),
        network: family_of_host(host_of(&ip)).map_or("", Family::name),
        ip,
        added_height: node.added_height,
        confirmed_height: node.confirmed_height,
        last_confirmed_height: node.last_confirmed_height,
        last_paid_height: node.last_paid_height,
        tier: node.tier.name(),
        payment_address: payment_address(node),
        pubkey: node.node_key.to_string(),
        activesince: time(node.added_height),
        lastpaid: time(node.last_paid_height),
        amount: money(node.amount),
        rank: ranked.rank,
        node,
    }
}

fn matches(view: &NodeView<'_>, filter: &str) -> bool {
    filter.is_empty()
        || view.txhash.to_string().contains(filter)
        || view.node.node_key.to_string().contains(filter)
        || view.ip.contains(filter)
        || view.payment_address.contains(filter)
}

fn all_nodes<'d>(daemon: &'d Daemon, filter: &str) -> Vec<NodeView<'d>> {
    daemon
        .chain
        .nodes()
        .ranked()
        .map(|ranked| node_view(daemon, ranked))
        .filter(|view| matches(view, filter))
        .collect()
}

fn list(daemon: &Daemon, params: &Params) -> Answer {
    let filter = params.get(0).map(Param::text).transpose()?;
    answer(&all_nodes(daemon, &filter.unwrap_or_default()))
}

#[derive(Serialize)]
struct Snapshot<'n> {
    height: u32,
    blockhash: Hash256,
    nodes: Vec<NodeView<'n>>,
}

fn getfluxnodesnapshot(daemon: &Daemon, _: &Params) -> Answer {
    let tip = daemon.chain.tip();
    answer(&Snapshot {
        height: tip.height,
        blockhash: tip.hash,
        nodes: all_nodes(daemon, ""),
    })
}

#[derive(Serialize)]
struct Count {
    total: usize,
    stable: usize,
    #[serde(rename = "basic-enabled")]
    basic: usize,
    #[serde(rename = "super-enabled")]
    super_: usize,
    #[serde(rename = "bamf-enabled")]
    bamf: usize,
    #[serde(rename = "cumulus-enabled")]
    cumulus: usize,
    #[serde(rename = "nimbus-enabled")]
    nimbus: usize,
    #[serde(rename = "stratus-enabled")]
    stratus: usize,
    ipv4: usize,
    ipv6: usize,
    onion: usize,
}

fn getfluxnodecount(daemon: &Daemon, _: &Params) -> Answer {
    let nodes = daemon.chain.nodes();
    let [cumulus, nimbus, stratus] = Tier::ALL.map(|tier| nodes.queue(tier).len());
    // The daemon looks up the whole text here, so that an address with a port belongs to no network.
    let in_family = |family| {
        nodes
            .ranked()
            .filter(|ranked| family_of_host(&ranked.node.ip.to_string()) == Some(family))
            .count()
    };
    let total = cumulus + nimbus + stratus;
    answer(&Count {
        total,
        stable: total,
        basic: cumulus,
        super_: nimbus,
        bamf: stratus,
        cumulus,
        nimbus,
        stratus,
        ipv4: in_family(Family::Ipv4),
        ipv6: in_family(Family::Ipv6),
        onion: in_family(Family::Onion),
    })
}

#[derive(Serialize)]
struct Winner {
    collateral: String,
    ip: String,
    added_height: u32,
    confirmed_height: u32,
    last_confirmed_height: u32,
    last_paid_height: u32,
    tier: &'static str,
    payment_address: String,
}

/// By tier; a tier without nodes has no winner.
struct Winners<'d>(&'d Daemon);

impl Serialize for Winners<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for tier in Tier::ALL {
            let Some(node) = self.0.chain.nodes().queue(tier).next() else {
                continue;
            };
            let winner = Winner {
                collateral: node.collateral.full_text(),
                ip: node.ip.to_string(),
                added_height: node.added_height,
                confirmed_height: node.confirmed_height,
                last_confirmed_height: node.last_confirmed_height,
                last_paid_height: node.last_paid_height,
                tier: tier.name(),
                payment_address: payment_address(node),
            };
            map.serialize_entry(&format!("{tier} Winner"), &winner)?;
        }
        map.end()
    }
}

fn fluxnodecurrentwinner(daemon: &Daemon, _: &Params) -> Answer {
    answer(&Winners(daemon))
}

#[derive(Serialize)]
struct Waiting {
    collateral: String,
    added_height: u32,
    payment_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eligible_in: Option<i64>,
    amount: String,
}

/// Nodes of a list, the one whose time runs out first in front, with the blocks left.
fn waiting(daemon: &Daemon, status: Status, period: u32) -> Vec<(i64, Waiting)> {
    let height = daemon.chain.height();
    let mut found: Vec<(i64, Waiting)> = daemon
        .chain
        .nodes()
        .nodes()
        .filter(|node| node.status == status)
        .map(|node| {
            let left = i64::from(period) - i64::from(height - node.added_height);
            let view = Waiting {
                collateral: node.collateral.full_text(),
                added_height: node.added_height,
                payment_address: payment_address(node),
                expires_in: None,
                eligible_in: None,
                amount: money(node.amount),
            };
            (left, view)
        })
        .collect();
    found.sort_by_key(|(left, _)| *left);
    found
}

fn getstartlist(daemon: &Daemon, _: &Params) -> Answer {
    let chain = &daemon.chain;
    let period = chain.params().nodes.start_expires_after.at(chain.height());
    let nodes = waiting(daemon, Status::Started, period).into_iter();
    let shown = nodes.map(|(left, node)| Waiting {
        expires_in: Some(left),
        ..node
    });
    answer(&shown.collect::<Vec<_>>())
}

fn getdoslist(daemon: &Daemon, _: &Params) -> Answer {
    let chain = &daemon.chain;
    let period = chain.params().nodes.dos_leaves_after.at(chain.height());
    let nodes = waiting(daemon, Status::Dos, period).into_iter();
    let shown = nodes.map(|(left, node)| Waiting {
        eligible_in: Some(left),
        ..node
    });
    answer(&shown.collect::<Vec<_>>())
}

#[derive(Serialize)]
struct OldNodes {
    #[serde(rename = "total-old")]
    total: usize,
    #[serde(rename = "cumulus-enabled-old")]
    cumulus: usize,
    #[serde(rename = "nimbus-enabled-old")]
    nimbus: usize,
    #[serde(rename = "stratus-enabled-old")]
    stratus: usize,
}

#[derive(Serialize)]
struct NewNodes {
    #[serde(rename = "total-new")]
    total: usize,
    #[serde(rename = "cumulus-enabled-new")]
    cumulus: usize,
    #[serde(rename = "nimbus-enabled-new")]
    nimbus: usize,
    #[serde(rename = "stratus-enabled-new")]
    stratus: usize,
}

fn getmigrationcount(daemon: &Daemon, _: &Params) -> Answer {
    let nodes = daemon.chain.nodes();
    let old_amount = |tier| daemon.chain.params().nodes.transition(tier).before;
    let old = Tier::ALL.map(|tier| {
        let queue = nodes.queue(tier);
        queue.filter(|node| node.amount == old_amount(tier)).count()
    });
    let new = Tier::ALL.map(|tier| {
        let queue = nodes.queue(tier);
        queue.filter(|node| node.amount != old_amount(tier)).count()
    });
    let [cumulus, nimbus, stratus] = old;
    let old = OldNodes {
        total: old.iter().sum(),
        cumulus,
        nimbus,
        stratus,
    };
    let [cumulus, nimbus, stratus] = new;
    let new = NewNodes {
        total: new.iter().sum(),
        cumulus,
        nimbus,
        stratus,
    };
    answer(&(old, new))
}

#[derive(Serialize)]
struct DelegatesView {
    collateral: String,
    #[serde(rename = "has_delegates")]
    any: bool,
    #[serde(flatten)]
    keys: Option<DelegateKeys>,
}

#[derive(Serialize)]
struct DelegateKeys {
    #[serde(rename = "delegate_version")]
    version: u8,
    #[serde(rename = "delegate_type")]
    kind: u8,
    #[serde(rename = "delegate_type_string")]
    kind_name: &'static str,
    #[serde(rename = "delegate_keys")]
    keys: Vec<String>,
}

fn listfluxnodedelegates(daemon: &Daemon, params: &Params) -> Answer {
    let txid = params.required(0)?.strict_hash("txhash")?;
    let text = params.required(1)?.text()?;
    let n = text
        .parse()
        .map_err(|_| RpcError::parameter(format!("Invalid output index: {text}")))?;
    let collateral = OutPoint::new(txid, n);
    let keys = daemon.chain.nodes().delegates(&collateral);
    answer(&DelegatesView {
        collateral: collateral.full_text(),
        any: !keys.is_empty(),
        keys: (!keys.is_empty()).then(|| DelegateKeys {
            version: 1,
            kind: 1,
            kind_name: "UPDATE",
            keys: keys.iter().map(ToString::to_string).collect(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_decimals_or_as_many_as_it_needs() {
        assert_eq!(money(Sat::from_flux(1_000)), "1000.00");
        assert_eq!(money(Sat::new(150_000_001)), "1.50000001");
        assert_eq!(money(Sat::new(10_000_000)), "0.10");
    }
}
