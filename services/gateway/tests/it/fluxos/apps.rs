//! Verdicts, prices, and what everybody may read.

use serde_json::{Value, json};

use super::support::{canonical, place, published, spec};
use crate::{
    peers::{PAYMENT_ADDRESS, fluxnode, outpoint},
    support::start,
    wallets::Wallet,
};

const REGISTRATION: &str = "/apps/verifyappregistrationspecifications";
const UPDATE: &str = "/apps/verifyappupdatespecifications";

#[tokio::test]
async fn a_good_specification_comes_back_in_the_form_that_is_signed() {
    let gateway = start().await;
    let id = Wallet::bitcoin(1).address();
    let spec = spec(&id, "shop");
    let mut loose = spec.clone();
    // FluxOS takes these and signs what they mean.
    loose["staticip"] = json!("false");
    loose["compose"] = json!(loose["compose"].to_string());
    for body in [
        spec.to_string(),
        loose.to_string(),
        json!(spec.to_string()).to_string(),
        json!({ "appSpecification": spec }).to_string(),
    ] {
        let request = gateway.request(reqwest::Method::POST, REGISTRATION);
        let response = request.body(body).send().await.unwrap();
        let text = response.text().await.unwrap();
        let wanted = format!(r#"{{"status":"success","data":{}}}"#, canonical(&spec));
        assert_eq!(text, wanted, "to the byte, because it is signed");
    }
}

/// Verdicts of FluxOS v8.17, recorded. Where it accepts, this plane may still ask for more, and says so by field.
#[tokio::test]
async fn verdicts_are_those_of_fluxos_with_its_texts() {
    let gateway = start().await;
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/fluxos-verdict-vectors.json"
    );
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    let (mut refused, mut beyond) = (0, 0);
    // The chain of this test stands at one height; most cases were judged at others.
    for case in cases.iter().filter(|case| {
        case["height"]
            .as_u64()
            .is_some_and(|height| height >= 2_176_519)
    }) {
        let answer = gateway
            .post_text(REGISTRATION, case["spec"].to_string())
            .await;
        if case["accepted"] == false {
            let text = case["error"].as_str().unwrap();
            let text = text.strip_prefix("format: ").unwrap_or(text);
            assert_eq!(answer.error(), text, "{case}");
            refused += 1;
        } else if answer.body["status"] == "success" {
            assert_eq!(
                answer.body["data"],
                serde_json::from_str::<Value>(case["canonical"].as_str().unwrap()).unwrap()
            );
        } else {
            let text = answer.error();
            assert!(text.contains(", but "), "{text}: {case}");
            beyond += 1;
        }
    }
    assert!(refused > 100 && beyond > 10, "{refused} {beyond}");
}

#[tokio::test]
async fn what_fluxos_takes_and_no_machine_can_run_is_refused_by_its_field() {
    let gateway = start().await;
    let id = Wallet::bitcoin(1).address();
    for (pointer, value, field) in [
        ("/compose/0/cpu", json!(-5), "compose[0].cpu"),
        ("/geolocation", json!(["everywhere"]), "geolocation[0]"),
        ("/owner", json!("TrippleCore"), "owner"),
        ("/enterprise", json!("A".repeat(400)), "enterprise"),
    ] {
        let mut wrong = spec(&id, "shop");
        *wrong.pointer_mut(pointer).unwrap() = value;
        let text = gateway
            .post_text(REGISTRATION, wrong.to_string())
            .await
            .error();
        assert!(text.starts_with(&format!("{field} is ")), "{text}");
    }
}

#[tokio::test]
async fn a_taken_name_and_an_impossible_update_are_told_before_anybody_signs() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let id = wallet.address();
    let (running, waiting) = (
        published(&wallet, "Shop", true),
        published(&wallet, "Wait", false),
    );
    gateway.world.state().messages.extend([running, waiting]);
    for name in ["shop", "wAIT"] {
        let text = gateway
            .post_text(REGISTRATION, spec(&id, name).to_string())
            .await
            .error();
        assert!(
            text.ends_with(
                "already registered. Flux App has to be registered under different name."
            ),
            "{text}"
        );
    }
    let mut update = spec(&id, "Shop");
    update["instances"] = json!(4);
    let data = gateway.post_text(UPDATE, update.to_string()).await.data();
    assert_eq!(data["instances"], 4);
    let unknown = gateway
        .post_text(UPDATE, spec(&id, "Other").to_string())
        .await;
    assert_eq!(
        unknown.error(),
        "Flux App update received but application to update does not exist!"
    );
}

