//! Quotes: exact, firm, explained, and refused with a reason.

use fluxplane_billing::domain::spec;
use fluxplane_core::{ErrorKind, error::Reason};
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    billing::v1::{CreateQuoteRequest, GetQuoteRequest},
    common::v1::Money,
};
use serde_json::json;

use crate::{
    play::{OWNER, PAY_TO, PRICE, fixture, spec as web_server},
    support::{PRICED_AT, Plane, START, caller, stamp},
};

fn request(spec_json: &str, key: &str) -> CreateQuoteRequest {
    CreateQuoteRequest {
        caller: caller(OWNER),
        idempotency_key: key.to_owned(),
        spec_json: spec_json.to_owned(),
        update_of: String::new(),
    }
}

#[tokio::test]
#[expect(clippy::float_cmp, reason = "both are whole numbers of cents")]
async fn real_specifications_cost_what_fluxos_shows_its_users() {
    let plane = Plane::start().await;
    let file = fixture("fluxos-app-specs.json");
    let mut seen = 0;
    for entry in file["specs"].as_array().unwrap() {
        let text = entry["spec"].to_string();
        let Some(price) = entry.get("price") else {
            continue;
        };
        // Some were accepted by FluxOS and could never run.
        if spec::read(&text, PRICED_AT).is_err() {
            continue;
        }
        let quote = plane.quote_for(OWNER, &entry["spec"], "").await;
        let cents = |amount: &serde_json::Value| (amount.as_f64().unwrap() * 100.0).round();
        let usd = quote.price_usd.unwrap().units;
        let flux = quote.price.unwrap().units.max(0);
        let id = entry["id"].as_str().unwrap();
        assert_eq!(
            f64::from(i32::try_from(usd / 10_000).unwrap()),
            cents(&price["quote"]["usd"]),
            "{id}"
        );
        let shown = cents(&price["quote"]["flux"]);
        let minimum = quote.network_minimum.unwrap().units;
        let asked = f64::from(i32::try_from(flux / 1_000_000).unwrap());
        assert!(
            asked == shown || flux == minimum,
            "{id}: {asked} {shown} {minimum}"
        );
        assert!(flux >= minimum, "{id}");
        let lines = quote.lines.iter();
        let sums = lines.fold((0, 0), |(dollars, sats), line| {
            let units = |money: &Option<Money>| money.as_ref().unwrap().units;
            (dollars + units(&line.usd), sats + units(&line.flux))
        });
        assert_eq!(sums, (usd, flux), "{id}: {:#?}", quote.lines);
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} were quoted");
}

