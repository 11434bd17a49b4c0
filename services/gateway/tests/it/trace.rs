//! One trace from the client through the gateway to the service that answers.

use fluxplane_platform::{config::Telemetry, telemetry};
use reqwest::Method;

use crate::support::{send, start};

#[tokio::test]
async fn the_clients_trace_goes_on_in_the_services() {
    let config = Telemetry {
        log_filter: "off".to_owned(),
        otlp_endpoint: String::new(),
        trace_ratio: 1.0,
    };
    telemetry::init("gateway", "0", &config).unwrap();
    let gateway = start().await;
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace_id}-b7ad6b7169203331-01");
    let request = gateway
        .request(Method::GET, "/v1/chain/status")
        .header("traceparent", &parent);
    send(request).await.expect(200);
    let [seen] = gateway.world.seen("get_status").try_into().unwrap();
    assert_eq!(
        seen.traceparent.split('-').nth(1),
        Some(trace_id),
        "{}",
        seen.traceparent
    );
    assert_ne!(
        seen.traceparent, parent,
        "the gateway's part is a span of its own"
    );
}
