//! A client written for FluxOS, against the gateway of a running plane: plain HTTP, FluxOS' paths and field names, a wallet that
//! signs and pays. It knows nothing of `/v1`.

use std::{
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fluxplane_testkit::plane::{LocalPlane, ctl::Wallet, demo::App, nodes::NODES};
use serde_json::{Value, json};

use super::support::{TestPlane, values};

/// How long copies may take to run, or to change.
const LIMIT: Duration = Duration::from_mins(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_client_written_for_fluxos_deploys_pays_and_updates() {
    let Some(test) = TestPlane::start("").await.unwrap() else {
        return;
    };
    let plane = &test.plane;
    let wallet = plane.ctl.wallet("fluxos-client").unwrap();
    plane.chain.faucet(&wallet.address, "100").unwrap();
    let app = App::named(&wallet.id, "OldClient").unwrap();
    plane
        .engine
        .provide_image(&app.image, app.container_port)
        .unwrap();
    let client = Client::log_in(plane, &wallet);

    let hash = client.register(app.spec());
    client.waits_in_the_open(&app.name, &hash);
    let places = client.until_running(&app.name, &hash);
    every_copy_answers(plane, app.spec(), &places);
    client.is_in_the_books(&app.name, &hash);

    let mut next = app.spec().clone();
    next["description"] = json!("changed by a client of FluxOS");
    next["compose"][0]["environmentParameters"] =
        json!(["VALUE=2", "PAGE_TITLE=Again", "PAGE_CONTENT=Changed."]);
    let changed = client.update(&next);
    assert_ne!(changed, hash);
    client.until_running(&app.name, &changed);

    a_stranger_changes_nothing(plane, &app);
    what_is_not_served_is_named(plane);
    let imbalance = values(
        &plane.metrics("billing").unwrap(),
        "fluxplane_ledger_imbalance_sat",
    );
    assert!(imbalance.iter().all(|sat| *sat == 0.0), "{imbalance:?}");
    test.plane.stop().await.unwrap();
}

/// What a page or a script for FluxOS does.
struct Client<'a> {
    plane: &'a LocalPlane,
    wallet: &'a Wallet,
    /// The header `zelidauth`.
    auth: String,
}

impl<'a> Client<'a> {
    fn log_in(plane: &'a LocalPlane, wallet: &'a Wallet) -> Self {
        let phrase = data(&get(plane, "/id/loginphrase"));
        let phrase = phrase.as_str().unwrap();
        let login = json!({
            "zelid": wallet.id,
            "signature": sign(wallet, phrase),
            "loginPhrase": phrase,
        });
        let session = data(&post(plane, "/id/verifylogin", &login.to_string(), ""));
        assert_eq!(session["message"], "Successfully logged in");
        assert_eq!(session["privilage"], "user");
        let auth = format!(
            "zelid={}&signature={}&loginPhrase={phrase}",
            wallet.id,
            // As `qs.stringify` writes base64.
            session["signature"]
                .as_str()
                .unwrap()
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D"),
        );
        Self {
            plane,
            wallet,
            auth,
        }
    }

    /// Verifies, prices, signs, registers and pays. Returns the hash.
    fn register(&self, spec: &Value) -> String {
        let plane = self.plane;
        assert_eq!(data(&get(plane, "/apps/latestspecificationversion")), 8);
        let body = spec.to_string();
        let formatted = formatted(&post(
            plane,
            "/apps/verifyappregistrationspecifications",
            &body,
            "",
        ));
        let price = self.price(&body);
        assert_eq!(price["fluxDiscount"], 5, "{price}");
        let hash = self.submit("fluxappregister", "/apps/appregister", &formatted);
        self.pay(&price, &hash);
        hash
    }

    fn update(&self, spec: &Value) -> String {
        let plane = self.plane;
        let body = spec.to_string();
        let formatted = formatted(&post(
            plane,
            "/apps/verifyappupdatespecifications",
            &body,
            "",
        ));
        let price = self.price(&body);
        let hash = self.submit("fluxappupdate", "/apps/appupdate", &formatted);
        if price["flux"] != 0 {
            self.pay(&price, &hash);
        }
        hash
    }

    fn price(&self, body: &str) -> Value {
        let price = data(&post(
            self.plane,
            "/apps/calculatefiatandfluxprice",
            body,
            "",
        ));
        assert!(price["usd"].is_number(), "{price}");
        assert!(price["flux"].is_number(), "{price}");
        price
    }

    /// Signs the text that FluxOS forms, and submits.
    fn submit(&self, kind: &str, path: &str, formatted: &str) -> String {
        #[expect(clippy::disallowed_methods, reason = "a client has a clock of its own")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let timestamp = now.as_millis();
        let signature = sign(self.wallet, &format!("{kind}1{formatted}{timestamp}"));
        let message = format!(
            r#"{{"type":"{kind}","version":1,"appSpecification":{formatted},"timestamp":{timestamp},"signature":"{signature}"}}"#
        );
        let hash = data(&post(self.plane, path, &message, &self.auth));
        let hash = hash.as_str().unwrap().to_owned();
        assert_eq!(hash.len(), 64, "{hash}");
        hash
    }

    /// One transaction: the price, and the hash in an `OP_RETURN`.
    fn pay(&self, price: &Value, hash: &str) {
        let deployment = data(&get(self.plane, "/apps/deploymentinformation"));
        let pay = [
            "wallet",
            "pay",
            "--key-file",
            &self.wallet.key_file.display().to_string(),
            "--to",
            deployment["address"].as_str().unwrap(),
            "--amount",
            &price["flux"].to_string(),
            "--message-hash",
            hash,
        ];
        self.wallet.ctl().until(LIMIT, &pay).unwrap();
    }

    /// Everybody sees what was submitted, and until when it must be paid or that it was.
    fn waits_in_the_open(&self, name: &str, hash: &str) {
        let waiting = data(&get(self.plane, &format!("/apps/temporarymessages/{hash}")));
        let paid = data(&get(self.plane, &format!("/apps/permanentmessages/{hash}")));
        let both = [waiting, paid];
        let seen = both.iter().filter_map(|list| list.get(0));
        let specs: Vec<&Value> = seen.map(|message| &message["appSpecifications"]).collect();
        assert!(
            specs.iter().any(|spec| spec["name"] == name),
            "{specs:?} of {both:?}"
        );
    }

    /// Polls as FluxOS' page does, until all copies run what the hash stands for.
    fn until_running(&self, name: &str, hash: &str) -> Vec<Value> {
        let path = format!("/apps/location/{name}");
        let started = std::time::Instant::now();
        loop {
            let places = data(&get(self.plane, &path));
            let places = places.as_array().unwrap();
            if places.len() == 3 && places.iter().all(|place| place["hash"] == hash) {
                return places.clone();
            }
            assert!(started.elapsed() < LIMIT, "{places:?}");
            // The chain's next block is the client's clock.
            let at = data(&get(self.plane, "/daemon/getblockcount"));
            while data(&get(self.plane, "/daemon/getblockcount")) == at {
                assert!(started.elapsed() < LIMIT, "no block after {at}");
            }
        }
    }

    /// What a client may look up later.
    fn is_in_the_books(&self, name: &str, hash: &str) {
        let plane = self.plane;
        let spec = data(&get(plane, &format!("/apps/appspecifications/{name}")));
        assert_eq!((&spec["name"], &spec["hash"]), (&json!(name), &json!(hash)));
        let height = spec["height"].as_u64().unwrap();
        assert!(height > 0 && height <= plane.chain.height().unwrap());
        let all = data(&get(plane, "/apps/globalappsspecifications"));
        assert!(all.as_array().unwrap().contains(&spec));
        let hashes = data(&get(plane, "/apps/hashes"));
        let paid = hashes.as_array().unwrap();
        let paid = paid.iter().find(|paid| paid["hash"] == hash).unwrap();
        assert_eq!(paid["height"], height);
        let txid = paid["txid"].as_str().unwrap();
        let transaction = data(&get(plane, &format!("/daemon/getrawtransaction/{txid}/1")));
        let carried = hex::encode(hash);
        let outputs = transaction["vout"].to_string();
        assert!(outputs.contains(&carried), "{outputs}");
        let block = data(&get(plane, &format!("/daemon/getblock/{height}/1")));
        assert!(block["tx"].as_array().unwrap().contains(&json!(txid)));
        let message = &data(&get(plane, &format!("/apps/permanentmessages/{hash}")))[0];
        assert_eq!(message["txid"], txid);
        assert_eq!(message["valueSat"], paid["value"]);
    }
}

/// The places are machines of the plane, as the chain lists them, and each serves the page.
fn every_copy_answers(plane: &LocalPlane, spec: &Value, places: &[Value]) {
    let port = &spec["compose"][0]["ports"][0];
    let listed = data(&get(plane, "/daemon/viewdeterministicfluxnodelist"));
    for place in places {
        let ip = place["ip"].as_str().unwrap();
        let nodes = listed.as_array().unwrap();
        assert!(nodes.iter().any(|node| node["ip"] == ip), "{ip}: {listed}");
        let host = ip.split(':').next().unwrap();
        assert!(NODES.iter().any(|node| plane.ip(node) == host), "{ip}");
        let url = format!("http://{host}:{port}/");
        let page = curl(&["--retry", "10", "--retry-connrefused", "--fail", &url]);
        assert!(!page.is_empty(), "{url}");
    }
}

fn a_stranger_changes_nothing(plane: &LocalPlane, app: &App) {
    let stranger = plane.ctl.wallet("stranger").unwrap();
    let client = Client::log_in(plane, &stranger);
    let formatted = formatted(&post(
        plane,
        "/apps/verifyappupdatespecifications",
        &app.spec().to_string(),
        "",
    ));
    let signature = sign(&stranger, "something else");
    let message = |timestamp: &str| {
        format!(
            r#"{{"type":"fluxappupdate","version":1,"appSpecification":{formatted},"timestamp":{timestamp},"signature":"{signature}"}}"#
        )
    };
    let old = error(&post(
        plane,
        "/apps/appupdate",
        &message("1600000000000"),
        &client.auth,
    ));
    assert!(
        old.starts_with("Message timestamp is over 1 hour old"),
        "{old}"
    );
    let nobody = error(&post(plane, "/apps/appupdate", &message("1"), ""));
    assert_eq!(nobody, "Unauthorized. Access denied.");
    let taken = error(&post(
        plane,
        "/apps/verifyappregistrationspecifications",
        &app.spec().to_string(),
        "",
    ));
    assert!(taken.contains("already registered"), "{taken}");
}

fn what_is_not_served_is_named(plane: &LocalPlane) {
    let text = error(&get(plane, "/apps/appremove/OldClient"));
    assert!(text.ends_with("Use DELETE /v1/apps/{name}."), "{text}");
}

/// What a Bitcoin wallet signs.
fn sign(wallet: &Wallet, text: &str) -> String {
    let key = wallet.key_file.display().to_string();
    let signed = wallet
        .ctl()
        .json(&["wallet", "sign", "--key-file", &key, text])
        .unwrap();
    signed["signature"].as_str().unwrap().to_owned()
}

fn get(plane: &LocalPlane, path: &str) -> String {
    curl(&[&format!("{}{path}", plane.addresses.http("gateway"))])
}

/// As FluxOS' page sends it: JSON under the media type of a plain text.
fn post(plane: &LocalPlane, path: &str, body: &str, auth: &str) -> String {
    curl(&[
        "--header",
        "Content-Type: text/plain;charset=UTF-8",
        "--header",
        &format!("zelidauth: {auth}"),
        "--data-binary",
        body,
        &format!("{}{path}", plane.addresses.http("gateway")),
    ])
}

fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "60"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The data of a success.
fn data(answer: &str) -> Value {
    let parsed: Value =
        serde_json::from_str(answer).unwrap_or_else(|err| panic!("{err}: {answer}"));
    assert_eq!(parsed["status"], "success", "{answer}");
    parsed["data"].clone()
}

/// The text of an error.
fn error(answer: &str) -> String {
    let parsed: Value =
        serde_json::from_str(answer).unwrap_or_else(|err| panic!("{err}: {answer}"));
    assert_eq!(parsed["status"], "error", "{answer}");
    parsed["data"]["message"].as_str().unwrap().to_owned()
}

/// The data as `JSON.stringify` of JavaScript gives them back: in the order in which they came.
fn formatted(answer: &str) -> String {
    data(answer);
    let text = answer.strip_prefix(r#"{"status":"success","data":"#);
    text.unwrap().strip_suffix('}').unwrap().to_owned()
}
