//! Who calls, from where, and under which ids.

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use fluxplane_core::error::Violation;
use fluxplane_proto::common::v1::Caller;
use sha2::{Digest as _, Sha256};

use crate::{
    domain::Principal,
    rest::{Failure, Gateway, layers::unauthenticated},
};

/// Identifies a request in logs, in the audit trail and in its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Where the request came from, after trusted proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

/// The key under which a change happens once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

/// Header that carries the key.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Longest key, as in the platform.
const MAX_KEY_CHARS: usize = 255;

impl IdempotencyKey {
    /// Reads the header; `None` when there is none.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>, Failure> {
        let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
            return Ok(None);
        };
        let key = value.to_str().unwrap_or_default();
        let printable = key.chars().all(|c| c.is_ascii_graphic());
        if key.is_empty() || key.len() > MAX_KEY_CHARS || !printable {
            return Err(Failure::invalid(Violation::new(
                "Idempotency-Key",
                String::from_utf8_lossy(value.as_bytes()),
                format!("a key is 1 to {MAX_KEY_CHARS} printable ASCII characters without spaces"),
                "send a fresh UUID with each new request and the same one when repeating it",
            )));
        }
        Ok(Some(Self(key.to_owned())))
    }
}

/// A key for a change that came without one: the same change gives the same key. The parts are what makes it this change.
pub fn derived_key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    format!("derived-{}", hex::encode(hash.finalize()))
}

/// A call by someone signed in. Without a session it is refused, whatever the table of operations says.
#[derive(Debug, Clone)]
pub struct Call {
    pub principal: Principal,
    pub request_id: RequestId,
    key: Option<IdempotencyKey>,
}

impl Call {
    /// Who asks, for other services.
    pub fn caller(&self) -> Caller {
        Caller {
            principal: self.principal.address.clone(),
            request_id: self.request_id.0.clone(),
        }
    }

    /// The client's idempotency key, or one derived from the parts of the change.
    pub fn key_or_derived(&self, parts: &[&str]) -> String {
        self.key
            .as_ref()
            .map_or_else(|| derived_key(parts), |key| key.0.clone())
    }

    /// The client's idempotency key, which the gate has demanded.
    pub fn key(&self) -> Result<String, Failure> {
        self.key
            .clone()
            .map(|key| key.0)
            .ok_or_else(crate::rest::layers::key_missing)
    }
}

impl FromRequestParts<Gateway> for Call {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Gateway) -> Result<Self, Failure> {
        let extensions = &parts.extensions;
        let principal = extensions
            .get::<Principal>()
            .cloned()
            .ok_or_else(unauthenticated)?;
        let request_id = extensions
            .get::<RequestId>()
            .cloned()
            .ok_or_else(Failure::internal)?;
        Ok(Self {
            principal,
            request_id,
            key: extensions.get::<IdempotencyKey>().cloned(),
        })
    }
}

impl FromRequestParts<Gateway> for RequestId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Gateway) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(Failure::internal)
    }
}

impl FromRequestParts<Gateway> for ClientIp {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Gateway) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(Failure::internal)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_eq!(derived_key(&["a", "b"]), derived_key(&["a", "b"]));
        assert_ne!(derived_key(&["ab", ""]), derived_key(&["a", "b"]));
    }

    #[test]
    fn a_key_is_printable_and_bounded() {
        let read = |value: &[u8]| {
            let value = HeaderValue::from_bytes(value).unwrap();
            IdempotencyKey::read(&HeaderMap::from_iter([(
                axum::http::HeaderName::from_static(IDEMPOTENCY_KEY),
                value,
            )]))
        };
        assert_eq!(
            read(b"k-1").unwrap(),
            Some(IdempotencyKey("k-1".to_owned()))
        );
        for wrong in [&b""[..], b"a b", "schlüssel".as_bytes(), &[b'a'; 256]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(IdempotencyKey::read(&HeaderMap::new()).unwrap(), None);
    }
}
