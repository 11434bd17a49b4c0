//! What everybody may read: published applications, and nothing of the others.

use fluxplane_proto::{
    common::v1::PageRequest,
    scheduler::v1::{
        AppState, ListPublishedInstancesRequest, ListPublishedMessagesRequest, MessageStanding,
        PublishedInstance, PublishedMessage,
    },
};
use fluxplane_testkit::eventually;
use tonic::Code;

use crate::support::{LIMIT, Plane, bus::funded, spec::web, wallet::Wallet};

impl Plane {
    async fn publish(&self, wallet: &Wallet, name: &str) -> fluxplane_proto::scheduler::v1::App {
        let mut request = self.submission(wallet, &web(name).json());
        request.published = true;
        let answer = self.client().submit_app(request).await.unwrap();
        answer.into_inner().app.unwrap()
    }

    async fn messages(&self, request: ListPublishedMessagesRequest) -> Vec<PublishedMessage> {
        let answer = self.client().list_published_messages(request).await;
        answer.unwrap().into_inner().messages
    }

    async fn standing(&self, standing: MessageStanding) -> Vec<PublishedMessage> {
        self.messages(ListPublishedMessagesRequest {
            standing: standing.into(),
            ..ListPublishedMessagesRequest::default()
        })
        .await
    }

    async fn places(&self, name: &str) -> Vec<PublishedInstance> {
        let request = ListPublishedInstancesRequest {
            page: None,
            name: name.to_owned(),
        };
        let answer = self.client().list_published_instances(request).await;
        answer.unwrap().into_inner().instances
    }
}

fn names(messages: &[PublishedMessage]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message.app_name.as_str())
        .collect()
}

#[tokio::test]
async fn only_what_was_published_shows_with_everything_that_was_signed() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.submit(&wallet, &web("hidden").json()).await.unwrap();
    let app = plane.publish(&wallet, "Open").await;
    let messages = plane.standing(MessageStanding::Unspecified).await;
    assert_eq!(names(&messages), ["Open"]);
    let message = &messages[0];
    let revision = app.current.unwrap();
    assert_eq!(message.message_hash, revision.message_hash);
    assert_eq!(message.owner, wallet.id);
    assert_eq!(message.app_state(), AppState::AwaitingPayment);
    assert_eq!(message.pay_until, revision.pay_until);
    let signed = message.signed_spec.as_ref().unwrap();
    assert_eq!(
        (signed.r#type.as_str(), signed.version, &signed.spec_json),
        ("fluxappregister", 1, &revision.spec_json)
    );
    let text = format!(
        "fluxappregister1{}{}",
        signed.spec_json, signed.timestamp_ms
    );
    assert_eq!(signed.signature, wallet.sign(&text));
    assert_eq!(
        names(&plane.standing(MessageStanding::Waiting).await),
        ["Open"]
    );
    assert!(plane.standing(MessageStanding::Paid).await.is_empty());
    assert!(plane.standing(MessageStanding::Current).await.is_empty());
}

#[tokio::test]
async fn messages_are_found_by_hash_owner_and_name_page_by_page() {
    let plane = Plane::start().await;
    let (one, two) = (Wallet::new(1), Wallet::new(2));
    for (wallet, name) in [(&one, "Alpha"), (&two, "Beta"), (&one, "Gamma")] {
        plane.publish(wallet, name).await;
    }
    let all = plane.standing(MessageStanding::Unspecified).await;
    assert_eq!(names(&all), ["Alpha", "Beta", "Gamma"], "oldest first");
    let ask = ListPublishedMessagesRequest::default;
    let by_name = ListPublishedMessagesRequest {
        name: "bETA".to_owned(),
        ..ask()
    };
    assert_eq!(names(&plane.messages(by_name).await), ["Beta"]);
    let by_owner = ListPublishedMessagesRequest {
        owner: one.id.clone(),
        ..ask()
    };
    assert_eq!(names(&plane.messages(by_owner).await), ["Alpha", "Gamma"]);
    let by_hash = ListPublishedMessagesRequest {
        message_hash: all[2].message_hash.clone(),
        ..ask()
    };
    assert_eq!(names(&plane.messages(by_hash).await), ["Gamma"]);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = Some(PageRequest { size: 2, cursor });
        let request = ListPublishedMessagesRequest { page, ..ask() };
        let answer = plane.client().list_published_messages(request).await;
        let answer = answer.unwrap().into_inner();
        seen.extend(answer.messages);
        cursor = answer.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_payment_makes_a_message_current_and_says_where_it_is() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let app = plane.publish(&wallet, "Open").await;
    let until = plane.clock.now() + chrono::TimeDelta::days(30);
    let mut event = funded(&app.current.unwrap().revision_id, until);
    event.txid = "ab".repeat(32);
    event.height = 2_100_000;
    event.received_sat = 150_000_000;
    plane.bus.publish(&event).await;
    let current = eventually(LIMIT, async || {
        let current = plane.standing(MessageStanding::Current).await;
        current.first().cloned().ok_or("not paid yet")
    })
    .await;
    assert_eq!(current.payment_txid, "ab".repeat(32));
    assert_eq!(
        (current.payment_height, current.paid_sat),
        (2_100_000, 150_000_000)
    );
    assert!(current.funded_at.is_some());
    assert!(plane.standing(MessageStanding::Waiting).await.is_empty());

    // Over, it was paid all the same.
    plane.cancel(&wallet, "Open").await.unwrap();
    assert!(plane.standing(MessageStanding::Current).await.is_empty());
    let paid = plane.standing(MessageStanding::Paid).await;
    assert_eq!(paid[0].app_state(), AppState::Cancelled);
    assert!(plane.places("Open").await.is_empty());
}

#[tokio::test]
async fn places_are_those_of_running_copies_with_the_message_they_run() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    let app = plane.publish(&wallet, "Open").await;
    let first = app.current.unwrap();
    let until = plane.clock.now() + chrono::TimeDelta::days(30);
    plane.bus.fund(&first, until).await;
    plane.until(&wallet, "Open", AppState::Running).await;
    let places = plane.places("oPEN").await;
    assert_eq!(places.len(), 3);
    for place in &places {
        assert_eq!(
            (place.app_name.as_str(), &place.message_hash),
            ("Open", &first.message_hash)
        );
        assert!(place.node_ip.starts_with("10."), "{place:?}");
        assert_eq!(place.collateral.as_ref().unwrap().txid.len(), 64);
        assert!(place.healthy_at.is_some());
    }
    assert_eq!(plane.places("").await, places);
    assert!(plane.places("other").await.is_empty());

    // Nothing that a container notices changed, so the copies are those of the new message.
    let mut described = web("Open");
    "another text".clone_into(&mut described.description);
    let updated = plane.update(&wallet, "Open", &described.json()).await;
    let second = updated.unwrap().pending.unwrap();
    plane.bus.fund(&second, until).await;
    eventually(LIMIT, async || {
        let places = plane.places("Open").await;
        let moved = places
            .iter()
            .all(|place| place.message_hash == second.message_hash);
        if moved { Ok(()) } else { Err(places) }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_standing_and_a_strange_caller_are_refused() {
    let plane = Plane::start().await;
    let request = ListPublishedMessagesRequest {
        standing: 99,
        ..ListPublishedMessagesRequest::default()
    };
    let refused = plane.client().list_published_messages(request).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    let request = ListPublishedMessagesRequest::default();
    let strange = plane
        .client_as("billing")
        .list_published_messages(request)
        .await;
    assert_eq!(strange.unwrap_err().code(), Code::PermissionDenied);
}
