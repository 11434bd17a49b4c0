//! A settled epoch: leaves, tree, proofs, invoice and anchor, made with the rules of the ledger.

use fluxplane_core::{
    Sat,
    id::{EpochNumber, NodeId, TransferId},
};
use fluxplane_flux_chain::{
    Address, OutPoint,
    build::{PaymentBuilder, Utxo},
    params::ChainParams,
};
use fluxplane_fluxctl::wallet::Key;
use fluxplane_ledger::{
    asset::Asset,
    settlement::{
        Anchor, Commitment, EpochLeaves, Hash32, InvoiceLine, Leaf, LineKind, Payout, Salt, Tree,
        commitment::Role, epoch::EpochOpening,
    },
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    ChainNode, lines_of,
    sample::{OWNER, flux, uuid},
};

pub(crate) const SALT: [u8; 32] = [0x5a; 32];

/// Seconds since 1970 at which the epoch began, 2026-11-22T08:00:00Z.
const BEGAN: u64 = 1_795_334_400;

/// An epoch with its leaves in order.
pub(crate) struct Settled {
    pub(crate) leaves: Vec<Vec<u8>>,
    tree: Tree,
    pub(crate) anchor: Anchor,
    previous_root: Hash32,
}

fn id(number: u32) -> Uuid {
    uuid(number).parse().unwrap()
}

/// Line `number` of the invoice of [`OWNER`], amounts differing from line to line.
fn line(epoch: u64, number: u32) -> InvoiceLine {
    InvoiceLine {
        epoch: EpochNumber(epoch),
        invoice: id(300).into(),
        number,
        customer: Commitment::new(Role::Customer, &Salt::new(SALT), &OWNER.parse().unwrap()),
        app: id(10).into(),
        instance: id(100 + number).into(),
        node: id(200 + number).into(),
        quote: id(1).into(),
        price_table: 1,
        from: BEGAN,
        to: BEGAN + 3_600,
        seconds: 3_600 - u64::from(number),
        kind: LineKind::Usage,
        amount: amount(number),
        asset: Asset::FLUX,
        evidence: evidence(number),
    }
}

/// The seconds behind a line: two intervals with a gap of as many seconds as its number.
fn intervals(number: u32) -> [(u64, u64); 2] {
    let gap = u64::from(number);
    [(BEGAN, BEGAN + 1_000), (BEGAN + 1_000 + gap, BEGAN + 3_600)]
}

fn evidence(number: u32) -> Hash32 {
    let mut hasher = Sha256::new_with_prefix(b"fluxplane/usage/v1");
    hasher.update(id(100 + number).as_bytes());
    hasher.update(id(200 + number).as_bytes());
    for (from, to) in intervals(number) {
        hasher.update(from.to_be_bytes());
        hasher.update(to.to_be_bytes());
    }
    Hash32(hasher.finalize().into())
}

fn amount(number: u32) -> Sat {
    Sat::new(1_000_000 + i64::from(number))
}

impl Settled {
    /// An epoch with `lines` lines and two payouts.
    pub(crate) fn new(epoch: u64, lines: u32, previous_root: Hash32) -> Self {
        let payout = |number: u32| Payout {
            epoch: EpochNumber(epoch),
            id: TransferId::new(id(400 + number)),
            operator: Commitment::new(Role::Operator, &Salt::new(SALT), &OWNER.parse().unwrap()),
            node: NodeId::new(id(200 + number)),
            share_table: 1,
            online: Sat::new(100),
            hosting: Sat::new(50),
            asset: Asset::FLUX,
            seconds_online: 3_600,
        };
        let opening = EpochOpening {
            epoch: EpochNumber(epoch),
            previous_root,
            opened_at: BEGAN,
            closed_at: BEGAN + 3_600,
            asset: Asset::FLUX,
        };
        let lines = (1..=lines).map(|number| line(epoch, number)).collect();
        let leaves = EpochLeaves::new(opening, lines, vec![payout(1), payout(2)]).unwrap();
        Self {
            tree: leaves.tree().unwrap(),
            anchor: leaves.anchor().unwrap(),
            leaves: leaves.iter().map(|leaf| leaf.encode()).collect(),
            previous_root,
        }
    }

