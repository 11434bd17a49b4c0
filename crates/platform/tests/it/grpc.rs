//! gRPC: mutual TLS decides who a caller is, the policy what it may call, the deadline how long it waits.

use std::time::Duration;

use fluxplane_core::{Clock as _, ErrorKind, SystemClock};
use fluxplane_platform::{
    config,
    error::Remote,
    grpc::{Policy, Server, client, server, server::Allow},
    metrics::Metrics,
    tls::{Credentials, authority::Authority},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, service::Routes};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

const LIFE: chrono::TimeDelta = chrono::TimeDelta::hours(1);

const POLICY: Policy = Policy {
    rules: &[(
        "/grpc.health.v1.Health/Check",
        Allow::Services(&["gateway"]),
    )],
};

struct Running {
    authority: Authority,
    endpoint: String,
    metrics: Metrics,
    _server: JoinSet<anyhow::Result<()>>,
}

fn credentials(authority: &Authority, name: &str) -> Credentials {
    let issued = authority
        .issue_service(name, &[], SystemClock.now(), LIFE)
        .unwrap();
    Credentials::from_pem(&issued.cert_pem, &issued.key_pem, authority.cert_pem())
}

async fn serve() -> Running {
    let (authority, _) = Authority::create("test", SystemClock.now(), LIFE).unwrap();
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("", tonic_health::ServingStatus::Serving)
        .await;
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let metrics = Metrics::new("test", "0");
    let server = Server {
        listener,
        tls: credentials(&authority, "billing").server(),
        policy: POLICY,
        metrics: metrics.clone(),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(server.serve(Routes::new(health), CancellationToken::new()));
    Running {
        authority,
        endpoint,
        metrics,
        _server: tasks,
    }
}

async fn check(running: &Running, credentials: &Credentials) -> Result<(), tonic::Status> {
    let peer = config::Peer {
        endpoint: running.endpoint.clone(),
        timeout: config::Span(Duration::from_secs(5)),
    };
    let client = client::connect(&peer, credentials).unwrap();
    HealthClient::new(client)
        .check(HealthCheckRequest::default())
        .await
        .map(drop)
}

#[tokio::test]
async fn only_listed_services_may_call() {
    let running = serve().await;
    check(&running, &credentials(&running.authority, "gateway"))
        .await
        .unwrap();
    let refused = check(&running, &credentials(&running.authority, "validator"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(
        refused
            .message()
            .contains("spiffe://fluxplane/service/validator"),
        "{refused}"
    );
    let text = running.metrics.encode();
    assert!(
        text.contains(r#"method="/grpc.health.v1.Health/Check",code="OK""#),
        "{text}"
    );
    assert!(
        text.contains(r#"method="refused",code="PERMISSION_DENIED""#),
        "{text}"
    );
}

#[tokio::test]
async fn a_caller_of_another_authority_does_not_get_in() {
    let running = serve().await;
    let (stranger, _) = Authority::create("stranger", SystemClock.now(), LIFE).unwrap();
    let issued = stranger
        .issue_service("gateway", &[], SystemClock.now(), LIFE)
        .unwrap();
    let forged = Credentials::from_pem(
        &issued.cert_pem,
        &issued.key_pem,
        running.authority.cert_pem(),
    );
    let refused = check(&running, &forged).await.unwrap_err();
    assert_eq!(Remote::from(refused).kind, ErrorKind::Unavailable);
}
