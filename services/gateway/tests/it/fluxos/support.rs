//! A client of FluxOS, and what it sends.

use fluxplane_app_spec::{
    json::{Limits, parse},
    legacy::LegacySpec,
    message::{MessageType, signed_text},
};
use fluxplane_core::Clock as _;
use fluxplane_proto::scheduler::v1::{AppState, PublishedInstance, PublishedMessage, SignedSpec};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    peers::{at, outpoint, uuid},
    support::{Answer, Running, send},
    wallets::Wallet,
};

/// A specification of version 8, in the order of its canonical form.
pub(crate) fn spec(owner: &str, name: &str) -> Value {
    let text = format!(
        r#"{{"version":8,"name":"{name}","description":"a web shop","owner":"{owner}","compose":[{{"name":"web","description":"front","repotag":"nginx:1.27","ports":[31000],"domains":[""],"environmentParameters":["A=1"],"commands":[],"containerPorts":[80],"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"repoauth":""}}],"instances":3,"contacts":[],"geolocation":[],"expire":88000,"nodes":[],"staticip":false,"enterprise":""}}"#
    );
    serde_json::from_str(&text).unwrap()
}

/// What FluxOS signs of a specification.
pub(crate) fn canonical(spec: &Value) -> String {
    let document = parse(spec.to_string().as_bytes(), Limits::default()).unwrap();
    LegacySpec::from_value(document.value).unwrap().canonical()
}

/// A signed message.
pub(crate) fn message(wallet: &Wallet, kind: &str, spec: &Value, timestamp: u64) -> Value {
    let kind: MessageType = kind.parse().unwrap();
    let text = signed_text(kind, 1, &canonical(spec), timestamp);
    json!({
        "type": kind.name(),
        "version": 1,
        "appSpecification": spec,
        "timestamp": timestamp,
        "signature": wallet.sign(&text),
    })
}

/// The hash that a message has on the chain.
pub(crate) fn hash_of(message: &Value) -> String {
    let kind: MessageType = message["type"].as_str().unwrap().parse().unwrap();
    let text = signed_text(
        kind,
        1,
        &canonical(&message["appSpecification"]),
        message["timestamp"].as_u64().unwrap(),
    );
    fluxplane_app_spec::message::message_hash(&text, message["signature"].as_str().unwrap())
}

/// A message as the scheduler has it.
pub(crate) fn published(wallet: &Wallet, name: &str, paid: bool) -> PublishedMessage {
    let spec = spec(&wallet.address(), name);
    let timestamp = 1_767_614_400_000;
    let message = message(wallet, "fluxappregister", &spec, timestamp);
    PublishedMessage {
        signed_spec: Some(SignedSpec {
            r#type: "fluxappregister".to_owned(),
            version: 1,
            spec_json: canonical(&spec),
            timestamp_ms: timestamp,
            signature: message["signature"].as_str().unwrap().to_owned(),
        }),
        message_hash: hash_of(&message),
        app_name: name.to_owned(),
        owner: wallet.address(),
        app_state: if paid {
            AppState::Running.into()
        } else {
            AppState::AwaitingPayment.into()
        },
        app_version: 4,
        submitted_at: at(0),
        pay_until: at(3_600),
        funded_at: at(60).filter(|_| paid),
        payment_txid: if paid { "ab".repeat(32) } else { String::new() },
        payment_height: if paid { 2_100_000 } else { 0 },
        paid_sat: if paid { 150_000_000 } else { 0 },
    }
}

pub(crate) fn place(n: u8, name: &str) -> PublishedInstance {
    PublishedInstance {
        instance_id: uuid(u128::from(n)),
        app_name: name.to_owned(),
        message_hash: "cd".repeat(32),
        collateral: outpoint(n),
        node_ip: "203.0.113.77".to_owned(),
        static_ip: true,
        healthy_at: at(5),
    }
}

/// Someone signed in as FluxOS has it.
pub(crate) struct Client {
    pub(crate) auth: String,
}

impl Running {
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.now().timestamp_millis()).unwrap()
    }

    /// A body as FluxOS' own page sends it: JSON under the wrong name.
    pub(crate) async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, path);
        let request = request.header("content-type", "text/plain;charset=UTF-8");
        send(request.body(body)).await
    }

    /// Signs in over `/id`.
    pub(crate) async fn log_in(&self, wallet: &Wallet) -> Client {
        let phrase = self.get("/id/loginphrase").await.data();
        let phrase = phrase.as_str().unwrap().to_owned();
        let login = json!({
            "zelid": wallet.address(),
            "signature": wallet.sign(&phrase),
            "loginPhrase": phrase,
        });
        self.post_text("/id/verifylogin", login.to_string())
            .await
            .data();
        Client {
            auth: login.to_string(),
        }
    }

    /// A call of someone who is signed in.
    pub(crate) fn call(&self, client: &Client, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
            .header("zelidauth", &client.auth)
            .header("content-type", "text/plain;charset=UTF-8")
    }

    pub(crate) async fn submit(&self, client: &Client, path: &str, message: &Value) -> Answer {
        send(self.call(client, path).body(message.to_string())).await
    }
}

impl Answer {
    /// What a success says.
    #[track_caller]
    pub(crate) fn data(self) -> Value {
        assert_eq!(self.status, 200, "{:#}", self.body);
        assert_eq!(self.body["status"], "success", "{:#}", self.body);
        assert_eq!(
            self.header("content-type"),
            "application/json; charset=utf-8"
        );
        self.body["data"].clone()
    }

    /// The text of an error, which has no other fields than FluxOS gives it.
    #[track_caller]
    pub(crate) fn error(self) -> String {
        assert_eq!(self.status, 200, "{:#}", self.body);
        assert_eq!(self.body["status"], "error", "{:#}", self.body);
        let mut fields: Vec<&String> = self.body.as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["data", "status"]);
        self.body["data"]["message"].as_str().unwrap().to_owned()
    }
}
