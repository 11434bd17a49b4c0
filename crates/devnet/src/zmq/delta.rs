//! The body of `fluxnodelistdelta`: which confirmed nodes came, went and changed between two tips (fluxd
//! `src/zmq/zmqpublishnotifier.cpp`).

use fluxplane_flux_chain::{OutPoint, encode::Sink as _, fluxnode::NodeEntry};

use crate::{
    chain::{BlockRef, NodeListChange},
    zmq::display_order,
};

/// Set when blocks were taken back between the two tips.
const REORGANISED: u8 = 1;

pub(super) fn body(
    from: BlockRef,
    to: BlockRef,
    reorganised: bool,
    changes: &NodeListChange,
) -> Vec<u8> {
    let mut body = Vec::new();
    body.put_u32(from.height);
    body.put_u32(to.height);
    body.put(&display_order(&from.hash));
    body.put(&display_order(&to.hash));
    body.put_u8(if reorganised { REORGANISED } else { 0 });
    put_nodes(&mut body, &changes.added);
    body.put_length(changes.removed.len());
    for outpoint in &changes.removed {
        put_outpoint(&mut body, outpoint);
    }
    put_nodes(&mut body, &changes.updated);
    body
}

fn put_nodes(body: &mut Vec<u8>, nodes: &[NodeEntry]) {
    body.put_length(nodes.len());
    for node in nodes {
        put_outpoint(body, &node.collateral);
        body.put_var_bytes(node.collateral_key.as_bytes());
        body.put_var_bytes(node.node_key.as_bytes());
        body.put_u32(node.confirmed_height);
        body.put_u32(node.last_paid_height);
        body.put_u8(node.tier.number());
        body.put_u8(node.status.code());
        body.put_var_bytes(node.ip.as_bytes());
    }
}

fn put_outpoint(body: &mut Vec<u8>, outpoint: &OutPoint) {
    body.put(&display_order(&outpoint.txid));
    body.put_u32(outpoint.n);
}
