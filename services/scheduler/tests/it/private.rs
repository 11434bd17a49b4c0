//! What is private is sealed at rest, and reaches the node of the present assignment alone.

use fluxplane_core::error::Reason;
use fluxplane_envelope::{RootRing, SystemEntropy};
use fluxplane_platform::{error::Remote, keyring};
use fluxplane_proto::scheduler::v1::{AppState, DeliverPrivateRequest};
use fluxplane_testkit::eventually;
use prost::Message as _;
use tonic::Code;

use crate::support::{LIMIT, Plane, agents::node_id, spec::web, wallet::Wallet};

const MARK: &str = "Xy7-private-mark";

/// One instance whose environment has the mark.
fn marked(name: &str) -> String {
    let mut spec = web(name);
    spec.instances = 3;
    spec.json().replace("\"A=1\"", &format!("\"A={MARK}\""))
}

#[tokio::test]
async fn nothing_private_is_stored_or_announced_in_the_clear() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(3).await;
    let request = plane.submission(&wallet, &marked("shop"));
    let first = plane.client().submit_app(request.clone()).await.unwrap();
    let app = first.into_inner().app.unwrap();
    let current = app.current.clone().unwrap();
    assert!(current.spec_json.contains(MARK), "owners read their own");
    let again = plane.client().submit_app(request).await.unwrap();
    assert_eq!(again.into_inner().app.unwrap(), app);
    plane.bus.fund(&current, plane.in_days(30)).await;
    plane.until(&wallet, "shop", AppState::Running).await;
    plane.cancel(&wallet, "shop").await.unwrap();
    plane.until(&wallet, "shop", AppState::Cancelled).await;

    assert_eq!(plane.tables_with(MARK).await, [""; 0]);
    let known = plane.tables_with("shop").await;
    assert!(
        known.contains(&"app".to_owned()),
        "the search finds what is there"
    );
    for told in agents.history() {
        let bytes = told.encode_to_vec();
        let mark = MARK.as_bytes();
        assert!(!bytes.windows(mark.len()).any(|window| window == mark));
    }
    let found = plane.app(&wallet, "shop").await;
    assert!(found.current.unwrap().spec_json.contains(MARK));
}

#[tokio::test]
async fn the_node_of_the_present_assignment_gets_it_and_nobody_else() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    plane.deploy(&wallet, &marked("shop")).await;
    let instances = plane.instances(&wallet, "shop", false).await;
    let (one, two) = (&instances[0], &instances[1]);
    assert_eq!(plane.environment(one).await, [format!("A={MARK}")]);

    let refused = |node: String, instance: String, epoch: u64| {
        let plane = &plane;
        async move {
            let status = plane.delivered(&node, &instance, epoch).await.unwrap_err();
            (status.code(), Remote::from(status).reason)
        }
    };
    let (node, id) = (one.node_id.clone(), one.instance_id.clone());
    let elsewhere = refused(two.node_id.clone(), id.clone(), 1).await;
    assert_eq!(elsewhere, (Code::PermissionDenied, Reason::Forbidden));
    let unknown = refused(node.clone(), node_id(99), 1).await;
    assert_eq!(unknown, elsewhere, "what does not exist looks the same");
    for epoch in [0, 2] {
        let over = refused(node.clone(), id.clone(), epoch).await;
        assert_eq!(over, (Code::FailedPrecondition, Reason::AssignmentOver));
    }
    let broken = DeliverPrivateRequest {
        node_id: node.clone(),
        instance_id: id.clone(),
        assignment_epoch: 1,
        recipient_key: vec![0; 32],
    };
    let mut registry = plane.secrets_as("node-registry");
    let status = registry.deliver_private(broken.clone()).await.unwrap_err();
    assert_eq!(Remote::from(status).violations[0].field, "recipient_key");
    for stranger in ["gateway", "billing"] {
        let mut client = plane.secrets_as(stranger);
        let status = client.deliver_private(broken.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{stranger}");
    }

    plane.cancel(&wallet, "shop").await.unwrap();
    let over = refused(node, id, 1).await;
    assert_eq!(over, (Code::FailedPrecondition, Reason::AssignmentOver));
}