    /// The proof of a line as the gateway hands it out.
    pub(crate) fn proof(&self, number: u32, anchor: Option<(&str, u32)>) -> Value {
        let index = self
            .leaves
            .iter()
            .position(
                |leaf| matches!(Leaf::decode(leaf), Ok(Leaf::Line(line)) if line.number == number),
            )
            .unwrap();
        let proof = self.tree.prove(u32::try_from(index).unwrap()).unwrap();
        let path: Vec<String> = proof.path.iter().map(ToString::to_string).collect();
        let evidence =
            intervals(number).map(|(from, to)| json!({ "from_unix_s": from, "to_unix_s": to }));
        json!({
            "evidence": evidence, "epoch": self.anchor.epoch.0, "leaf": hex::encode(&self.leaves[index]),
            "leaf_index": index, "tree_size": self.anchor.count, "path": path,
            "root": self.anchor.root.to_string(), "previous_root": self.previous_root.to_string(),
            "owner_salt": hex::encode(SALT),
            "anchor": anchor.map(|(txid, height)| json!({ "txid": txid, "height": height })),
        })
    }

    /// The invoice of [`OWNER`] with all lines.
    pub(crate) fn invoice(&self, lines: u32) -> Value {
        let total: i64 = (1..=lines).map(|number| amount(number).get()).sum();
        let line = |number: u32| {
            json!({
                "number": number, "app_id": uuid(10), "app_name": "shop",
                "instance_id": uuid(100 + number), "node_id": uuid(200 + number), "quote_id": uuid(1),
                "seconds": 3_600 - number, "from": "2026-11-22T08:00:00Z",
                "to": "2026-11-22T09:00:00Z", "amount": flux(amount(number).get()),
                "leaf_index": number,
            })
        };
        let all: Vec<Value> = (1..=lines).map(line).collect();
        json!({
            "invoice_id": uuid(300), "owner": OWNER, "epoch": self.anchor.epoch.0,
            "epoch_state": "sealed", "from": "2026-11-22T08:00:00Z", "to": "2026-11-22T09:00:00Z",
            "total": flux(total), "line_count": lines, "lines": all,
        })
    }

    /// The epoch as the gateway shows it.
    pub(crate) fn epoch(&self, anchor: Option<(&str, u32)>) -> Value {
        let (mut charged, mut paid) = (0, 0);
        for leaf in &self.leaves {
            match Leaf::decode(leaf).unwrap() {
                Leaf::Line(line) => charged += line.amount.get(),
                Leaf::Payout(payout) => paid += payout.total().unwrap().get(),
                Leaf::Header(_) => {}
            }
        }
        let first = self.previous_root == Hash32::ZERO;
        json!({
            "number": self.anchor.epoch.0, "state": "sealed", "from": "2026-11-22T08:00:00Z",
            "to": "2026-11-22T09:00:00Z", "root": self.anchor.root.to_string(),
            "previous_root": (!first).then(|| self.previous_root.to_string()),
            "leaf_count": self.anchor.count, "charged": flux(charged), "paid_out": flux(paid),
            "anchor": anchor.map(|(txid, height)| json!({ "txid": txid, "height": height, "confirmations": 41 })),
        })
    }

    /// The download of the leaves.
    pub(crate) fn download(&self) -> String {
        let leaves = self.leaves.iter().enumerate();
        lines_of(leaves.map(|(index, leaf)| json!({ "index": index, "leaf": hex::encode(leaf) })))
    }

    /// Puts the anchor on a chain, sent by a key. Returns the transaction's id.
    pub(crate) fn publish(&self, node: &ChainNode, sender: &Key, height: Option<u32>) -> String {
        publish(node, sender, &self.anchor.encode(), height)
    }
}

/// Puts a payload on a chain, sent by a key.
pub(crate) fn publish(
    node: &ChainNode,
    sender: &Key,
    payload: &[u8],
    height: Option<u32>,
) -> String {
    let parent = payment(
        &sender.address(),
        OutPoint::new("11".repeat(32).parse().unwrap(), 0),
        sender,
        &[],
    );
    let parent_id = node.add(&parent, Some(1));
    let coin = OutPoint::new(parent_id.parse().unwrap(), 0);
    let anchor = payment(&sender.address(), coin, sender, payload);
    let txid = node.add(&anchor, height);
    node.chain().address_txids.push(txid.clone());
    txid
}

/// Spends a coin of `key`, pays `to`, carries `payload`.
fn payment(to: &Address, coin: OutPoint, key: &Key, payload: &[u8]) -> Vec<u8> {
    let coin = Utxo {
        outpoint: coin,
        value: Sat::from_flux(1),
        script: key.address().script(),
    };
    let mut draft = PaymentBuilder::new()
        .spend(coin)
        .pay(to, Sat::from_flux(1).checked_sub(Sat::new(1_000)).unwrap());
    if !payload.is_empty() {
        draft = draft.data(payload).unwrap();
    }
    let branch = ChainParams::main().branch_id(2_100_000);
    let keys = std::slice::from_ref(key.private());
    draft.build().unwrap().sign(keys, branch).unwrap().bytes
}
