//! Who may update what, and updates that are never paid.

use std::time::Duration;

use fluxplane_core::error::Reason;
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    billing::v1::RevisionRefused,
    scheduler::v1::{AppState, Funding, RevisionSubmitted, UpdateAppRequest},
};
use tonic::Code;

use crate::support::{Plane, caller, key, spec::web, wallet::Wallet};

fn request(plane: &Plane, wallet: &Wallet, spec: &str, version: u64) -> UpdateAppRequest {
    UpdateAppRequest {
        caller: Some(caller(wallet)),
        idempotency_key: key(),
        name: "shop".to_owned(),
        expected_version: version,
        signed_spec: Some(wallet.sign_spec("fluxappupdate", spec, plane.now_ms())),
        quote_id: "quote-2".to_owned(),
        funding: Funding::ChainPayment.into(),
    }
}

#[tokio::test]
async fn an_update_is_refused_for_every_reason_by_its_name() {
    let plane = Plane::start().await;
    let (wallet, stranger) = (Wallet::new(1), Wallet::new(2));
    plane.agents(3).await;
    let unpaid = plane.submit(&wallet, &web("shop").json()).await.unwrap();
    let mut spec = web("shop");
    spec.image = "nginx:1.28".to_owned();
    let spec = spec.json();
    let refused = async |wallet: &Wallet, spec: &str, version: u64| {
        let request = request(&plane, wallet, spec, version);
        Remote::from(plane.client().update_app(request).await.unwrap_err())
    };
    let early = refused(&wallet, &spec, unpaid.version).await;
    assert_eq!(
        early.reason,
        Reason::RevisionPending,
        "the first is not paid yet"
    );
    plane
        .bus
        .fund(unpaid.current.as_ref().unwrap(), plane.in_days(30))
        .await;
    let app = plane.until(&wallet, "shop", AppState::Running).await;

    assert_eq!(
        refused(&stranger, &spec, app.version).await.reason,
        Reason::NotFound
    );
    let stale = refused(&wallet, &spec, unpaid.version).await;
    assert_eq!(
        (stale.reason, stale.violations[0].field.as_str()),
        (Reason::StaleVersion, "expected_version")
    );
    let renamed = refused(&wallet, &web("Shop").json(), app.version).await;
    assert_eq!(
        (renamed.reason, renamed.violations[0].field.as_str()),
        (Reason::SpecInvalid, "spec.name")
    );
    let forged = request(
        &plane,
        &stranger,
        &spec.replace("OWNER", &wallet.id),
        app.version,
    );
    let forged = UpdateAppRequest {
        caller: Some(caller(&wallet)),
        ..forged
    };
    let forged = Remote::from(plane.client().update_app(forged).await.unwrap_err());
    assert_eq!(forged.reason, Reason::SignatureInvalid);
    let older = r#"{"version":4,"name":"shop","description":"x","owner":"OWNER","compose":[{"name":"web","description":"x","repotag":"nginx:1.27","ports":[31000],"domains":[""],"environmentParameters":[],"commands":[],"containerPorts":[80],"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"tiered":false}],"instances":3}"#;
    let downgrade = refused(&wallet, older, app.version).await;
    assert_eq!(downgrade.reason, Reason::SpecInvalid);
    assert!(
        downgrade.violations[0].rule.contains("Version changes"),
        "{downgrade:?}"
    );

    let first = plane
        .client()
        .update_app(request(&plane, &wallet, &spec, app.version))
        .await
        .unwrap();
    let first = first.into_inner().app.unwrap();
    assert_eq!(first.pending.as_ref().unwrap().number, 2);
    assert_eq!(
        first.state(),
        AppState::Running,
        "the current revision runs on"
    );
    let second = refused(&wallet, &spec.replace("1.28", "1.29"), first.version).await;
    assert_eq!(second.reason, Reason::RevisionPending);
    plane.cancel(&wallet, "shop").await.unwrap();
    let ended = plane.app(&wallet, "shop").await;
    assert_eq!(
        refused(&wallet, &spec, ended.version).await.reason,
        Reason::AppEnded
    );
}