#[tokio::test]
async fn prices_have_the_fields_and_the_numbers_of_fluxos() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let spec = spec(&wallet.address(), "shop").to_string();
    for path in ["/apps/calculateprice", "/apps/calculatefiatandfluxprice"] {
        let request = gateway.request(reqwest::Method::POST, path);
        let text = request.body(spec.clone()).send().await.unwrap();
        assert_eq!(
            text.text().await.unwrap(),
            r#"{"status":"success","data":{"usd":2.33,"flux":3.69,"fluxDiscount":5}}"#
        );
    }
    let asked = gateway.world.seen("estimate_price").pop().unwrap();
    assert!(
        asked.request.contains("update_of: \"\""),
        "{}",
        asked.request
    );

    // The unused term of what runs is credited.
    gateway
        .world
        .state()
        .messages
        .push(published(&wallet, "Shop", true));
    gateway.post_text("/apps/calculateprice", spec).await.data();
    let asked = gateway.world.seen("estimate_price").pop().unwrap().request;
    assert!(asked.contains("update_of: \"Shop\""), "{asked}");
    assert!(asked.contains(&wallet.address()), "{asked}");

    // Nothing is verified but what a price needs.
    let text = gateway
        .post_text("/apps/calculateprice", "{}")
        .await
        .error();
    assert!(text.contains("Missing"), "{text}");
}

#[tokio::test]
async fn specifications_carry_the_hash_and_the_height_of_their_message() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let names = ["Alpha", "Beta", "Gamma"];
    for name in names {
        gateway
            .world
            .state()
            .messages
            .push(published(&wallet, name, true));
    }
    let alpha = published(&wallet, "Alpha", true);
    let one = gateway.get("/apps/appspecifications/alpha").await.data();
    let mut wanted = spec(&wallet.address(), "Alpha");
    wanted["hash"] = json!(alpha.message_hash);
    wanted["height"] = json!(2_100_000);
    assert_eq!(one, wanted);
    assert_eq!(
        gateway
            .get("/apps/appspecifications?appname=Alpha")
            .await
            .data(),
        wanted
    );
    // The peer gives two at a time.
    let all = gateway.get("/apps/globalappsspecifications").await.data();
    assert_eq!(all.as_array().unwrap().len(), 3);
    for query in [
        format!("hash={}", alpha.message_hash),
        "appname=Alpha".to_owned(),
    ] {
        let found = gateway
            .get(&format!("/apps/globalappsspecifications?{query}"))
            .await
            .data();
        assert_eq!(found, json!([wanted]), "{query}");
    }
    let path = format!("/apps/globalappsspecifications/{}", alpha.message_hash);
    assert_eq!(gateway.get(&path).await.data(), json!([wanted]));
    let other_case = "/apps/globalappsspecifications?appname=alpha";
    assert_eq!(gateway.get(other_case).await.data(), json!([]));
    for (path, text) in [
        ("/apps/appspecifications", "No Application Name specified"),
        (
            "/apps/appspecifications/Delta",
            "Application: Delta not found",
        ),
        (
            "/apps/appspecifications/Alpha/true",
            "App spec decryption is only possible for version 8+ Apps.",
        ),
    ] {
        assert_eq!(gateway.get(path).await.error(), text);
    }
}

