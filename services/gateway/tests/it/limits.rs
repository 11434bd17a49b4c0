//! Token buckets.

use std::num::NonZeroU32;

use fluxplane_gateway::config::Rate;
use reqwest::Method;

use crate::{
    support::{send, start_with},
    wallets::Wallet,
};

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate {
        per_second: NonZeroU32::new(per_second).unwrap(),
        burst: NonZeroU32::new(burst).unwrap(),
    }
}

#[tokio::test]
async fn an_address_that_asks_too_fast_is_told_to_wait() {
    let gateway = start_with(|config, _| config.limits.per_ip = rate(1, 3)).await;
    for left in ["2", "1", "0"] {
        let answer = gateway.get("/v1/nodes").await.expect(200);
        assert_eq!(answer.header("ratelimit-limit"), "3");
        assert_eq!(answer.header("ratelimit-remaining"), left);
    }
    let refused = gateway.get("/v1/nodes").await.expect(429);
    assert_eq!(
        (refused.code(), refused.header("retry-after")),
        ("rate-limited", "1")
    );
    assert_eq!(
        (
            refused.header("ratelimit-remaining"),
            &refused.body["retry_after"]
        ),
        ("0", &1.into())
    );
    assert_eq!(
        gateway.metric(r#"http_throttled_total{scope="ip"}"#),
        Some(1.0)
    );
    // Also what does not exist costs, or guessing would be free.
    gateway.get("/nothing").await.expect(429);
}

#[tokio::test]
async fn a_principal_has_a_bucket_wherever_it_calls_from() {
    let gateway = start_with(|config, _| config.limits.per_principal = rate(1, 2)).await;
    let (alice, bob) = (Wallet::bitcoin(1), Wallet::bitcoin(2));
    let first = gateway.sign_in(&alice).await;
    let second = gateway.sign_in(&alice).await;
    let answer = gateway.get_as(&first, "/v1/auth/me").await.expect(200);
    assert_eq!(answer.header("ratelimit-limit"), "2");
    gateway.get_as(&second, "/v1/auth/me").await.expect(200);
    let refused = gateway.get_as(&first, "/v1/auth/me").await.expect(429);
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("principal"),
        "{}",
        refused.body
    );
    let other = gateway.sign_in(&bob).await;
    gateway.get_as(&other, "/v1/auth/me").await.expect(200);
}

#[tokio::test]
async fn a_trusted_proxy_passes_the_address_on() {
    let gateway = start_with(|config, _| {
        config.limits.per_ip = rate(1, 1);
        config.rest.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let from = |ip: &'static str| {
        send(
            gateway
                .request(Method::GET, "/v1/nodes")
                .header("x-forwarded-for", ip),
        )
    };
    from("192.0.2.1").await.expect(200);
    from("192.0.2.1").await.expect(429);
    from("192.0.2.2").await.expect(200);
}
