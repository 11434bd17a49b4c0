//! Invoices that anyone can check.

use fluxplane_billing::domain::settlement::evidence_hash;
use fluxplane_core::{error::Reason, id::EpochNumber};
use fluxplane_ledger::{
    interval::{Interval, IntervalSet},
    settlement::{Anchor, Hash32, Leaf, Proof, Receipt, Salt, commitment::Role, epoch::recompute},
};
use fluxplane_platform::error::Remote;
use fluxplane_proto::billing::v1::{
    GetInvoiceRequest, GetLineProofRequest, GetLineProofResponse, Invoice, ListInvoicesRequest,
    StreamLeavesRequest,
};

use crate::{
    play::{OWNER, cost},
    support::Plane,
    usage::running,
};

async fn invoice(plane: &Plane) -> Invoice {
    let request = ListInvoicesRequest {
        owner: OWNER.to_owned(),
        page: None,
    };
    let mut client = plane.gateway();
    let invoices = client
        .list_invoices(request)
        .await
        .unwrap()
        .into_inner()
        .invoices;
    let request = GetInvoiceRequest {
        invoice_id: invoices[0].invoice_id.clone(),
        owner: OWNER.to_owned(),
    };
    client
        .get_invoice(request)
        .await
        .unwrap()
        .into_inner()
        .invoice
        .unwrap()
}

fn hash(bytes: &[u8]) -> Hash32 {
    Hash32(bytes.try_into().unwrap())
}

fn receipt(proof: &GetLineProofResponse) -> (Receipt, Anchor) {
    let receipt = Receipt {
        leaf: proof.leaf.clone(),
        proof: Proof {
            index: u32::try_from(proof.leaf_index).unwrap(),
            size: u32::try_from(proof.tree_size).unwrap(),
            path: proof.path.iter().map(|bytes| hash(bytes)).collect(),
        },
    };
    let anchor = Anchor {
        epoch: EpochNumber(proof.epoch),
        root: hash(&proof.root),
        count: u32::try_from(proof.tree_size).unwrap(),
    };
    (receipt, anchor)
}

#[tokio::test]
async fn every_line_of_an_invoice_is_proven_and_no_altered_one_is() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    plane.pass(100);
    for (instance, node) in (1..).zip(&machines) {
        let id = app.instance(instance);
        let ran = [(id, 1, from, from + 30), (id, 1, from + 40, from + 60)];
        let body = node.report(1, (from, from + 60), &ran);
        plane.tell(&node.signed(&body, plane.now())).await;
    }
    plane.close_epoch().await;
    let invoice = invoice(&plane).await;
    assert_eq!(invoice.total.as_ref().unwrap().units, cost(150));
    assert_eq!((invoice.line_count, invoice.lines.len()), (3, 3));
    for line in &invoice.lines {
        assert_eq!((line.seconds, line.app_name.as_str()), (50, "app1"));
        let request = GetLineProofRequest {
            invoice_id: invoice.invoice_id.clone(),
            line_number: line.number,
            owner: OWNER.to_owned(),
        };
        let proof = plane
            .gateway()
            .get_line_proof(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(proof.leaf_index, line.leaf_index);
        let (receipt, anchor) = receipt(&proof);
        let Ok(Leaf::Line(leaf)) = receipt.verify(&anchor) else {
            panic!("the proof fails");
        };
        assert_eq!(leaf.amount.get(), line.amount.as_ref().unwrap().units);
        assert_eq!(leaf.instance.to_string(), line.instance_id);
        // The salt opens the commitment to the owner, and the seconds are those the leaf commits to.
        let salt = Salt::new(proof.owner_salt.clone().try_into().unwrap());
        assert!(
            leaf.customer
                .opens_to(Role::Customer, &salt, &OWNER.parse().unwrap())
        );
        let seconds = proof
            .evidence
            .iter()
            .map(|part| Interval::new(part.from_unix_s, part.to_unix_s).unwrap());
        let seconds = IntervalSet::from(seconds.collect::<Vec<_>>());
        assert_eq!(
            evidence_hash(leaf.instance, leaf.node, &seconds),
            leaf.evidence
        );

        for position in [0, 20, 100, 166, 206] {
            let mut altered = receipt.clone();
            altered.leaf[position] ^= 1;
            assert!(altered.verify(&anchor).is_err(), "byte {position}");
        }
    }
}

#[tokio::test]
async fn the_published_leaves_recompute_to_the_root() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    plane.pass(100);
    let body = machines[0].report(
        1,
        (from, from + 60),
        &[(app.instance(1), 1, from, from + 60)],
    );
    plane.tell(&machines[0].signed(&body, plane.now())).await;
    let closed = plane.close_epoch().await;
    let mut stream = plane
        .client("validator")
        .stream_leaves(StreamLeavesRequest { epoch: 1 })
        .await
        .unwrap()
        .into_inner();
    let mut leaves = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        assert_eq!(message.first_index, u64::try_from(leaves.len()).unwrap());
        leaves.extend(message.leaves);
    }
    let (header, anchor) = recompute(&leaves).unwrap();
    assert_eq!(anchor.root, hash(&closed.root));
    assert_eq!(u64::from(anchor.count), closed.leaf_count);
    assert_eq!(header.charged.get(), closed.charged.unwrap().units);
    leaves.swap_remove(1);
    assert!(recompute(&leaves).is_err());
}

#[tokio::test]
async fn an_invoice_of_another_does_not_exist_and_a_wrong_line_is_named() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    plane.pass(100);
    let body = machines[0].report(
        1,
        (from, from + 60),
        &[(app.instance(1), 1, from, from + 60)],
    );
    plane.tell(&machines[0].signed(&body, plane.now())).await;
    plane.close_epoch().await;
    let invoice_id = invoice(&plane).await.invoice_id;
    let mut client = plane.gateway();
    let foreign = GetInvoiceRequest {
        invoice_id: invoice_id.clone(),
        owner: "1SomebodyElse".to_owned(),
    };
    let refused = Remote::from(client.get_invoice(foreign).await.unwrap_err());
    assert_eq!(refused.reason, Reason::NotFound);
    let wrong = GetLineProofRequest {
        invoice_id,
        line_number: 2,
        owner: OWNER.to_owned(),
    };
    let refused = Remote::from(client.get_line_proof(wrong).await.unwrap_err());
    assert_eq!(refused.violations[0].field, "line_number");
    let open = StreamLeavesRequest { epoch: 2 };
    let refused = Remote::from(client.stream_leaves(open).await.unwrap_err());
    assert_eq!(refused.reason, Reason::EpochNotClosed);
}