#[tokio::test]
async fn what_was_stored_in_the_clear_is_sealed_and_told_again() {
    let mut plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(3).await;
    let app = plane.deploy(&wallet, &marked("shop")).await;
    let instances = plane.instances(&wallet, "shop", false).await;
    let told = agents.desired(&instances[0].node_id).unwrap().version;
    plane.stop().await;
    // As an older release left it.
    let spec_json = app.current.unwrap().spec_json;
    sqlx::query!(
        r#"
        UPDATE revision SET spec_json = $1, spec_sealed = NULL, private_sealed = NULL,
            workload = jsonb_set(workload #- '{components,0,environment_sealed}',
                                 '{components,0,environment}', jsonb_build_array($2::text))
        "#,
        spec_json,
        format!("A={MARK}"),
    )
    .execute(&plane.db.pool)
    .await
    .unwrap();
    sqlx::query!("UPDATE node_desired SET outdated = true")
        .execute(&plane.db.pool)
        .await
        .unwrap();
    assert_eq!(plane.tables_with(MARK).await, ["revision"]);

    plane.boot().await;
    eventually(LIMIT, async || {
        let found = plane.tables_with(MARK).await;
        if found.is_empty() { Ok(()) } else { Err(found) }
    })
    .await;
    let again = agents
        .until_told(&instances[0].node_id, |desired| desired.version > told)
        .await;
    assert_eq!(
        again.instances[0].components[0].private_version,
        "environment"
    );
    assert_eq!(
        plane.environment(&instances[0]).await,
        [format!("A={MARK}")]
    );
    let found = plane.app(&wallet, "shop").await;
    assert_eq!(found.current.unwrap().spec_json, spec_json);
}

#[tokio::test]
async fn keys_are_wrapped_with_a_new_root_key_and_the_old_one_may_go() {
    let mut plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.submit(&wallet, &marked("shop")).await.unwrap();
    plane.stop().await;
    let path = plane.root_keys();
    let mut ring = keyring::load(&path).unwrap();
    ring.add(&SystemEntropy).unwrap();
    ring.promote(2);
    keyring::save(&path, &ring).unwrap();
    plane.boot().await;
    eventually(LIMIT, async || {
        let versions = sqlx::query_scalar!("SELECT root_version FROM tenant_key");
        match versions.fetch_all(&plane.db.pool).await.unwrap() {
            versions if versions == [2] => Ok(()),
            versions => Err(versions),
        }
    })
    .await;
    plane.stop().await;
    assert!(ring.remove(1));
    keyring::save(&path, &ring).unwrap();
    plane.boot().await;
    let found = plane.app(&wallet, "shop").await;
    assert!(found.current.unwrap().spec_json.contains(MARK));

    // With another ring nothing opens, and nothing is said about it.
    plane.stop().await;
    keyring::save(&path, &RootRing::generate(&SystemEntropy).unwrap()).unwrap();
    plane.boot().await;
    let status = plane.find(&wallet, "shop").await.unwrap_err();
    assert_eq!(Remote::from(status).reason, Reason::Internal);
}

#[tokio::test]
async fn what_was_private_of_an_ended_application_is_destroyed_in_time() {
    let (mut plane, clock) = Plane::at_rest().await;
    let wallet = Wallet::new(1);
    plane.submit(&wallet, &marked("shop")).await.unwrap();
    plane.cancel(&wallet, "shop").await.unwrap();
    let kept = plane.app(&wallet, "shop").await;
    assert!(kept.current.unwrap().spec_json.contains(MARK));
    clock.advance(chrono::TimeDelta::days(31).to_std().unwrap());
    plane.stop().await;
    plane.boot().await;
    eventually(LIMIT, async || {
        let found = plane.app(&wallet, "shop").await;
        let spec = found.current.unwrap().spec_json;
        if spec.is_empty() { Ok(()) } else { Err(spec) }
    })
    .await;
}
