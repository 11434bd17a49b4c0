//! What a quote learns from placement, and the name it keeps.

use fluxplane_core::error::Reason;
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    common::v1::Caller,
    scheduler::v1::{
        App, AppState, PreviewPlacementRequest, PreviewPlacementResponse, ReserveRequest,
    },
};
use prost_types::Timestamp;
use tonic::{Code, Status};

use crate::support::{
    Plane, caller,
    spec::{Spec, web},
    wallet::Wallet,
};

async fn preview(plane: &Plane, wallet: &Wallet, spec: &Spec) -> PreviewPlacementResponse {
    let request = PreviewPlacementRequest {
        caller: Some(caller(wallet)),
        spec_json: spec.json().replace("OWNER", &wallet.id),
    };
    let answer = plane.client_as("billing").preview_placement(request).await;
    answer.unwrap().into_inner()
}

/// Keeps a name for so many seconds. Returns until when, in seconds since 1970.
async fn reserve(plane: &Plane, wallet: &Wallet, name: &str, seconds: i64) -> Result<i64, Remote> {
    let until = plane.clock.now().timestamp() + seconds;
    let request = ReserveRequest {
        caller: Some(caller(wallet)),
        spec_json: web(name).json().replace("OWNER", &wallet.id),
        until: Some(Timestamp {
            seconds: until,
            nanos: 0,
        }),
    };
    let answer = plane.client_as("billing").reserve(request).await;
    let answer = answer.map_err(Remote::from)?.into_inner();
    Ok(answer.name_until.map_or(0, |until| until.seconds))
}

fn taken(answer: Result<App, Status>) -> String {
    let remote = Remote::from(answer.unwrap_err());
    assert_eq!(remote.reason, Reason::NameTaken);
    remote.message
}

