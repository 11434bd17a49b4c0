//! Questions of other services: right answers, wrong questions, and who may ask.

use fluxplane_platform::error::{Remote, ServiceError as _};
use fluxplane_proto::{
    chain_indexer::v1::{
        FluxnodeStatus, GetBlockRequest, GetFluxnodeRequest, GetStatusRequest,
        GetTransactionRequest, ListFluxnodesRequest, ListPaymentsRequest, get_block_request::Key,
    },
    common::v1::{OutPoint, PageRequest, Tier},
};
use fluxplane_testkit::eventually;
use tonic::{Code, Status};

use crate::support::{
    chain::{Branch, RECORD, message, payment, recorded, shop, txid},
    daemon::Daemon,
    service::{LIMIT, Running},
};

/// The service over a chain with one payment in a block and one in the mempool.
async fn running() -> (Running, Daemon) {
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&[payment(1, &message('a'))]);
    branch.grow_by(2);
    let daemon = Daemon::start(&branch.blocks).await;
    daemon.set_mempool(&[payment(2, &message('a'))]);
    let service = Running::start(&daemon).await;
    let client = service.client("gateway");
    // Not by asking for the transaction: the daemon would be asked for what is not indexed yet.
    eventually(LIMIT, async || {
        let request = ListPaymentsRequest {
            message_hash: message('a'),
            page: None,
        };
        let listed = client.clone().list_payments(request).await.unwrap();
        let listed = listed.into_inner().payments;
        let deep = listed.iter().any(|paid| paid.confirmations == 3);
        if deep && listed.len() == 2 {
            Ok(())
        } else {
            Err(listed)
        }
    })
    .await;
    (service, daemon)
}

/// The field a refusal names first.
#[track_caller]
fn refused(status: Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let violations = Remote::from(status).violations();
    let first = violations.first().expect("a violation");
    assert!(!first.rule.is_empty() && !first.remedy.is_empty());
    first.field.clone()
}

