//! Limits that hold before anybody is identified, so that being nobody is no way around them.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    body::HttpBody as _,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use fluxplane_core::{ErrorKind, error::Reason};

use crate::{
    metrics::ScopeLabels,
    rest::{Failure, Gateway, extract::ClientIp, limits::Allowance},
};

/// The address of the connection's other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected(pub SocketAddr);

pub async fn admit(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let Some(Connected(address)) = request.extensions().get::<Connected>().copied() else {
        tracing::error!("a request came without its connection's address");
        return Failure::internal().into_response();
    };
    let ip = client_ip(
        address.ip(),
        request.headers(),
        &gateway.config.trusted_proxies,
    );
    request.extensions_mut().insert(ClientIp(ip));

    let allowance = gateway.limits.take_ip(ip);
    if allowance.retry_after.is_some() {
        return throttled(&gateway, "ip", allowance);
    }
    // Chunked bodies say no size; whoever reads them stops at the limit.
    let limit = gateway.config.body_limit_bytes;
    if request.body().size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Failure::body_too_large(limit).into_response();
    }
    let time_limit = gateway.config.request_timeout.0;
    let mut response = match tokio::time::timeout(time_limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => too_slow(time_limit),
    };
    announce(allowance, response.headers_mut());
    response
}

/// Refuses a request that came too fast.
pub(super) fn throttled(gateway: &Gateway, scope: &'static str, allowance: Allowance) -> Response {
    gateway
        .metrics
        .throttled
        .get_or_create(&ScopeLabels { scope })
        .inc();
    let wait = allowance.retry_after.unwrap_or(1);
    let per = if scope == "ip" {
        "address"
    } else {
        "principal"
    };
    let failure = Failure::refuse(
        ErrorKind::Exhausted,
        Reason::RateLimited,
        format!(
            "too many requests from this {per}; {} may come at once",
            allowance.limit
        ),
        Vec::new(),
    );
    let mut response = failure.with_retry_after(wait).into_response();
    announce(allowance, response.headers_mut());
    response
}

/// Tells the caller what is left. The innermost bucket speaks: what a principal has left says more than what an address has.
pub(super) fn announce(allowance: Allowance, headers: &mut HeaderMap) {
    const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
    const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
    const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
    if headers.contains_key(LIMIT) {
        return;
    }
    headers.insert(LIMIT, HeaderValue::from(allowance.limit));
    headers.insert(REMAINING, HeaderValue::from(allowance.remaining));
    headers.insert(RESET, HeaderValue::from(allowance.reset_seconds));
}

fn too_slow(limit: Duration) -> Response {
    let detail = format!(
        "no answer within {limit:?}; a change may still happen, repeat it with the same Idempotency-Key to see"
    );
    Failure::unavailable(detail).into_response()
}

/// Who really calls. A trusted proxy appends the address it saw; the last one that no proxy of ours wrote counts.
fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    const FORWARDED_FOR: &str = "x-forwarded-for";
    if !trusted.contains(&peer) {
        return peer;
    }
    let lines = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = lines
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    hops.iter()
        .rev()
        .map_while(|hop| hop.parse().ok())
        .find(|hop| !trusted.contains(hop))
        .unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(value: &'static str) -> HeaderMap {
        let name = HeaderName::from_static("x-forwarded-for");
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn only_a_trusted_proxy_may_speak_for_others() {
        let (proxy, peer) = (ip("10.0.0.1"), ip("198.51.100.7"));
        let headers = forwarded("203.0.113.9");
        assert_eq!(client_ip(peer, &headers, &[proxy]), peer);
        assert_eq!(client_ip(proxy, &headers, &[proxy]), ip("203.0.113.9"));
    }

    #[test]
    fn what_the_client_itself_wrote_does_not_count() {
        let proxies = [ip("10.0.0.1"), ip("10.0.0.2")];
        let headers = forwarded("192.0.2.1, 203.0.113.9, 10.0.0.2");
        assert_eq!(client_ip(proxies[0], &headers, &proxies), ip("203.0.113.9"));
        assert_eq!(
            client_ip(proxies[0], &forwarded("nonsense"), &proxies),
            proxies[0]
        );
    }
}