#[tokio::test]
async fn a_preview_says_what_the_real_filter_would_do_now() {
    let plane = Plane::start_with(std::sync::Arc::new(fluxplane_core::SystemClock), |config| {
        config.placement.preview_keep = "0ms".parse().unwrap();
    })
    .await;
    let wallet = Wallet::new(1);
    let nowhere = preview(&plane, &wallet, &web("shop")).await;
    assert_eq!((nowhere.nodes_known, nowhere.instances_placeable), (0, 0));
    assert_eq!(nowhere.expected_start_seconds, None);
    assert!(
        nowhere.pending_reason.contains("3 copies wait"),
        "{nowhere:?}"
    );

    let _agents = plane.agents(4).await;
    let free = preview(&plane, &wallet, &web("shop")).await;
    assert_eq!((free.nodes_matching, free.nodes_known), (4, 4));
    assert_eq!((free.instances_wanted, free.instances_placeable), (3, 3));
    assert_eq!(free.pending_reason, "");
    assert_eq!(
        (free.expected_start_seconds, free.starts_measured),
        (Some(60), 0)
    );

    let large = Spec {
        instances: 5,
        ..web("large")
    };
    let large = preview(&plane, &wallet, &large).await;
    assert_eq!(large.instances_placeable, 4);
    assert!(large.pending_reason.contains("1 copy waits"), "{large:?}");

    // It changed nothing: the same is placed as was foreseen, and then its ports are taken for others.
    plane.deploy(&wallet, &web("shop").json()).await;
    let other = preview(&plane, &Wallet::new(2), &web("other")).await;
    assert_eq!((other.nodes_matching, other.instances_placeable), (1, 1));
    // For an update of its own it is where it is.
    let again = preview(&plane, &wallet, &web("shop")).await;
    assert_eq!((again.nodes_matching, again.instances_placeable), (4, 3));
    let second = Spec {
        port: 31_001,
        ..web("second")
    };
    plane.deploy(&wallet, &second.json()).await;
    let measured = preview(&plane, &wallet, &web("third")).await;
    assert_eq!(measured.starts_measured, 6);
    assert!(
        measured.expected_start_seconds.unwrap() < 60,
        "{measured:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_deployed_cannot_be_previewed() {
    let plane = Plane::start().await;
    let request = PreviewPlacementRequest {
        caller: Some(caller(&Wallet::new(1))),
        spec_json: "{".to_owned(),
    };
    let mut client = plane.client_as("billing");
    let refused = client.preview_placement(request.clone()).await;
    assert_eq!(
        Remote::from(refused.unwrap_err()).reason,
        Reason::SpecInvalid
    );
    let anonymous = PreviewPlacementRequest {
        caller: Some(Caller::default()),
        ..request
    };
    let refused = client.preview_placement(anonymous).await;
    assert_eq!(
        Remote::from(refused.unwrap_err()).reason,
        Reason::InvalidRequest
    );
}

#[tokio::test]
async fn a_name_is_kept_for_its_owner_and_free_again_when_the_quote_is_over() {
    let (plane, clock) = Plane::at_rest().await;
    let (first, second) = (Wallet::new(1), Wallet::new(2));
    let until = reserve(&plane, &first, "shop", 900).await.unwrap();
    assert_eq!(until, plane.clock.now().timestamp() + 900);
    // Another owner gets neither a reservation nor the name, whatever its case, and learns when it is free.
    let refused = reserve(&plane, &second, "SHOP", 900).await.unwrap_err();
    assert_eq!(refused.reason, Reason::NameTaken);
    let free_at = chrono::DateTime::from_timestamp(until, 0).unwrap();
    let free_at = free_at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    assert!(refused.message.contains(&free_at), "{}", refused.message);
    let message = taken(plane.submit(&second, &web("Shop").json()).await);
    assert!(message.contains(&free_at), "{message}");
    // The owner may ask again; a shorter wish does not shorten it.
    assert_eq!(reserve(&plane, &first, "shop", 60).await.unwrap(), until);
    assert!(reserve(&plane, &first, "shop", 1_000).await.unwrap() > until);

    clock.advance(std::time::Duration::from_secs(1_000));
    assert!(reserve(&plane, &second, "shop", 900).await.is_ok());
    taken(plane.submit(&first, &web("shop").json()).await);
    let app = plane.submit(&second, &web("shop").json()).await.unwrap();
    assert_eq!(app.state(), AppState::AwaitingPayment);
    // Now the application has it.
    assert_eq!(reserve(&plane, &second, "shop", 900).await.unwrap(), 0);
    let refused = reserve(&plane, &first, "shop", 900).await.unwrap_err();
    assert_eq!(refused.reason, Reason::NameTaken);
    // And once it is cancelled, nobody: the reservation went with the submission.
    plane.cancel(&second, "shop").await.unwrap();
    assert!(reserve(&plane, &first, "shop", 900).await.is_ok());
}

#[tokio::test]
async fn of_many_who_want_a_name_at_once_one_gets_it() {
    let plane = Plane::start().await;
    let wallets: Vec<Wallet> = (1..=6).map(Wallet::new).collect();
    let spec = web("shop").json();
    let racing = wallets.iter().enumerate().map(|(n, wallet)| {
        let (plane, spec) = (&plane, &spec);
        async move {
            if n % 2 == 0 {
                reserve(plane, wallet, "shop", 900).await.is_ok()
            } else {
                plane.submit(wallet, spec).await.is_ok()
            }
        }
    });
    let got = futures::future::join_all(racing).await;
    assert_eq!(got.iter().filter(|own| **own).count(), 1, "{got:?}");
}

#[tokio::test]
async fn an_owner_keeps_only_so_many_names_and_only_for_so_long() {
    let (plane, _) = Plane::at_rest().await;
    let wallet = Wallet::new(1);
    for n in 0..20 {
        assert!(
            reserve(&plane, &wallet, &format!("shop{n}"), 900)
                .await
                .is_ok()
        );
    }
    let refused = reserve(&plane, &wallet, "shop20", 900).await.unwrap_err();
    assert_eq!(refused.reason, Reason::RateLimited);
    assert!(reserve(&plane, &wallet, "shop7", 900).await.is_ok());
    for seconds in [0, 86_401] {
        let refused = reserve(&plane, &Wallet::new(2), "other", seconds)
            .await
            .unwrap_err();
        assert_eq!(refused.violations[0].field, "until");
    }
}

#[tokio::test]
async fn only_billing_keeps_names() {
    let plane = Plane::start().await;
    let request = ReserveRequest {
        caller: Some(caller(&Wallet::new(1))),
        spec_json: web("shop").json(),
        until: None,
    };
    let refused = plane.client().reserve(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}
