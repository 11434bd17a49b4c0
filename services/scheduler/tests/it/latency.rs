//! How long it takes from a submission to its placement, through everything that is really there: TLS, Postgres, the
//! outbox, NATS, billing's answer, the leader. Run with `--no-capture` it prints what it measured.

use std::time::{Duration, Instant};

use fluxplane_proto::scheduler::v1::{InstanceAssigned, RevisionSubmitted};
use tokio::task::JoinSet;

use crate::support::{LIMIT, Plane, bus::funded, spec::web, wallet::Wallet};

/// Submissions measured.
const APPS: u16 = 100;

/// What half of them must keep also on a busy machine, in a debug build, with other tests beside: less than any period. The
/// goal of 50 ms is for a release build.
const BOUND: Duration = Duration::from_secs(2);

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

#[tokio::test]
async fn a_submission_paid_from_the_balance_is_placed_soon() {
    let plane = Plane::start_with(std::sync::Arc::new(fluxplane_core::SystemClock), |config| {
        // Nothing here may depend on a period.
        config.placement.period = fluxplane_platform::config::Span(LIMIT);
    })
    .await;
    let agents = plane.agents(60).await;
    assert_eq!(agents.history(), []);
    let mut billing = JoinSet::new();
    let (bus, submitted) = (
        plane.bus.clone(),
        plane.bus.hear::<RevisionSubmitted>().await,
    );
    let until = plane.in_days(30);
    billing.spawn(async move {
        let (mut news, mut known) = (submitted.news(), 0);
        while news.changed().await.is_ok() {
            for event in submitted.after(known) {
                known += 1;
                bus.publish(&funded(&event.revision_id, until)).await;
            }
        }
    });
    let assigned = plane.bus.hear::<InstanceAssigned>().await;
    let wallet = Wallet::new(1);
    let mut client = plane.client();
    let mut heard = Vec::new();
    for n in 0..APPS {
        let mut spec = web(&format!("app{n}"));
        spec.port = 31_000 + n;
        spec.cpu = "0.1".to_owned();
        let request = plane.submission(&wallet, &spec.json());
        let mut news = assigned.news();
        let started = Instant::now();
        let app = client
            .submit_app(request)
            .await
            .unwrap()
            .into_inner()
            .app
            .unwrap();
        let id = app.app_id;
        let mine = |event: &InstanceAssigned| event.app_id == id;
        while assigned
            .all()
            .iter()
            .rev()
            .filter(|event| mine(event))
            .count()
            < 3
        {
            tokio::time::timeout(LIMIT, news.changed())
                .await
                .unwrap()
                .unwrap();
        }
        heard.push(started.elapsed());
    }
    let rows = sqlx::query_scalar!(
        r#"
        SELECT (extract(epoch FROM placed_at - submitted_at) * 1000000)::bigint AS "micros!"
        FROM revision WHERE placed_at IS NOT NULL
        "#
    );
    let rows = rows.fetch_all(&plane.db.pool).await.unwrap();
    let mut placed: Vec<Duration> = rows
        .into_iter()
        .map(|micros| Duration::from_micros(u64::try_from(micros).unwrap()))
        .collect();
    assert_eq!(placed.len(), usize::from(APPS));
    placed.sort();
    heard.sort();
    println!(
        "submit -> placed: p50 {:?}, p99 {:?}; -> others have heard of it: p50 {:?}, p99 {:?}",
        percentile(&placed, 50),
        percentile(&placed, 99),
        percentile(&heard, 50),
        percentile(&heard, 99),
    );
    assert!(percentile(&heard, 50) < BOUND);
}
