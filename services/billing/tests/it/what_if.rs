//! What a quote says of placement, and the name it keeps.

use fluxplane_billing::config::SourceConfig;
use fluxplane_core::{ErrorKind, error::Reason};
use fluxplane_platform::{config::Secret, error::Remote};
use fluxplane_proto::{
    billing::v1::{CreateQuoteRequest, GetQuoteRequest, Quote, WhatIf},
    scheduler::v1::PreviewPlacementResponse,
};
use fluxplane_testkit::free_address;

use crate::{
    play::{OWNER, STRANGER, spec as web_server},
    support::{Plane, START, caller, stamp},
};
async fn quoted(plane: &Plane, owner: &str, key: &str) -> Result<Quote, Remote> {
    let request = CreateQuoteRequest {
        caller: caller(owner),
        idempotency_key: key.to_owned(),
        spec_json: web_server("web").to_string(),
        update_of: String::new(),
    };
    let answer = plane.gateway().create_quote(request).await;
    Ok(answer.map_err(Remote::from)?.into_inner().quote.unwrap())
}

#[tokio::test]
async fn a_quote_says_where_it_could_run_and_keeps_what_it_said() {
    let plane = Plane::start().await;
    let quote = quoted(&plane, OWNER, "1").await.unwrap();
    let expected = WhatIf {
        nodes_matching: 7,
        nodes_known: 9,
        instances_placeable: 3,
        pending_reason: String::new(),
        expected_start_seconds: Some(12),
        starts_measured: 200,
        instances_reserved: Some(2),
        reservation_shortage: "1 copy waits".to_owned(),
    };
    assert_eq!(quote.what_if, Some(expected));
    assert_eq!(quote.name_reserved_until, stamp(START + 900));
    assert_eq!(quote.name_reserved_until, quote.expires_at);

    plane.scheduler.foresees(PreviewPlacementResponse {
        pending_reason: "3 copies wait".to_owned(),
        ..PreviewPlacementResponse::default()
    });
    let nowhere = quoted(&plane, OWNER, "2").await.unwrap().what_if.unwrap();
    assert_eq!(nowhere.expected_start_seconds, None);
    assert_eq!(nowhere.pending_reason, "3 copies wait");
    let quote_id = quote.quote_id.clone();
    let again = plane
        .gateway()
        .get_quote(GetQuoteRequest { quote_id })
        .await;
    assert_eq!(again.unwrap().into_inner().quote.unwrap(), quote);
}

#[tokio::test]
async fn a_name_that_is_kept_for_somebody_else_is_refused_as_the_scheduler_says() {
    let plane = Plane::start().await;
    let first = quoted(&plane, OWNER, "1").await.unwrap();
    let refused = quoted(&plane, STRANGER, "1").await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.reason),
        (ErrorKind::AlreadyExists, Reason::NameTaken)
    );
    assert_eq!(refused.violations[0].field, "spec.name");
    // Repeating a request asks nobody again.
    let asked = plane.scheduler.asked("web");
    assert_eq!(quoted(&plane, OWNER, "1").await.unwrap(), first);
    assert_eq!(plane.scheduler.asked("web"), asked);
    // The same owner may ask for another quote of the name.
    assert!(quoted(&plane, OWNER, "2").await.is_ok());
}

#[tokio::test]
async fn without_the_scheduler_there_is_no_quote() {
    let nobody = free_address();
    let plane = Plane::start_with(move |config| {
        config.scheduler.endpoint = format!("https://{nobody}");
    })
    .await;
    let refused = quoted(&plane, OWNER, "1").await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.reason),
        (ErrorKind::Unavailable, Reason::Unavailable)
    );
}

#[tokio::test]
async fn without_a_rate_no_name_is_kept() {
    let nobody = free_address();
    let plane = Plane::start_with(move |config| {
        config.rate.sources = vec![SourceConfig::Http {
            name: "away".to_owned(),
            url: Secret::new(format!("http://{nobody}/")),
            pointer: String::new(),
            time_pointer: None,
        }];
    })
    .await;
    let refused = quoted(&plane, OWNER, "1").await.unwrap_err();
    assert_eq!(refused.reason, Reason::RateUnavailable);
    assert_eq!(plane.scheduler.asked("web"), (0, 0));
}
