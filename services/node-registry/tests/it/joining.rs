//! Who may join, and what whoever may not is told.

use fluxplane_core::{Tier, error::Reason};
use fluxplane_platform::{config::Span, error::Remote};
use fluxplane_proto::{
    common::v1::{Caller, OutPoint},
    node_registry::v1::{CreateJoinTokenRequest, JoinRequest, ListNodesRequest, NodeState},
};
use tonic::Code;

use crate::{
    agent::Agent,
    support::{BEAT, OPERATOR, Plane, TXID, join, join_request, node_key},
};

async fn refused(plane: &Plane, request: JoinRequest) -> Remote {
    Remote::from(plane.join_client().await.join(request).await.unwrap_err())
}

fn fields(remote: &Remote) -> Vec<&str> {
    remote
        .violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect()
}

#[tokio::test]
async fn a_joined_node_is_listed_with_its_tier_and_capacity() {
    let plane = Plane::start().await;
    let (joined, _) = join(&plane, 0, 16_199).await;
    let request = ListNodesRequest {
        operator: OPERATOR.to_owned(),
        ..Default::default()
    };
    let nodes = plane
        .node_client("gateway")
        .list_nodes(request)
        .await
        .unwrap()
        .into_inner()
        .nodes;
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].node_id, joined.node_id);
    assert_eq!(nodes[0].state(), NodeState::Joined);
    assert_eq!(nodes[0].tier, i32::from(Tier::Cumulus.number()));
    // Eight threads less the one kept back.
    assert_eq!(nodes[0].capacity.as_ref().unwrap().cpu_milli, 7_000);
}

#[tokio::test]
async fn a_token_serves_once_and_only_if_we_made_it() {
    let plane = Plane::start().await;
    let key = node_key(1);
    plane.chain.put(0, &key, Tier::Cumulus);
    let (request, _) = join_request("fxj_made_up", 0, &key);
    let remote = refused(&plane, request).await;
    assert_eq!(
        (remote.reason, fields(&remote)),
        (Reason::JoinTokenInvalid, vec!["token"])
    );

    let token = plane.token(0).await;
    let (request, _) = join_request(&token, 0, &key);
    plane
        .join_client()
        .await
        .join(request.clone())
        .await
        .unwrap();
    let remote = refused(&plane, request).await;
    assert_eq!(remote.reason, Reason::JoinTokenInvalid);
    assert!(
        remote.violations[0].value.starts_with("used at"),
        "{remote:?}"
    );
    let text = plane.metrics.encode();
    assert!(
        text.contains(r#"rejected_total{code="join-token-invalid"} 2"#),
        "{text}"
    );
}

#[tokio::test]
async fn a_wrong_node_key_a_small_machine_and_a_foreign_address_are_refused_by_name() {
    let plane = Plane::start().await;
    let key = node_key(1);
    plane.chain.put(0, &key, Tier::Cumulus);
    let token = plane.token(0).await;

    let (request, _) = join_request(&token, 0, &node_key(99));
    let remote = refused(&plane, request).await;
    let expected = (Reason::NodeKeyMismatch, vec!["node_key_signature"]);
    assert_eq!((remote.reason, fields(&remote)), expected);

    let (mut request, _) = join_request(&token, 0, &key);
    request.benchmark.as_mut().unwrap().threads = 1;
    let remote = refused(&plane, request).await;
    assert_eq!(
        (remote.reason, fields(&remote)),
        (Reason::TierNotMet, vec!["benchmark.threads"])
    );

    let (mut request, _) = join_request(&token, 0, &key);
    request.ip = "127.0.0.2".to_owned();
    let remote = refused(&plane, request).await;
    assert_eq!(
        (remote.reason, fields(&remote)),
        (Reason::InvalidRequest, vec!["ip"])
    );

    let (mut request, _) = join_request(&token, 0, &key);
    request.collateral = Some(OutPoint {
        txid: TXID.to_owned(),
        vout: 7,
    });
    let remote = refused(&plane, request).await;
    assert_eq!(
        (remote.reason, fields(&remote)),
        (Reason::JoinTokenInvalid, vec!["collateral"])
    );

    let token = plane.token(7).await;
    let (request, _) = join_request(&token, 7, &key);
    let remote = refused(&plane, request).await;
    assert_eq!(remote.reason, Reason::CollateralNotConfirmed);

    // Nothing was half-done: the first token still serves.
    let token = plane.token(0).await;
    let (request, _) = join_request(&token, 0, &key);
    plane.join_client().await.join(request).await.unwrap();
}

#[tokio::test]
async fn a_second_machine_is_refused_while_the_first_is_alive_and_replaces_it_when_it_is_not() {
    let plane = Plane::start_with(|config| {
        // Time to be refused in, before its silence means anything.
        config.agents.heartbeat_interval = Span(5 * BEAT);
    })
    .await;
    let first = Agent::new(&plane, join(&plane, 0, 16_199).await);
    let session = first.connect().await.unwrap();
    session.beat(1).await;
    let state = async |node: &str| {
        let request = fluxplane_proto::node_registry::v1::GetNodeRequest {
            node_id: node.to_owned(),
        };
        plane
            .node_client("gateway")
            .get_node(request)
            .await
            .unwrap()
            .into_inner()
            .node
            .unwrap()
            .state()
    };
    plane.until(&first.node_id, &[NodeState::Ready]).await;

    let key = node_key(1);
    let token = plane.token(0).await;
    let (request, _) = join_request(&token, 0, &key);
    let remote = refused(&plane, request.clone()).await;
    assert_eq!(
        (remote.reason, fields(&remote)),
        (Reason::CollateralInUse, vec!["collateral"])
    );

    plane.until(&first.node_id, &[NodeState::Lost]).await;
    plane.join_client().await.join(request).await.unwrap();
    assert_eq!(state(&first.node_id).await, NodeState::Retired);
    let refused = first.connect().await.map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn repeating_a_token_request_gives_the_same_token() {
    let plane = Plane::start().await;
    let request = CreateJoinTokenRequest {
        caller: Some(Caller {
            principal: OPERATOR.to_owned(),
            request_id: "a".to_owned(),
        }),
        idempotency_key: "k".to_owned(),
        collateral: Some(OutPoint {
            txid: TXID.to_owned(),
            vout: 0,
        }),
        ttl_seconds: 600,
    };
    let mut client = plane.node_client("gateway");
    let first = client
        .create_join_token(request.clone())
        .await
        .unwrap()
        .into_inner();
    let mut again = request.clone();
    again.caller.as_mut().unwrap().request_id = "b".to_owned();
    let second = client.create_join_token(again).await.unwrap().into_inner();
    assert_eq!(
        (&first.token, first.expires_at),
        (&second.token, second.expires_at)
    );

    let other = CreateJoinTokenRequest {
        ttl_seconds: 601,
        ..request.clone()
    };
    let remote = Remote::from(client.create_join_token(other).await.unwrap_err());
    assert_eq!(remote.reason, Reason::IdempotencyKeyReused);
    let long = CreateJoinTokenRequest {
        ttl_seconds: 3_601,
        idempotency_key: "l".into(),
        ..request
    };
    let remote = Remote::from(client.create_join_token(long).await.unwrap_err());
    assert_eq!(fields(&remote), ["ttl_seconds"]);
}

#[tokio::test]
async fn only_the_gateway_asks_about_nodes() {
    let plane = Plane::start().await;
    let refused = plane
        .node_client("validator")
        .list_nodes(ListNodesRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}
