//! HTTPS.

use fluxplane_gateway::config::RestTls;
use reqwest::Version;

use crate::support::{Pki, start_with};

fn tls(pki: &Pki) -> RestTls {
    RestTls {
        cert_file: pki.dir.path().join("gateway.pem"),
        key_file: pki.dir.path().join("gateway.key"),
    }
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_over_tls() {
    let gateway = start_with(|config, pki| config.rest.tls = Some(tls(pki))).await;
    let response = gateway
        .request(reqwest::Method::GET, "/v1/nodes")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (response.status().as_u16(), response.version()),
        (200, Version::HTTP_2)
    );
    assert_eq!(
        response.headers()["strict-transport-security"],
        "max-age=63072000"
    );

    let ca = reqwest::Certificate::from_pem(gateway.pki.authority.cert_pem().as_bytes()).unwrap();
    let old = reqwest::Client::builder()
        .tls_certs_only([ca])
        .http1_only()
        .build()
        .unwrap();
    let response = old
        .get(format!("{}/v1/nodes", gateway.url))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (response.status().as_u16(), response.version()),
        (200, Version::HTTP_11)
    );
}

#[tokio::test]
async fn plain_http_is_not_answered_on_a_tls_port() {
    let gateway = start_with(|config, pki| config.rest.tls = Some(tls(pki))).await;
    let plain = gateway.url.replace("https://", "http://");
    assert!(
        gateway
            .http
            .get(format!("{plain}/v1/nodes"))
            .send()
            .await
            .is_err()
    );
    // The listener lives on.
    let response = gateway
        .request(reqwest::Method::GET, "/v1/nodes")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
}
