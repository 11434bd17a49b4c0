//! The exchange rate: seen by everybody, set by administrators, and audited.

use fluxplane_core::{ErrorKind, error::Reason};
use serde_json::json;

use crate::{
    peers,
    support::{start, start_with},
    wallets::Wallet,
};

#[tokio::test]
async fn everybody_sees_the_rate_and_what_it_rests_on() {
    let gateway = start().await;
    let answer = gateway.get("/v1/rate").await.expect(200);
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!("rate", answer.body);
    });
}

#[tokio::test]
async fn a_quote_shows_its_rate_its_lines_and_where_it_could_run() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let body = json!({ "spec": { "version": 8 } });
    let quote = gateway.post_as(&session, "/v1/quotes", "k", body).await;
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!("quote", quote.expect(201).body, { ".owner" => "[owner]" });
    });
    let none = peers::refusal(
        ErrorKind::Unavailable,
        Reason::RateUnavailable,
        "nobody trustworthy says what a FLUX is worth now",
        Vec::new(),
    );
    gateway.world.refuse("create_quote", none);
    let body = json!({ "spec": { "version": 8 } });
    let refused = gateway.post_as(&session, "/v1/quotes", "l", body).await;
    let refused = refused.expect(503);
    assert_eq!(refused.code(), "rate-unavailable");
    assert_eq!(refused.header("retry-after"), "1");
}

#[tokio::test]
async fn administrators_set_the_rate_with_a_signed_statement() {
    let (admin, other) = (Wallet::bitcoin(1), Wallet::bitcoin(2));
    let address = admin.address();
    let gateway = start_with(|config, _| config.rest.admins = vec![address]).await;
    let body = json!({
        "micro_usd": 80_000, "valid_from": 1_800_000_000, "valid_until": 1_800_003_600,
        "reason": "exchanges halted", "signer": "1Signer", "signature": "c2lnbmVk",
    });
    let other = gateway.sign_in(&other).await;
    let path = "/v1/rate:override";
    let refused = gateway.post_as(&other, path, "k", body.clone()).await;
    assert_eq!(refused.expect(403).code(), "forbidden");
    assert!(gateway.world.seen("override_rate").is_empty());
    let admin = gateway.sign_in(&admin).await;
    let set = gateway
        .post_as(&admin, path, "k", body.clone())
        .await
        .expect(200);
    assert_eq!(set.body["price"]["units"], 80_000);
    assert_eq!(set.body["statement"], body);
    let [seen] = gateway.world.seen("override_rate").try_into().unwrap();
    assert_eq!(
        (seen.key.as_str(), seen.caller.principal),
        ("k", admin.principal.clone())
    );
}
