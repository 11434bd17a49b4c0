//! What is taken, what is refused and why, and what happens when it is sent twice.

use fluxplane_app_spec::message::{MessageType, message_hash, signed_text};
use fluxplane_core::error::{Reason, Violation};
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    chain_indexer::v1::{BlockConnected, BlockDisconnected},
    common::v1::PageRequest,
    scheduler::v1::{App, AppState, ListAppsRequest, RevisionSubmitted, SignedSpec},
};
use fluxplane_testkit::eventually;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::support::{LIMIT, Plane, caller, key, spec::web, submission, wallet::Wallet};

fn refused(answer: Result<App, Status>) -> (Reason, Vec<Violation>) {
    let remote = Remote::from(answer.unwrap_err());
    (remote.reason, remote.violations)
}

/// The fields of a refusal, after a look at whether every part of every violation says something.
fn fields(answer: Result<App, Status>, reason: Reason) -> Vec<String> {
    let (found, violations) = refused(answer);
    assert_eq!(found, reason, "{violations:?}");
    for violation in &violations {
        assert!(
            !violation.rule.is_empty() && !violation.remedy.is_empty(),
            "{violation:?}"
        );
    }
    violations
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}

async fn submit_signed(plane: &Plane, wallet: &Wallet, signed: SignedSpec) -> Result<App, Status> {
    let answer = plane
        .client()
        .submit_app(submission(wallet, signed))
        .await?;
    Ok(answer.into_inner().app.unwrap())
}

#[tokio::test]
async fn a_submission_is_taken_and_announced() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let heard = plane.bus.hear::<RevisionSubmitted>().await;
    let signed = wallet.sign_spec("fluxappregister", &web("shop").json(), plane.now_ms());
    let app = submit_signed(&plane, &wallet, signed.clone())
        .await
        .unwrap();
    assert_eq!((app.state(), app.version), (AppState::AwaitingPayment, 1));
    assert_eq!((app.instances_wanted, app.instances_healthy), (3, 0));
    let revision = app.current.clone().unwrap();
    assert!(app.pending.is_none() && revision.number == 1 && revision.funded_at.is_none());
    let kind = MessageType::FluxAppRegister;
    let text = signed_text(kind, 1, &revision.spec_json, signed.timestamp_ms);
    assert_eq!(
        revision.message_hash,
        message_hash(&text, &signed.signature)
    );
    let (submitted, until) = (revision.submitted_at.unwrap(), revision.pay_until.unwrap());
    assert_eq!(until.seconds - submitted.seconds, 3_600);

    let event = heard.until(|event| event.app_id == app.app_id).await;
    assert_eq!(event.message_hash, revision.message_hash);
    assert_eq!(
        (event.owner, event.quote_id),
        (wallet.id.clone(), "quote-1".to_owned())
    );
    assert_eq!(event.revision_id, revision.revision_id);
    assert_eq!(plane.stages(&wallet, "shop").await, ["accepted"]);
    assert_eq!(
        plane.app(&wallet, "SHOP").await,
        app,
        "names are found whatever their case"
    );
}