#[tokio::test]
async fn messages_and_hashes_have_the_fields_of_fluxos() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let (paid, waiting) = (
        published(&wallet, "Paid", true),
        published(&wallet, "Wait", false),
    );
    gateway
        .world
        .state()
        .messages
        .extend([paid.clone(), waiting.clone()]);
    let signed = paid.signed_spec.clone().unwrap();
    assert_eq!(
        gateway.get("/apps/permanentmessages").await.data(),
        json!([{
            "type": "fluxappregister",
            "version": 1,
            "appSpecifications": spec(&wallet.address(), "Paid"),
            "hash": paid.message_hash,
            "timestamp": 1_767_614_400_000_u64,
            "signature": signed.signature,
            "txid": "ab".repeat(32),
            "height": 2_100_000,
            "valueSat": 150_000_000,
        }])
    );
    assert_eq!(
        gateway.get("/apps/temporarymessages").await.data(),
        json!([{
            "appSpecifications": spec(&wallet.address(), "Wait"),
            "type": "fluxappregister",
            "version": 1,
            "hash": waiting.message_hash,
            "timestamp": 1_767_614_400_000_u64,
            "signature": waiting.signed_spec.clone().unwrap().signature,
            "receivedAt": "2026-01-05T12:00:00.000Z",
            "expireAt": "2026-01-05T13:00:00.000Z",
        }])
    );
    let by_hash = format!("/apps/temporarymessages/{}", waiting.message_hash);
    assert_eq!(
        gateway.get(&by_hash).await.data()[0]["hash"],
        waiting.message_hash
    );
    let none = format!("/apps/temporarymessages/{}", paid.message_hash);
    assert_eq!(gateway.get(&none).await.data(), json!([]));
    let by_owner = format!("/apps/permanentmessages?owner={}", wallet.address());
    assert_eq!(
        gateway.get(&by_owner).await.data()[0]["hash"],
        paid.message_hash
    );
    assert_eq!(
        gateway.get("/apps/hashes").await.data(),
        json!([{
            "txid": "ab".repeat(32),
            "hash": paid.message_hash,
            "height": 2_100_000,
            "value": 150_000_000,
            "message": true,
        }])
    );
}

#[tokio::test]
async fn places_are_those_of_the_chains_list_and_expire_as_in_fluxos() {
    let gateway = start().await;
    gateway.world.state().fluxnodes.push(fluxnode(1));
    gateway
        .world
        .state()
        .locations
        .extend([place(1, "Shop"), place(2, "Shop"), place(3, "Other")]);
    assert_eq!(gateway.world.state().locations[0].collateral, outpoint(1));
    let shop = gateway.get("/apps/location/shop").await.data();
    let rows = shop.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let mut fields: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(
        fields,
        [
            "broadcastedAt",
            "expireAt",
            "hash",
            "ip",
            "name",
            "runningSince",
            "staticIp"
        ]
    );
    assert_eq!(rows[0]["ip"], "203.0.113.9:16127", "as the chain has it");
    assert_eq!(rows[1]["ip"], "203.0.113.77", "a node that left the list");
    assert_eq!(rows[0]["hash"], "cd".repeat(32));
    assert_eq!(rows[0]["runningSince"], "2026-01-05T12:00:05.000Z");
    let time =
        |name: &str| chrono::DateTime::parse_from_rfc3339(rows[0][name].as_str().unwrap()).unwrap();
    assert_eq!(
        (time("expireAt") - time("broadcastedAt")).num_seconds(),
        7_500
    );
    let all = gateway.get("/apps/locations").await.data();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(
        gateway.get("/apps/location/nothing").await.data(),
        json!([])
    );
    assert_eq!(
        gateway.get("/apps/location").await.error(),
        "No Flux App name specified"
    );
}

#[tokio::test]
async fn a_client_learns_prices_ports_and_where_to_pay() {
    let gateway = start().await;
    assert_eq!(
        gateway.get("/apps/latestspecificationversion").await.data(),
        8
    );
    let usd = gateway.get("/apps/getappspecsusdprice").await.data();
    assert_eq!(
        usd,
        json!({ "height": -1, "cpu": 0.15, "ram": 0.05, "hdd": 0.02, "minPrice": 0.01, "port": 2, "scope": 4,
                "staticip": 2, "fluxmultiplier": 0.95, "multiplier": 1, "minUSDPrice": 0.99 })
    );
    let deployment = gateway.get("/apps/deploymentinformation").await.data();
    assert_eq!(deployment["address"], PAYMENT_ADDRESS);
    assert_eq!(deployment["price"].as_array().unwrap().len(), 6);
    assert_eq!(deployment["appSpecsEnforcementHeights"]["8"], 1_932_380);
    assert_eq!(deployment["maxBlocksAllowance"], 1_056_000);
    assert_eq!(deployment["enterprisePorts"][0], "0-1023");
    let registration = gateway.get("/apps/registrationinformation").await.data();
    for name in ["address", "addressMultisig", "addressMultisigB"] {
        assert_eq!(registration[name], PAYMENT_ADDRESS, "{name}");
    }
    assert_eq!(registration["usdprice"], usd);
    assert_eq!(registration["daemonPONFork"], 2_020_000);
    for (name, value) in deployment.as_object().unwrap() {
        assert_eq!(registration[name], *value, "{name}");
    }
}
