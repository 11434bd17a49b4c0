//! Configuration of the gateway. `gateway check-config` prints what is in effect.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use axum::http::HeaderValue;
use fluxplane_platform::{
    config::{Base, Db, Peer, Span, Tls},
    runner,
};
use serde::{Deserialize, Serialize};

use crate::domain::{WalletAddress, fluxos::MAX_LOGIN_LIFE, session::Lives};

pub const DEFAULTS: &str = include_str!("defaults.toml");

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub base: Base,
    pub db: Db,
    /// Identity towards other services.
    pub tls: Tls,
    pub rest: Rest,
    pub auth: Auth,
    pub limits: Limits,
    pub chain_indexer: Peer,
    pub node_registry: Peer,
    pub scheduler: Peer,
    pub billing: Peer,
    pub validator: Peer,
}

impl runner::Config for Config {
    fn base(&self) -> &Base {
        &self.base
    }

    fn db(&self) -> Option<&Db> {
        Some(&self.db)
    }

    fn check(&self) -> anyhow::Result<()> {
        let Rest {
            listen,
            tls,
            plain_http_beyond_loopback,
            ..
        } = &self.rest;
        anyhow::ensure!(
            tls.is_some() || listen.ip().is_loopback() || *plain_http_beyond_loopback,
            "rest.listen is {listen}, which is reachable from other machines, and rest.tls is not set; set rest.tls, \
             or rest.plain_http_beyond_loopback when a proxy in front speaks TLS"
        );
        let access = self.auth.access_life.0;
        anyhow::ensure!(
            !access.is_zero() && access <= MAX_ACCESS_LIFE,
            "auth.access_life is {access:?}; it must be above zero and at most 15m"
        );
        let refresh = self.auth.refresh_life.0;
        anyhow::ensure!(
            refresh > access,
            "auth.refresh_life is {refresh:?}; it must be longer than auth.access_life"
        );
        anyhow::ensure!(
            !self.auth.challenge_life.0.is_zero(),
            "auth.challenge_life is zero; nobody could sign in"
        );
        let login = self.auth.fluxos_life.0;
        anyhow::ensure!(
            !login.is_zero() && login <= MAX_LOGIN_LIFE,
            "auth.fluxos_life is {login:?}; it must be above zero and at most 336h"
        );
        for origin in &self.rest.cors_origins {
            let scheme = origin.starts_with("https://") || origin.starts_with("http://");
            anyhow::ensure!(
                scheme && !origin.ends_with('/') && HeaderValue::from_str(origin).is_ok(),
                "rest.cors_origins has `{origin}`; an origin is scheme, host and port, without a path"
            );
        }
        self.admins().map(drop)
    }
}

/// The listener for everyone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    pub listen: SocketAddr,
    /// Certificate and key for HTTPS. Without them the API is plain HTTP, which is refused beyond the loopback
    /// interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<RestTls>,
    /// Allows plain HTTP beyond the loopback interface, for a gateway behind a proxy that speaks TLS.
    pub plain_http_beyond_loopback: bool,
    /// Wallet addresses that may do what only administrators may.
    pub admins: Vec<String>,
    /// Web origins whose pages may call the API; none by default.
    pub cors_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Largest request body.
    pub body_limit_bytes: usize,
    /// Time until an answer must have begun.
    pub request_timeout: Span,
    /// Pause after which a silent event stream sends a comment, so that proxies keep it open.
    pub stream_heartbeat: Span,
    /// Most open connections.
    pub max_connections: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestTls {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Time to sign a challenge.
    pub challenge_life: Span,
    /// Life of an access token, at most 15 minutes.
    pub access_life: Span,
    /// Life of a refresh token.
    pub refresh_life: Span,
    /// Life of a login in FluxOS' way, at most 14 days.
    pub fluxos_life: Span,
}

/// What one caller may use.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Callers remembered at a time; more than these share one bucket.
    pub tracked_callers: usize,
    /// Event streams and downloads that one caller may have open.
    pub streams_per_caller: usize,
    pub per_ip: Rate,
    pub per_principal: Rate,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests that become possible each second.
    pub per_second: NonZeroU32,
    /// Requests that may come at once after a pause.
    pub burst: NonZeroU32,
}

/// Longest life of an access token (security rule S4).
const MAX_ACCESS_LIFE: Duration = Duration::from_mins(15);

impl Config {
    /// Canonical addresses of administrators.
    pub fn admins(&self) -> anyhow::Result<BTreeSet<String>> {
        let parsed = self.rest.admins.iter().map(|text| {
            WalletAddress::parse("rest.admins", text)
                .map(WalletAddress::into_string)
                .map_err(|violation| anyhow::anyhow!("{violation}"))
        });
        parsed.collect()
    }

    pub fn lives(&self) -> Lives {
        Lives {
            challenge: self.auth.challenge_life.0,
            access: self.auth.access_life.0,
            refresh: self.auth.refresh_life.0,
            fluxos: self.auth.fluxos_life.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_platform::runner::{self, Config as _};

    use super::*;

    fn defaults() -> Config {
        runner::load(crate::SERVICE, None).unwrap()
    }

    #[test]
    fn the_defaults_are_valid_and_take_the_documented_lives() {
        let config = defaults();
        config.check().unwrap();
        assert_eq!(config.lives().refresh, Duration::from_hours(14 * 24));
        assert_eq!(config.rest.body_limit_bytes, 256 * 1_024);
    }

    #[test]
    fn plain_http_is_refused_where_others_reach_it() {
        let mut config = defaults();
        config.rest.listen = "0.0.0.0:7000".parse().unwrap();
        let text = config.check().unwrap_err().to_string();
        assert!(text.contains("rest.tls"), "{text}");
        config.rest.plain_http_beyond_loopback = true;
        config.check().unwrap();
    }

    #[test]
    fn a_file_with_a_wrong_value_is_not_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("gateway.toml");
        std::fs::write(&file, "[auth]\naccess_life = \"1h\"").unwrap();
        let err = runner::load::<Config>(crate::SERVICE, Some(file)).unwrap_err();
        assert!(
            err.to_string().contains("auth.access_life is 3600s"),
            "{err}"
        );
    }

    #[test]
    fn a_wrong_value_is_refused_by_its_key() {
        for (key, change) in [
            (
                "auth.access_life",
                (|c| c.auth.access_life = Span(Duration::from_hours(1))) as fn(&mut Config),
            ),
            ("auth.refresh_life", |c| {
                c.auth.refresh_life = Span(Duration::from_secs(1));
            }),
            ("auth.challenge_life", |c| {
                c.auth.challenge_life = Span(Duration::ZERO);
            }),
            ("rest.admins", |c| c.rest.admins = vec!["nobody".to_owned()]),
            ("rest.cors_origins", |c| {
                c.rest.cors_origins = vec!["https://a.example/".to_owned()];
            }),
        ] {
            let mut config = defaults();
            change(&mut config);
            let text = config.check().unwrap_err().to_string();
            assert!(text.contains(key), "{key}: {text}");
        }
    }
}