#[tokio::test]
async fn every_mistake_in_a_specification_is_named_by_its_field() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let good = web("shop").json();
    let cases = [
        (
            good.replace("\"cpu\":0.5", "\"cpu\":-5"),
            "spec.compose[0].cpu",
        ),
        (
            good.replace("nginx:1.27", "nginx"),
            "spec.compose[0].repotag",
        ),
        (good.replace("[31000]", "[70000]"), "spec"),
        (
            good.replace("\"geolocation\":[]", "\"geolocation\":[\"everywhere\"]"),
            "spec.geolocation[0]",
        ),
        (
            good.replace("\"owner\":\"OWNER\"", "\"owner\":\"OWNER1\""),
            "spec.owner",
        ),
        (
            good.replace("\"instances\":3,", "\"instances\":3,\"instances\":4,"),
            "spec.instances",
        ),
        (good.replace("\"version\":8", "\"version\":9"), "spec"),
        (good.replace("\"expire\":88000", "\"expire\":-1"), "spec"),
        ("{\"version\":8,".to_owned(), "spec"),
        ("[]".to_owned(), "spec"),
    ];
    for (spec, field) in cases {
        let answer = plane.submit(&wallet, &spec).await;
        let fields = fields(answer, Reason::SpecInvalid);
        assert!(
            fields.iter().any(|found| found == field),
            "{spec}: {fields:?}"
        );
    }
    let two = good
        .replace("\"cpu\":0.5", "\"cpu\":0")
        .replace("\"hdd\":5", "\"hdd\":0");
    let both = fields(plane.submit(&wallet, &two).await, Reason::SpecInvalid);
    assert_eq!(
        both,
        ["spec.compose[0].cpu", "spec.compose[0].hdd"],
        "all at once"
    );
    let metrics = plane.metrics.encode();
    assert!(
        metrics.contains("fluxplane_rejected_total{code=\"spec-invalid\"} 11"),
        "{metrics}"
    );
}

#[tokio::test]
async fn an_encrypted_part_is_refused_for_what_it_is() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let blob = "A".repeat(400);
    let sealed = format!(
        r#"{{"version":8,"name":"sealed","description":"secret","owner":"OWNER","compose":[],"instances":3,"contacts":[],"geolocation":[],"expire":88000,"nodes":["203.0.113.9"],"staticip":false,"enterprise":"{blob}"}}"#
    );
    let (reason, violations) = refused(plane.submit(&wallet, &sealed).await);
    assert_eq!(reason, Reason::SpecInvalid);
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].field, "spec.enterprise");
    assert!(violations[0].rule.contains("encrypted"), "{violations:?}");
}

#[tokio::test]
async fn the_message_must_be_of_its_time_and_kind_and_signed_by_the_owner() {
    let plane = Plane::start().await;
    let (wallet, stranger) = (Wallet::new(1), Wallet::new(2));
    let (spec, now) = (web("shop").json(), plane.now_ms());
    let signed = |kind: &str, at: u64| wallet.sign_spec(kind, &spec, at);
    let fields_of = async |signed: SignedSpec, reason| {
        fields(submit_signed(&plane, &wallet, signed).await, reason)
    };
    let invalid = Reason::InvalidRequest;
    assert_eq!(
        fields_of(signed("fluxappupdate", now), invalid).await,
        ["type"]
    );
    assert_eq!(
        fields_of(signed("fluxappexplode", now), invalid).await,
        ["type"]
    );
    let old = SignedSpec {
        version: 2,
        ..signed("fluxappregister", now)
    };
    assert_eq!(fields_of(old, invalid).await, ["version"]);
    let hour = 3_600_000;
    assert_eq!(
        fields_of(signed("fluxappregister", now - hour - 5_000), invalid).await,
        ["timestamp"]
    );
    assert_eq!(
        fields_of(signed("fluxappregister", now + hour / 10), invalid).await,
        ["timestamp"]
    );

    let bad = Reason::SignatureInvalid;
    let garbled = SignedSpec {
        signature: "AAAA".to_owned(),
        ..signed("fluxappregister", now)
    };
    assert_eq!(fields_of(garbled, bad).await, ["signature"]);
    let other_text = SignedSpec {
        timestamp_ms: now - 1,
        ..signed("fluxappregister", now)
    };
    assert_eq!(fields_of(other_text, bad).await, ["signature"]);
    let mine = spec.replace("OWNER", &wallet.id);
    let forged = stranger.sign_spec("fluxappregister", &mine, now);
    assert_eq!(fields_of(forged, bad).await, ["signature"]);

    // Signed well, but by somebody else than the one who is signed in.
    let theirs = stranger.sign_spec("fluxappregister", &spec, now);
    assert_eq!(fields_of(theirs, Reason::Forbidden).await, ["spec.owner"]);
}

