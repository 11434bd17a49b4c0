//! Applications that end: cancelled, unpaid, refused, over.

use std::time::Duration;

use fluxplane_core::error::Reason;
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    billing::v1::{PaymentProgress, RevisionRefused},
    node_registry::v1::NodeState,
    scheduler::v1::{AppEnded, AppState, CancelAppRequest, InstanceState},
};

use crate::support::{Plane, bus::funded, caller, key, spec::web, wallet::Wallet};

#[tokio::test]
async fn a_cancelled_application_stops_for_good() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(3).await;
    let ended = plane.bus.hear::<AppEnded>().await;
    let app = plane.deploy(&wallet, &web("shop").json()).await;
    let instances = plane.instances(&wallet, "shop", false).await;
    let request = CancelAppRequest {
        caller: Some(caller(&wallet)),
        idempotency_key: key(),
        name: "shop".to_owned(),
        expected_version: app.version,
    };
    let answer = plane
        .client()
        .cancel_app(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.app.as_ref().unwrap().state(), AppState::Cancelled);
    let again = plane
        .client()
        .cancel_app(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, answer, "a repeated request has its first answer");
    let anew = plane.cancel(&wallet, "shop").await.unwrap_err();
    assert_eq!(Remote::from(anew).reason, Reason::AppEnded);

    for instance in &instances {
        agents
            .until_told(&instance.node_id, |desired| desired.instances.is_empty())
            .await;
    }
    plane
        .until_instances(&wallet, "shop", |all| {
            all.iter().all(|i| i.state() == InstanceState::Stopped)
        })
        .await;
    let event = ended.until(|event| event.app_id == app.app_id).await;
    assert_eq!(event.state(), AppState::Cancelled);
    let stages = plane.stages(&wallet, "shop").await;
    for stage in ["cancelled", "stopping", "stopped"] {
        assert!(stages.iter().any(|found| found == stage), "{stages:?}");
    }
    assert_eq!(plane.app(&wallet, "shop").await.instances_wanted, 0);
    // The name is free.
    plane
        .submit(&Wallet::new(2), &web("SHOP").json())
        .await
        .unwrap();
    assert_eq!(ended.all().len(), 1);
}

#[tokio::test]
async fn instances_on_a_lost_node_stop_with_it() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(3).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let lost = plane.instances(&wallet, "shop", false).await[0]
        .node_id
        .clone();
    agents.silence(&lost);
    plane.cancel(&wallet, "shop").await.unwrap();
    plane
        .until_instances(&wallet, "shop", |all| {
            let count = |state| all.iter().filter(|i| i.state() == state).count();
            count(InstanceState::Stopped) == 2 && count(InstanceState::Stopping) == 1
        })
        .await;
    agents.set_state(&lost, NodeState::Lost).await;
    plane
        .until_instances(&wallet, "shop", |all| {
            all.iter().all(|i| i.state() == InstanceState::Stopped)
        })
        .await;
}

#[tokio::test]
async fn an_application_that_is_not_paid_expires_and_its_name_is_free() {
    let (plane, clock) = Plane::at_rest().await;
    let wallet = Wallet::new(1);
    let ended = plane.bus.hear::<AppEnded>().await;
    let app = plane.submit(&wallet, &web("shop").json()).await.unwrap();
    clock.advance(Duration::from_secs(3_599));
    // Another application shows that the leader has looked since.
    let marker = plane.submit(&wallet, &web("marker").json()).await.unwrap();
    plane
        .bus
        .fund(marker.current.as_ref().unwrap(), plane.in_days(30))
        .await;
    plane.until_stage(&wallet, "marker", "pending").await;
    assert_eq!(
        plane.app(&wallet, "shop").await.state(),
        AppState::AwaitingPayment
    );
    clock.advance(Duration::from_secs(1));
    let expired = plane.until(&wallet, "shop", AppState::Expired).await;
    assert_eq!(expired.state_reason, "it was not paid in time");
    assert!(expired.current.unwrap().pay_until.is_none());
    let event = ended.until(|event| event.app_id == app.app_id).await;
    assert_eq!(event.state(), AppState::Expired);
    plane
        .submit(&Wallet::new(2), &web("shop").json())
        .await
        .unwrap();
    // Money that comes now changes nothing here.
    let revision = &app.current.unwrap().revision_id;
    plane
        .bus
        .publish(&funded(revision, plane.in_days(30)))
        .await;
    plane.until_stage(&wallet, "marker", "pending").await;
    assert_eq!(plane.app(&wallet, "shop").await.state(), AppState::Expired);
}

#[tokio::test]
async fn a_payment_seen_in_full_in_time_may_be_confirmed_late() {
    let (plane, clock) = Plane::at_rest().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    let app = plane.submit(&wallet, &web("shop").json()).await.unwrap();
    let revision = app.current.unwrap();
    clock.advance(Duration::from_mins(59));
    let seen = PaymentProgress {
        revision_id: revision.revision_id.clone(),
        received_sat: 5,
        due_sat: 5,
        ..PaymentProgress::default()
    };
    plane.bus.publish(&seen).await;
    plane.until_stage(&wallet, "shop", "payment_seen").await;
    clock.advance(Duration::from_mins(29));
    plane.bus.fund(&revision, plane.in_days(30)).await;
    plane.until(&wallet, "shop", AppState::Running).await;
}

#[tokio::test]
async fn a_first_revision_whose_money_is_refused_ends_its_application() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let app = plane.submit(&wallet, &web("shop").json()).await.unwrap();
    plane
        .bus
        .publish(&RevisionRefused {
            revision_id: app.current.unwrap().revision_id,
            code: "payment-required".to_owned(),
            message: "the balance does not suffice".to_owned(),
            ..RevisionRefused::default()
        })
        .await;
    let ended = plane.until(&wallet, "shop", AppState::Expired).await;
    assert!(ended.state_reason.contains("the balance does not suffice"));
    plane.submit(&wallet, &web("shop").json()).await.unwrap();
}

#[tokio::test]
async fn an_application_whose_term_is_over_stops() {
    let (plane, clock) = Plane::at_rest().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(3).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let node = plane.instances(&wallet, "shop", false).await[0]
        .node_id
        .clone();
    clock.advance(Duration::from_hours(24 * 30));
    let expired = plane.until(&wallet, "shop", AppState::Expired).await;
    assert_eq!(expired.state_reason, "its paid term is over");
    agents
        .until_told(&node, |desired| desired.instances.is_empty())
        .await;
    plane
        .until_instances(&wallet, "shop", |all| {
            all.iter().all(|i| i.state() == InstanceState::Stopped)
        })
        .await;
}