#[tokio::test]
async fn a_quote_is_firm_explained_and_found_again() {
    let plane = Plane::start().await;
    let quote = plane.quote_for(OWNER, &web_server("web"), "").await;
    assert_eq!(quote.price.as_ref().unwrap().units, PRICE);
    assert_eq!(
        (quote.owner.as_str(), quote.app_name.as_str()),
        (OWNER, "web")
    );
    assert_eq!(
        (quote.instances, quote.term_blocks, quote.term_seconds),
        (3, Some(88_000), 2_640_000)
    );
    assert_eq!(quote.payment_address, PAY_TO);
    assert_eq!(quote.rate_micro_usd, 100_000);
    assert_eq!(quote.expires_at, stamp(START + 900));
    assert!(
        quote.price_table.contains("1597156"),
        "{}",
        quote.price_table
    );
    let words = quote.breakdown.join("\n");
    for part in [
        "9.40000000 FLUX",
        "0.99 USD",
        "0.24000000 FLUX",
        "30 days",
        "0.100000 USD per FLUX",
    ] {
        assert!(words.contains(part), "{part} is not in:\n{words}");
    }
    let lines = quote.lines.iter().map(|line| {
        let units = |money: &Option<Money>| money.as_ref().unwrap().units;
        (line.item.as_str(), units(&line.usd), units(&line.flux))
    });
    let expected = [
        (
            "list price of 3 instances for 88000 blocks",
            1_110_000,
            1_110_000_000,
        ),
        (
            "what FluxOS takes off for term and hardware, or adds up to its minimum",
            -120_000,
            -120_000_000,
        ),
        (
            "5 % less for paying in FLUX, to two decimals",
            0,
            -50_000_000,
        ),
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
    let sha256 = spec::read(&web_server("web").to_string(), PRICED_AT)
        .unwrap()
        .sha256;
    assert_eq!(quote.spec_sha256, hex::encode(sha256));
    let quote_id = quote.quote_id.clone();
    let mut scheduler = plane.client("scheduler");
    let again = scheduler.get_quote(GetQuoteRequest { quote_id }).await;
    assert_eq!(again.unwrap().into_inner().quote.unwrap(), quote);
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_quote_and_a_reused_key_is_refused() {
    let plane = Plane::start().await;
    let mut client = plane.gateway();
    let first = request(&web_server("web").to_string(), "key");
    let one = client
        .create_quote(first.clone())
        .await
        .unwrap()
        .into_inner();
    let two = client.create_quote(first).await.unwrap().into_inner();
    assert_eq!(one, two);
    let other = request(&web_server("other").to_string(), "key");
    let refused = Remote::from(client.create_quote(other).await.unwrap_err());
    assert_eq!(refused.reason, Reason::IdempotencyKeyReused);
}

#[tokio::test]
async fn what_cannot_be_quoted_says_why() {
    let plane = Plane::start().await;
    let mut client = plane.gateway();
    let mut bad = web_server("web");
    bad["compose"][0]["cpu"] = json!(-1);
    let refused = client.create_quote(request(&bad.to_string(), "1")).await;
    let refused = Remote::from(refused.unwrap_err());
    assert_eq!(refused.reason, Reason::SpecInvalid);
    let cpu = refused
        .violations
        .iter()
        .find(|one| one.field == "spec.compose[0].cpu");
    assert!(!cpu.unwrap().remedy.is_empty());

    let refused = client.create_quote(request("{", "2")).await;
    assert_eq!(
        Remote::from(refused.unwrap_err()).violations[0].field,
        "spec"
    );

    let foreign = CreateQuoteRequest {
        update_of: "web".to_owned(),
        ..request(&web_server("web").to_string(), "3")
    };
    let refused = Remote::from(client.create_quote(foreign).await.unwrap_err());
    assert_eq!(
        (refused.kind, refused.violations[0].field.as_str()),
        (ErrorKind::Invalid, "update_of")
    );

    let anonymous = CreateQuoteRequest {
        caller: None,
        ..request(&web_server("web").to_string(), "4")
    };
    let refused = Remote::from(client.create_quote(anonymous).await.unwrap_err());
    assert_eq!(refused.violations[0].field, "caller.principal");

    let old = fixture("fluxos-app-specs.json");
    let v2 = old["specs"].as_array().unwrap().iter();
    let mut v2 = v2.clone().find(|entry| entry["version"] == 3).unwrap()["spec"].clone();
    v2["owner"] = json!("196GJWyLxzAw3MirTT7Bqs2iGpUQio29GH");
    let refused = client.create_quote(request(&v2.to_string(), "5")).await;
    assert_eq!(
        Remote::from(refused.unwrap_err()).reason,
        Reason::SpecInvalid
    );
}

#[tokio::test]
async fn only_who_is_listed_may_call() {
    let plane = Plane::start().await;
    let quote_id = plane
        .quote_for(OWNER, &web_server("web"), "")
        .await
        .quote_id;
    let request = GetQuoteRequest { quote_id };
    let refused = plane
        .client("node-registry")
        .get_quote(request.clone())
        .await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::PermissionDenied);
    let refused = plane.client("validator").get_quote(request).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::PermissionDenied);
}