#[tokio::test]
async fn health_reports_do_not_make_a_change_stale() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(3).await;
    let app = plane.deploy(&wallet, &web("shop").json()).await;
    let instance = plane.instances(&wallet, "shop", false).await[0].clone();
    let desired = agents.desired(&instance.node_id).unwrap();
    let starting = crate::support::agents::report(&desired, false);
    agents.report(&instance.node_id, starting).await;
    let later = plane.until(&wallet, "shop", AppState::Degraded).await;
    assert!(later.version > app.version, "what is shown changed");
    let mut spec = web("shop");
    spec.description = "the same shop".to_owned();
    let request = request(&plane, &wallet, &spec.json(), app.version);
    let updated = plane
        .client()
        .update_app(request)
        .await
        .unwrap()
        .into_inner()
        .app
        .unwrap();
    assert!(updated.pending.is_some());
}

#[tokio::test]
async fn an_update_that_is_not_paid_lapses_and_one_that_is_refused_is_dropped() {
    let (plane, clock) = Plane::at_rest().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let heard = plane.bus.hear::<RevisionSubmitted>().await;
    let mut spec = web("shop");
    spec.image = "nginx:1.28".to_owned();
    plane.update(&wallet, "shop", &spec.json()).await.unwrap();
    let event = heard.until(|event| event.revision_number == 2).await;
    clock.advance(Duration::from_hours(1));
    plane.until_stage(&wallet, "shop", "update_lapsed").await;
    let app = plane.app(&wallet, "shop").await;
    assert_eq!((app.pending, app.current.unwrap().number), (None, 1));
    // Money that comes now is billing's to return.
    plane
        .bus
        .publish(&crate::support::bus::funded(
            &event.revision_id,
            plane.in_days(30),
        ))
        .await;

    spec.image = "nginx:1.29".to_owned();
    let app = plane.update(&wallet, "shop", &spec.json()).await.unwrap();
    let pending = app.pending.unwrap();
    assert_eq!(pending.number, 3);
    plane
        .bus
        .publish(&RevisionRefused {
            app_id: app.app_id,
            revision_id: pending.revision_id,
            code: "payment-required".to_owned(),
            message: "the balance does not suffice".to_owned(),
        })
        .await;
    let entry = plane.until_stage(&wallet, "shop", "payment_refused").await;
    assert_eq!(
        entry.message,
        "the balance does not suffice (payment-required)"
    );
    let app = plane.app(&wallet, "shop").await;
    assert_eq!(
        (app.state(), app.pending, app.current.unwrap().number),
        (AppState::Running, None, 1)
    );
}

#[tokio::test]
async fn an_application_changes_hands_when_the_update_is_paid() {
    let plane = Plane::start().await;
    let (old, new) = (Wallet::new(1), Wallet::new(2));
    plane.agents(3).await;
    plane.deploy(&old, &web("shop").json()).await;
    let mut spec = web("shop");
    spec.owner = new.id.clone();
    let app = plane.update(&old, "shop", &spec.json()).await.unwrap();
    assert_eq!(
        plane.find(&new, "shop").await.unwrap_err().code(),
        Code::NotFound
    );
    plane
        .bus
        .fund(app.pending.as_ref().unwrap(), plane.in_days(30))
        .await;
    plane
        .until_stage(
            &new_when_ready(&plane, &old, new).await,
            "shop",
            "update_finished",
        )
        .await;
    assert_eq!(
        plane.find(&old, "shop").await.unwrap_err().code(),
        Code::NotFound
    );
}

/// The new owner, once the application is theirs.
async fn new_when_ready(plane: &Plane, old: &Wallet, new: Wallet) -> Wallet {
    fluxplane_testkit::eventually(crate::support::LIMIT, async || {
        match plane.find(old, "shop").await {
            Err(status) if status.code() == Code::NotFound => Ok(()),
            other => Err(other.map(|app| app.owner)),
        }
    })
    .await;
    new
}
