//! Timelines: from any point on, then as things happen.

use fluxplane_platform::error::Remote;
use fluxplane_proto::scheduler::v1::{AppState, WatchTimelineRequest};
use tonic::Code;

use crate::support::{Plane, caller, spec::web, wallet::Wallet};

fn watch(wallet: &Wallet, after_sequence: u64) -> WatchTimelineRequest {
    WatchTimelineRequest {
        caller: Some(caller(wallet)),
        name: "shop".to_owned(),
        after_sequence,
        no_follow: false,
    }
}

#[tokio::test]
async fn a_watcher_that_comes_back_gets_what_it_missed_and_nothing_twice() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    let app = plane.submit(&wallet, &web("shop").json()).await.unwrap();
    let mut stream = plane
        .client()
        .watch_timeline(watch(&wallet, 0))
        .await
        .unwrap()
        .into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!(first.stage, "accepted");
    drop(stream);

    plane
        .bus
        .fund(app.current.as_ref().unwrap(), plane.in_days(30))
        .await;
    plane.until(&wallet, "shop", AppState::Running).await;
    let missed = watch(&wallet, first.sequence);
    let mut stream = plane
        .client()
        .watch_timeline(missed)
        .await
        .unwrap()
        .into_inner();
    let mut seen = vec![first];
    while seen.last().unwrap().stage != "running" {
        seen.push(stream.message().await.unwrap().unwrap());
    }
    assert_eq!(seen, plane.timeline(&wallet, "shop").await);
    assert!(seen.is_sorted_by(|a, b| a.sequence < b.sequence));

    // And it hears what happens from now on.
    plane.cancel(&wallet, "shop").await.unwrap();
    assert_eq!(stream.message().await.unwrap().unwrap().stage, "cancelled");
}

#[tokio::test]
async fn a_timeline_is_its_owners_alone_and_ends_with_the_service() {
    let mut plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.submit(&wallet, &web("shop").json()).await.unwrap();
    let stranger = Wallet::new(2);
    let status = plane
        .client()
        .watch_timeline(watch(&stranger, 0))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(Remote::from(status).violations[0].field, "name");
    let mut stream = plane
        .client()
        .watch_timeline(watch(&wallet, 0))
        .await
        .unwrap()
        .into_inner();
    stream.message().await.unwrap().unwrap();
    let (ended, ()) = tokio::join!(stream.message(), plane.stop());
    assert_eq!(ended.unwrap_err().code(), Code::Unavailable);
}
