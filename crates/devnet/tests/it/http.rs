//! JSON-RPC as HTTP: the status codes and manners of the daemon.

use fluxplane_devnet::{
    Credentials,
    client::{Client, ClientError},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::ground::served;

/// Sends bytes and gives back everything that comes.
async fn raw(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://"))
        .await
        .unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn every_refusal_has_the_status_of_the_daemon() {
    let devnet = served().await;
    let client = Client::new(&devnet.rpc_url(), devnet.credentials()).unwrap();
    for (body, status, code) in [
        (r#"{"id":1,"method":"getblockcount","params":[]}"#, 200, 0),
        (r#"{"id":1,"method":"getblockcount"}"#, 200, 0),
        (r#"{"id":1,"method":"nothing","params":[]}"#, 404, -32_601),
        (
            r#"{"id":1,"method":"getblockhash","params":[999]}"#,
            500,
            -8,
        ),
        (r#"{"id":1,"params":[]}"#, 400, -32_600),
        (r#"{"id":1,"method":5,"params":[]}"#, 400, -32_600),
        (r#"{"id":1,"method":"getinfo","params":{}}"#, 400, -32_600),
        ("{", 500, -32_700),
        ("\"text\"", 500, -32_700),
    ] {
        let (got, text) = client.post(body.to_owned()).await.unwrap();
        assert_eq!(got, status, "{body}: {text}");
        assert!(text.ends_with('\n'));
        let reply: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(reply["error"]["code"].as_i64().unwrap_or(0), code, "{body}");
    }
    devnet.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_answer_has_result_error_and_id_in_this_order() {
    let devnet = served().await;
    let client = Client::new(&devnet.rpc_url(), devnet.credentials()).unwrap();
    let post = |body: &str| client.post(body.to_owned());
    let (_, text) = post(r#"{"id":"a","method":"getblockcount","params":[]}"#)
        .await
        .unwrap();
    assert_eq!(text, "{\"result\":110,\"error\":null,\"id\":\"a\"}\n");
    let (_, text) = post(r#"{"method":"getblockhash","params":[-1],"id":null}"#)
        .await
        .unwrap();
    assert_eq!(
        text,
        "{\"result\":null,\"error\":{\"code\":-8,\"message\":\"Block height out of range\"},\"id\":null}\n"
    );
    devnet.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_batch_is_answered_in_order_whatever_fails() {
    let devnet = served().await;
    let client = Client::new(&devnet.rpc_url(), devnet.credentials()).unwrap();
    let batch = json!([
        {"id": 1, "method": "getblockcount"},
        {"id": 2, "method": "nothing"},
        5,
        {"id": 3, "method": "getblockhash", "params": [0]},
    ]);
    let (status, text) = client.post(batch.to_string()).await.unwrap();
    assert_eq!(status, 200);
    let replies: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(replies.len(), 4);
    assert_eq!(replies[0], json!({"result": 110, "error": null, "id": 1}));
    assert_eq!(replies[1]["error"]["code"], -32_601);
    assert_eq!(replies[2]["error"]["code"], -32_600);
    assert_eq!(replies[3]["id"], 3);
    devnet.shutdown().await.unwrap();
}

#[tokio::test]
async fn only_who_knows_name_and_password_is_answered() {
    let devnet = served().await;
    let stranger = Credentials {
        user: "devnet".to_owned(),
        password: "wrong".to_owned(),
    };
    let client = Client::new(&devnet.rpc_url(), &stranger).unwrap();
    let refused = client.call("getblockcount", &[]).await.unwrap_err();
    assert!(matches!(refused, ClientError::Unauthorized), "{refused}");
    let answer = raw(
        &devnet.rpc_url(),
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let lower = answer.to_lowercase();
    assert!(
        lower.contains("www-authenticate: basic realm=\"jsonrpc\""),
        "{answer}"
    );
    devnet.shutdown().await.unwrap();
}

#[tokio::test]
async fn only_post_is_served() {
    let devnet = served().await;
    let answer = raw(
        &devnet.rpc_url(),
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert!(
        answer.ends_with("JSONRPC server handles only POST requests"),
        "{answer}"
    );
    devnet.shutdown().await.unwrap();
}

#[tokio::test]
async fn stop_ends_the_server() {
    let devnet = served().await;
    let client = Client::new(&devnet.rpc_url(), devnet.credentials()).unwrap();
    let said = client.call("stop", &[]).await.unwrap();
    assert_eq!(said, "Flux server stopping");
    tokio::time::timeout(crate::ground::PATIENCE, devnet.stopped())
        .await
        .unwrap();
    devnet.shutdown().await.unwrap();
    let refused = client.call("getblockcount", &[]).await.unwrap_err();
    assert!(matches!(refused, ClientError::Connect { .. }), "{refused}");
}

#[tokio::test]
async fn a_client_is_told_what_is_wrong_with_its_address() {
    for url in ["https://127.0.0.1:1", "127.0.0.1", ""] {
        let wrong = Client::new(url, &Credentials::default()).unwrap_err();
        assert!(matches!(wrong, ClientError::Address(_)), "{url}: {wrong}");
    }
}
