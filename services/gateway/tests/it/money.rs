//! Balance, invoices, proofs, epochs: what is shown is what billing and the validator say.

use fluxplane_proto::billing::v1::StreamLeavesResponse;
use reqwest::Method;
use tonic::Status;

use crate::{
    peers,
    support::{Running, Session, start},
    wallets::Wallet,
};

async fn with_books() -> (Running, Session) {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let mut state = gateway.world.state();
    state.invoices.push(peers::invoice(&session.principal));
    state.epochs.push(peers::epoch(12));
    state.anchors.push(peers::anchor(12));
    state.earnings.push(peers::earning());
    drop(state);
    (gateway, session)
}

#[tokio::test]
async fn the_books_are_shown() {
    let (gateway, session) = with_books().await;
    let invoice = format!("/v1/invoices/{}", peers::uuid(20));
    for (name, path) in [
        ("account", "/v1/account".to_owned()),
        ("invoices", "/v1/invoices".to_owned()),
        ("invoice", invoice.clone()),
        ("line_proof", format!("{invoice}/lines/1/proof")),
        ("earnings", "/v1/earnings".to_owned()),
        ("epochs", "/v1/epochs".to_owned()),
        ("epoch", "/v1/epochs/12".to_owned()),
        ("anchor", "/v1/epochs/12/anchor".to_owned()),
    ] {
        let answer = gateway.get_as(&session, &path).await.expect(200);
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(name, answer.body, {
                ".owner" => "[owner]",
                ".principal" => "[owner]",
                ".items[].owner" => "[owner]",
            });
        });
    }
    // Whose books are asked for is what the token says, nothing else.
    for method in [
        "get_account",
        "list_invoices",
        "get_invoice",
        "get_line_proof",
        "list_earnings",
    ] {
        let [seen] = gateway.world.seen(method).try_into().unwrap();
        assert!(
            seen.request.contains(&session.principal),
            "{method}: {}",
            seen.request
        );
    }
}

#[tokio::test]
async fn an_invoice_of_another_owner_does_not_exist() {
    let (gateway, _) = with_books().await;
    let other = gateway.sign_in(&Wallet::bitcoin(2)).await;
    let path = format!("/v1/invoices/{}", peers::uuid(20));
    assert_eq!(
        gateway.get_as(&other, &path).await.expect(404).code(),
        "not-found"
    );
}

#[tokio::test]
async fn everyone_may_read_epochs_and_their_anchors() {
    let (gateway, _) = with_books().await;
    for path in ["/v1/epochs", "/v1/epochs/12", "/v1/epochs/12/anchor"] {
        gateway.get(path).await.expect(200);
    }
    gateway.get("/v1/epochs/13").await.expect(404);
    let wrong = gateway.get("/v1/epochs/last").await.expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "number");
}

fn leaves(first_index: u64, leaves: &[&[u8]]) -> StreamLeavesResponse {
    let leaves = leaves.iter().map(|leaf| leaf.to_vec()).collect();
    StreamLeavesResponse {
        first_index,
        leaves,
    }
}

#[tokio::test]
async fn leaves_come_one_a_line() {
    let (gateway, _) = with_books().await;
    gateway.world.state().leaves = vec![Ok(leaves(0, &[b"a", b"b"])), Ok(leaves(2, &[b"c"]))];
    let response = gateway
        .request(Method::GET, "/v1/epochs/12/leaves")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let text = response.text().await.unwrap();
    let expected = [
        r#"{"index":0,"leaf":"61"}"#,
        r#"{"index":1,"leaf":"62"}"#,
        r#"{"index":2,"leaf":"63"}"#,
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_part_of_the_leaves_never_looks_like_all_of_them() {
    let (gateway, _) = with_books().await;
    gateway.world.state().leaves = vec![Ok(leaves(0, &[b"a"])), Err(Status::unavailable("gone"))];
    // Depending on how fast the failure is, the connection breaks before or after the head.
    let request = gateway.request(Method::GET, "/v1/epochs/12/leaves");
    let whole = async { request.send().await?.text().await }.await;
    assert!(whole.is_err(), "{whole:?}");
}