#[tokio::test]
async fn what_a_request_must_carry_is_asked_for_by_name() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let good = plane.submission(&wallet, &web("shop").json());
    let mut requests = vec![good.clone(); 5];
    requests[0].caller = None;
    requests[1].idempotency_key = String::new();
    requests[2].signed_spec = None;
    requests[3].quote_id = String::new();
    requests[4].funding = 0;
    let names = [
        "caller.principal",
        "Idempotency-Key",
        "signed_spec",
        "quote_id",
        "funding",
    ];
    for (request, name) in requests.into_iter().zip(names) {
        let status = plane.client().submit_app(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let remote = Remote::from(status);
        assert_eq!(remote.violations[0].field, name);
    }
    let status = plane
        .client_as("billing")
        .submit_app(good)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn of_eight_who_want_a_name_at_once_one_gets_it() {
    let plane = std::sync::Arc::new(Plane::start().await);
    let mut racers = JoinSet::new();
    for n in 1..=8 {
        let plane = std::sync::Arc::clone(&plane);
        racers.spawn(async move {
            let name = if n % 2 == 0 { "Prize" } else { "pRIZE" };
            plane.submit(&Wallet::new(n), &web(name).json()).await
        });
    }
    let mut won = 0;
    while let Some(answer) = racers.join_next().await {
        match answer.unwrap() {
            Ok(_) => won += 1,
            Err(status) => {
                assert_eq!(status.code(), Code::AlreadyExists);
                let remote = Remote::from(status);
                assert_eq!(remote.reason, Reason::NameTaken);
                assert_eq!(remote.violations[0].field, "spec.name");
            }
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_repeated_request_has_one_effect_and_one_answer() {
    let plane = std::sync::Arc::new(Plane::start().await);
    let wallet = Wallet::new(1);
    let heard = plane.bus.hear::<RevisionSubmitted>().await;
    let request = plane.submission(&wallet, &web("shop").json());
    let mut twins = JoinSet::new();
    for _ in 0..8 {
        let (plane, request) = (std::sync::Arc::clone(&plane), request.clone());
        twins.spawn(async move {
            plane
                .client()
                .submit_app(request)
                .await
                .unwrap()
                .into_inner()
        });
    }
    let answers = twins.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    heard.until(|_| true).await;

    let mut other = plane.submission(&wallet, &web("other").json());
    other.idempotency_key.clone_from(&request.idempotency_key);
    let status = plane.client().submit_app(other).await.unwrap_err();
    assert_eq!(Remote::from(status).reason, Reason::IdempotencyKeyReused);
    plane.submit(&wallet, &web("marker").json()).await.unwrap();
    heard.until(|event| event.app_name == "marker").await;
    assert_eq!(heard.all().len(), 2);
}

#[tokio::test]
async fn a_signed_message_is_taken_once() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let mut request = plane.submission(&wallet, &web("shop").json());
    plane.client().submit_app(request.clone()).await.unwrap();
    plane.cancel(&wallet, "shop").await.unwrap();
    request.idempotency_key = key();
    let status = plane.client().submit_app(request).await.unwrap_err();
    let remote = Remote::from(status);
    assert_eq!(
        (remote.reason, remote.violations[0].field.as_str()),
        (Reason::MessageUsed, "timestamp")
    );
    // Signed anew, the name is free.
    plane.submit(&wallet, &web("shop").json()).await.unwrap();
}

#[tokio::test]
async fn an_owner_reserves_only_so_many_names() {
    let plane = Plane::start_with(std::sync::Arc::new(fluxplane_core::SystemClock), |config| {
        config.intent.unpaid_per_owner = 2;
    })
    .await;
    let wallet = Wallet::new(1);
    plane.submit(&wallet, &web("one").json()).await.unwrap();
    plane.submit(&wallet, &web("two").json()).await.unwrap();
    let answer = plane.submit(&wallet, &web("three").json()).await;
    assert_eq!(fields(answer, Reason::RateLimited), ["spec.owner"]);
    plane
        .submit(&Wallet::new(2), &web("three").json())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_application_is_its_owners_alone_also_when_the_owner_is_a_public_key() {
    let plane = Plane::start().await;
    let (wallet, stranger) = (Wallet::new(1), Wallet::new(2));
    let mut spec = web("keyed");
    spec.owner = wallet.public_key();
    let app = plane.submit(&wallet, &spec.json()).await.unwrap();
    assert_eq!(app.owner, wallet.id, "the key's address");
    assert_eq!(
        plane.find(&stranger, "keyed").await.unwrap_err().code(),
        Code::NotFound
    );
    assert!(plane.cancel(&wallet, "keyed").await.is_ok());
}

#[tokio::test]
async fn specifications_of_every_version_are_taken() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let single = r#""enviromentParameters":[],"commands":[],"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"tiered":false"#;
    let component = r#"{"name":"web","description":"x","repotag":"nginx:1.27","ports":[31000],"domains":[""],"environmentParameters":[],"commands":[],"containerPorts":[80],"containerData":"r:/data","cpu":0.5,"ram":500,"hdd":5,"tiered":false}"#;
    let specs = [
        format!(
            r#"{{"version":1,"name":"v1","description":"x","owner":"OWNER","repotag":"nginx:1.27","port":31000,"containerPort":80,{single}}}"#
        ),
        format!(
            r#"{{"version":3,"name":"v3","description":"x","owner":"OWNER","repotag":"nginx:1.27","ports":["31000"],"domains":[""],"containerPorts":["80"],"instances":3,{single}}}"#
        ),
        format!(
            r#"{{"version":4,"name":"v4","description":"x","owner":"OWNER","compose":[{component}],"instances":3}}"#
        ),
        format!(
            r#"{{"version":6,"name":"v6","description":"x","owner":"OWNER","compose":[{component}],"instances":4,"contacts":[],"geolocation":["acEU"],"expire":22000}}"#
        ),
    ];
    for spec in specs {
        let app = plane.submit(&wallet, &spec).await.unwrap();
        let wanted = if app.name == "v6" { 4 } else { 3 };
        assert_eq!(app.instances_wanted, wanted, "{}", app.name);
    }
    let timeline = plane.timeline(&wallet, "v4").await;
    assert!(
        timeline[0].message.contains("not synced"),
        "{}",
        timeline[0].message
    );
}

#[tokio::test]
async fn applications_are_listed_page_by_page() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    for name in ["one", "two", "three"] {
        plane.submit(&wallet, &web(name).json()).await.unwrap();
    }
    plane
        .submit(&Wallet::new(2), &web("foreign").json())
        .await
        .unwrap();
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let request = ListAppsRequest {
            caller: Some(caller(&wallet)),
            page: Some(PageRequest { size: 2, cursor }),
        };
        let answer = plane
            .client()
            .list_apps(request)
            .await
            .unwrap()
            .into_inner();
        names.extend(answer.apps.into_iter().map(|app| app.name));
        cursor = answer.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["one", "two", "three"]);
}

#[tokio::test]
async fn the_height_follows_the_chain_back_and_forth() {
    let plane = Plane::start().await;
    let height = async || {
        sqlx::query_scalar!("SELECT height FROM chain_tip")
            .fetch_optional(&plane.db.pool)
            .await
            .unwrap()
    };
    let connect = async |height: u32| {
        plane
            .bus
            .publish(&BlockConnected {
                height,
                ..BlockConnected::default()
            })
            .await;
    };
    for h in [2_400_000, 2_400_001, 2_400_002] {
        connect(h).await;
    }
    let until = async |wanted: i64| {
        eventually(LIMIT, async || match height().await {
            Some(found) if found == wanted => Ok(()),
            found => Err(found),
        })
        .await;
    };
    until(2_400_002).await;
    for h in [2_400_002, 2_400_001] {
        plane
            .bus
            .publish(&BlockDisconnected {
                height: h,
                ..BlockDisconnected::default()
            })
            .await;
    }
    until(2_400_000).await;
    connect(2_400_001).await;
    until(2_400_001).await;
}
