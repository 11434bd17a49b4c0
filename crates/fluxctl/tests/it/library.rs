//! The client as other tools use it.

use std::time::Duration;

use fluxplane_flux_chain::address::AddressSpace;
use fluxplane_fluxctl::{
    Exit,
    api::{AppState, Client, Funding, Options, follow::LogQuery},
    deploy::{self, Draft, Ended, Intent, Outcome, Tracker},
    wallet::Key,
};
use serde_json::Value;

use crate::support::{
    Plane,
    plane::{Connection, events},
    sample::{app, entry, log_line, page, quote, spec, submitted, uuid},
};

async fn signed_in(plane: &Plane) -> (Client, Key) {
    let client = Client::new(Options::anonymous(plane.url.parse().unwrap())).unwrap();
    let key = Key::generate(AddressSpace::Test).unwrap();
    client.sign_in(&key).await.unwrap();
    (client, key)
}

#[tokio::test]
async fn a_demo_deploys_and_watches() {
    let plane = Plane::start().await;
    let (client, key) = signed_in(&plane).await;
    let owner = key.flux_id().to_string();
    let entries = [
        entry(1, 0, "accepted", None, "taken"),
        entry(2, 900, "running", None, "3 of 3"),
    ];
    plane
        .answers("POST /v1/quotes", 201, quote(&owner))
        .answers("POST /v1/apps", 201, submitted(&owner, false))
        .streams(
            "GET /v1/apps/shop/events",
            Connection::stays(events("timeline", &entries)),
        );
    let draft = Draft::read(Intent::Register, spec(&owner, 3).as_bytes()).unwrap();
    let quote = deploy::quote(&client, &draft).await.unwrap();
    let signed = draft.sign(&key, 1_763_798_400_123).unwrap();
    let submitted = deploy::submit(
        &client,
        &draft.name,
        None,
        quote.quote_id,
        Funding::Balance,
        &signed,
    )
    .await
    .unwrap();
    let mut stages = Vec::new();
    let tracker = Tracker::new(1, submitted.app.instances_wanted);
    let ended = deploy::watch(&client, "shop", tracker, None, |seen| {
        stages.push(seen.entry.stage.clone());
    })
    .await;
    let expected = Ended::Outcome {
        outcome: Outcome::Running,
        elapsed: Duration::from_millis(900),
    };
    assert_eq!(ended.unwrap(), expected);
    assert_eq!(stages, ["accepted", "running"]);
}

#[tokio::test]
async fn a_session_in_memory_renews_itself() {
    let plane = Plane::start().await;
    let (client, key) = signed_in(&plane).await;
    plane.end_access_tokens();
    let asking = (0..8).map(|_| client.me());
    for me in futures::future::join_all(asking).await {
        assert_eq!(me.unwrap().principal, key.flux_id().to_string());
    }
    assert_eq!(plane.refreshes(), 1);
    client.sign_out().await.unwrap();
    assert_eq!(client.me().await.unwrap_err().exit(), Exit::NotSignedIn);
}

#[tokio::test]
async fn states_that_are_newer_than_the_client_are_kept_as_text() {
    let plane = Plane::start().await;
    let (client, _) = signed_in(&plane).await;
    plane.says(
        "GET /v1/apps",
        page(&[app("hibernating", &Value::Null, &Value::Null)]),
    );
    let apps = client.apps(10).await.unwrap();
    assert_eq!(
        apps.items[0].state,
        AppState::Other("hibernating".to_owned())
    );
    let json = serde_json::to_value(&apps.items[0]).unwrap();
    assert_eq!(json["state"], "hibernating");
}

#[tokio::test]
async fn past_logs_come_as_a_list() {
    let plane = Plane::start().await;
    let (client, _) = signed_in(&plane).await;
    let path = format!("GET /v1/apps/shop/instances/{}/logs", uuid(100));
    plane.streams(
        &path,
        Connection::ends(events(
            "log",
            &[log_line(0, "stdout", "a"), log_line(0, "stdout", "a")],
        )),
    );
    let query = LogQuery {
        app: "shop".to_owned(),
        instance: uuid(100).parse().unwrap(),
        component: None,
        tail: 10,
        follow: false,
    };
    let lines = client.past_logs(query).await.unwrap();
    assert_eq!(lines.len(), 2, "equal lines of one instant are two lines");
}