#[tokio::test]
async fn questions_are_answered_from_the_chain() {
    let (service, _daemon) = running().await;
    let mut client = service.client("validator");
    let status = client
        .get_status(GetStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!((status.network.as_str(), status.height), ("devnet", 303));
    assert_eq!(status.daemon_height, 303);
    assert_eq!(status.payment_addresses, [shop().to_string()]);
    assert_eq!(status.halted_reason, "");
    assert!(status.block_time.is_some());

    let by_height = GetBlockRequest {
        key: Some(Key::Height(301)),
    };
    let block = client
        .get_block(by_height)
        .await
        .unwrap()
        .into_inner()
        .block
        .unwrap();
    let id = txid(&payment(1, &message('a'))).to_string();
    assert_eq!(block.txids.len(), 2);
    assert_eq!(block.txids[1], id);
    let by_hash = GetBlockRequest {
        key: Some(Key::Hash(block.hash.clone())),
    };
    let same = client
        .get_block(by_hash)
        .await
        .unwrap()
        .into_inner()
        .block
        .unwrap();
    assert_eq!(same, block);
    let parent = fluxplane_flux_chain::Block::parse(recorded(300))
        .unwrap()
        .header
        .hash();
    assert_eq!(block.previous_hash, parent.to_string());

    let found = client
        .get_transaction(GetTransactionRequest { txid: id })
        .await;
    let found = found.unwrap().into_inner();
    assert_eq!((found.height, found.confirmations), (301, 3));
    assert_eq!(found.block_hash, block.hash);
    assert_eq!(found.raw_hex, hex::encode(payment(1, &message('a'))));
    let waiting = txid(&payment(2, &message('a'))).to_string();
    let found = client
        .get_transaction(GetTransactionRequest { txid: waiting })
        .await;
    let found = found.unwrap().into_inner();
    assert_eq!(
        (found.height, found.confirmations, found.block_hash.as_str()),
        (0, 0, "")
    );

    let request = ListPaymentsRequest {
        message_hash: message('a'),
        page: None,
    };
    let listed = client.list_payments(request).await.unwrap().into_inner();
    let confirmations: Vec<u32> = listed.payments.iter().map(|p| p.confirmations).collect();
    assert_eq!(confirmations, [3, 0]);
}

#[tokio::test]
async fn nodes_are_found_by_collateral_and_listed_by_tier() {
    let (service, _daemon) = running().await;
    let mut client = service.client("gateway");
    let collateral = |index: usize| {
        let collateral = &RECORD["nodes"][index]["collateral"];
        OutPoint {
            txid: collateral["txid"].as_str().unwrap().to_owned(),
            vout: u32::try_from(collateral["n"].as_u64().unwrap()).unwrap(),
        }
    };
    let request = ListFluxnodesRequest {
        page: None,
        tier: Tier::Nimbus.into(),
    };
    let nimbus = client.list_fluxnodes(request).await.unwrap().into_inner();
    assert_eq!(nimbus.fluxnodes.len(), 2);
    assert_eq!(nimbus.height, 303);
    for (rank, node) in (0..).zip(&nimbus.fluxnodes) {
        let request = GetFluxnodeRequest {
            collateral: node.collateral.clone(),
        };
        let same = client.get_fluxnode(request).await.unwrap().into_inner();
        assert!(
            node.added_at.is_some(),
            "the block at {} is known",
            node.added_height
        );
        assert_eq!(node.amount_sat, 1_250_000_000_000);
        // Only the list looks for the times of blocks.
        let mut bare = node.clone();
        (bare.added_at, bare.last_paid_at) = (None, None);
        assert_eq!(same.fluxnode, Some(bare));
        assert_eq!(node.rank, Some(rank));
        assert_eq!(node.tier(), Tier::Nimbus);
        assert_eq!(node.node_pubkey.len(), 66);
    }
    // n3 was started at 217 and never confirmed.
    let request = GetFluxnodeRequest {
        collateral: Some(collateral(3)),
    };
    let started = client
        .get_fluxnode(request)
        .await
        .unwrap()
        .into_inner()
        .fluxnode
        .unwrap();
    assert_eq!(started.status(), FluxnodeStatus::Started);
    assert_eq!((started.added_height, started.rank), (217, None));
    // n0 was never started.
    let request = GetFluxnodeRequest {
        collateral: Some(collateral(0)),
    };
    let status = client.get_fluxnode(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn wrong_questions_name_the_field_and_absent_things_are_not_found() {
    let (service, _daemon) = running().await;
    let mut client = service.client("gateway");
    let status = client
        .get_block(GetBlockRequest { key: None })
        .await
        .unwrap_err();
    assert_eq!(refused(status), "key");
    let request = GetBlockRequest {
        key: Some(Key::Hash("12".to_owned())),
    };
    assert_eq!(
        refused(client.get_block(request).await.unwrap_err()),
        "hash"
    );
    let request = GetTransactionRequest {
        txid: "zz".repeat(32),
    };
    assert_eq!(
        refused(client.get_transaction(request).await.unwrap_err()),
        "txid"
    );
    let request = GetFluxnodeRequest { collateral: None };
    assert_eq!(
        refused(client.get_fluxnode(request).await.unwrap_err()),
        "collateral"
    );
    let request = ListFluxnodesRequest {
        page: None,
        tier: 9,
    };
    assert_eq!(
        refused(client.list_fluxnodes(request).await.unwrap_err()),
        "tier"
    );
    let page = Some(PageRequest {
        size: 201,
        cursor: String::new(),
    });
    let request = ListFluxnodesRequest { page, tier: 0 };
    assert_eq!(
        refused(client.list_fluxnodes(request).await.unwrap_err()),
        "page.size"
    );
    let request = ListPaymentsRequest {
        message_hash: "A".repeat(64),
        page: None,
    };
    assert_eq!(
        refused(client.list_payments(request).await.unwrap_err()),
        "message_hash"
    );
    for key in [
        Key::Height(304),
        Key::Height(u32::MAX),
        Key::Hash(message('b')),
    ] {
        let request = GetBlockRequest { key: Some(key) };
        let status = client.get_block(request).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
    }
    let request = GetTransactionRequest { txid: message('b') };
    let status = client.get_transaction(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let collateral = Some(OutPoint {
        txid: message('b'),
        vout: u32::MAX,
    });
    let status = client
        .get_fluxnode(GetFluxnodeRequest { collateral })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(
        service
            .metrics
            .encode()
            .contains("fluxplane_rejected_total{code=\"not-found\"}")
    );
}

#[tokio::test]
async fn a_stranger_may_ask_nothing() {
    let (service, _daemon) = running().await;
    let status = service
        .client("stranger")
        .get_status(GetStatusRequest {})
        .await;
    assert_eq!(status.unwrap_err().code(), Code::PermissionDenied);
}
