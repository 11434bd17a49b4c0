//! Every route of FluxOS answers: served, or with 501 and the way to go instead.

use fluxplane_gateway::rest::{
    access::{self, Surface},
    fluxos::routes::{Listed, listed, table},
};
use reqwest::Method;

use crate::support::{send, start};

/// A path of a route with something in the place of every parameter.
fn concrete(listed: &Listed) -> String {
    let parts = listed
        .path
        .split('/')
        .map(|part| if part.starts_with(':') { "1" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The shortest path of a route: without what is optional.
fn shortest(listed: &Listed) -> String {
    let parts = listed.path.split('/').filter(|part| !part.ends_with('?'));
    let parts = parts.map(|part| if part.starts_with(':') { "1" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn what_is_not_served_answers_501_and_names_the_way_to_go() {
    let gateway = start().await;
    let mut refused = 0;
    for route in listed().iter().filter(|route| !route.is_served()) {
        let method: Method = route.method.parse().unwrap();
        for path in [concrete(route), shortest(route)] {
            let answer = send(gateway.request(method.clone(), &path)).await;
            assert_eq!(answer.status, 501, "{method} {path}");
            assert_eq!(answer.body["status"], "error");
            let data = &answer.body["data"];
            assert_eq!(
                (&data["code"], &data["name"]),
                (&501.into(), &"Not Implemented".into())
            );
            let text = data["message"].as_str().unwrap();
            assert!(text.starts_with(&format!("{method} /")), "{text}");
            let way = route.instead().unwrap_or("no counterpart");
            assert!(text.contains(way), "{text}");
        }
        refused += 1;
    }
    assert_eq!(refused, 477 - 31);
    assert!(
        gateway
            .metric("rejected_total{code=\"not-served\"}")
            .unwrap()
            > 800.0
    );
    // Nothing changed, so nothing is on record.
    let rows = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM audit"#)
        .fetch_one(&gateway.db.pool)
        .await
        .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn what_is_served_answers_in_the_envelope() {
    let gateway = start().await;
    let mut asked = 0;
    for route in listed().iter().filter(|route| route.is_served()) {
        let method: Method = route.method.parse().unwrap();
        for path in [concrete(route), shortest(route)] {
            let answer = send(gateway.request(method.clone(), &path)).await;
            assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
            let status = answer.body["status"].as_str().unwrap();
            assert!(["success", "error"].contains(&status), "{path}");
            asked += 1;
        }
    }
    assert_eq!(asked, 62);
}

#[tokio::test]
async fn what_fluxos_does_not_have_is_not_found_in_the_envelope() {
    let gateway = start().await;
    for (method, path, status) in [
        (Method::GET, "/apps/surprise", 404),
        (Method::POST, "/daemon/getblockcount", 405),
        (Method::DELETE, "/apps/hashes", 405),
        (Method::PUT, "/apps/surprise", 405),
    ] {
        let answer = send(gateway.request(method, path)).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.body["status"], "error");
        assert_eq!(answer.body["data"]["code"], status);
    }
    // Elsewhere it is a problem document.
    let answer = gateway.get("/v1/surprise").await.expect(404);
    assert_eq!(answer.code(), "not-found");
}

#[test]
fn the_document_has_the_table_of_this_code() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/FLUXOS.md");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(
        text.contains(&table()),
        "put the output of `cargo run -p fluxplane-gateway --example fluxos_routes` into docs/FLUXOS.md"
    );
}

#[test]
fn only_submissions_and_logins_change_something() {
    let changing: Vec<&str> = fluxplane_gateway::rest::fluxos::routes::operations()
        .filter(|operation| operation.changes())
        .map(|operation| operation.path)
        .collect();
    assert_eq!(
        changing,
        [
            "/id/verifylogin",
            "/zelid/verifylogin",
            "/apps/appregister",
            "/apps/appupdate"
        ]
    );
    assert!(
        access::OPERATIONS
            .iter()
            .all(|operation| operation.surface == Surface::Native)
    );
}
