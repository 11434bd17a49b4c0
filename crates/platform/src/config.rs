//! Configuration: defaults embedded in the binary < a file < the environment.
//!
//! The environment variable of `db.password` of the billing service is `FLUXPLANE_BILLING__DB__PASSWORD`.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use figment::{
    Figment,
    providers::{Env, Format as _, Toml},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Names the key, the place it came from and what is wrong with it.
    #[error("{0}")]
    Invalid(Box<figment::Error>),
    #[error("configuration file `{}` does not exist", .0.display())]
    NoFile(PathBuf),
}

/// Reads a service's configuration.
///
/// `service` is the service's name, e.g. `node-registry`; its environment prefix is `FLUXPLANE_NODE_REGISTRY__`.
pub fn load<T: DeserializeOwned>(
    service: &str,
    defaults: &str,
    file: Option<PathBuf>,
) -> Result<T, Error> {
    let mut figment = Figment::from(Toml::string(defaults));
    if let Some(path) = file {
        if !path.exists() {
            return Err(Error::NoFile(path));
        }
        figment = figment.merge(Toml::file_exact(path));
    }
    let prefix = format!("FLUXPLANE_{}__", service.to_uppercase().replace('-', "_"));
    figment
        .merge(Env::prefixed(&prefix).split("__"))
        .extract()
        .map_err(|err| Error::Invalid(Box::new(err)))
}

/// A secret: given as text, or as `{ file = "/path" }` whose content is the secret. Printed as `***`.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.is_empty() { "" } else { "***" })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            File { file: PathBuf },
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) => Ok(Self::new(text)),
            Form::File { file } => std::fs::read_to_string(&file)
                .map(|text| Self::new(text.trim_end()))
                .map_err(|err| {
                    serde::de::Error::custom(format!("read secret `{}`: {err}", file.display()))
                }),
        }
    }
}

/// A duration written as `250ms`, `5s`, `10m` or `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is not a duration such as 250ms, 5s, 10m or 1h");
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (digits, unit) = text.split_at(split);
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let seconds = |factor: u64| number.checked_mul(factor).map(Duration::from_secs);
        match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" => seconds(1),
            "m" => seconds(60),
            "h" => seconds(3_600),
            _ => None,
        }
        .map(Self)
        .ok_or_else(wrong)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}ms", self.0.as_millis()))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What every process has. Defaults are in [`BASE_DEFAULTS`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    pub telemetry: Telemetry,
    pub admin: Admin,
    pub shutdown: Shutdown,
}

/// Defaults of [`Base`], to be joined with a service's own.
pub const BASE_DEFAULTS: &str = include_str!("base.defaults.toml");

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// Which log lines are written, in `tracing` filter syntax.
    pub log_filter: String,
    /// OTLP/gRPC endpoint for traces; empty sends none.
    pub otlp_endpoint: String,
    /// Share of traces begun here that are kept, 0 to 1. Traces begun elsewhere keep their decision.
    pub trace_ratio: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Where `/livez`, `/readyz`, `/metrics` and `/debug` are served. Never public.
    pub listen: SocketAddr,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// Time between turning unready and refusing work, for load balancers.
    pub drain_delay: Span,
    /// Time that work in flight gets to end.
    pub grace: Span,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Db {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub password: Secret,
    /// Most connections this process opens.
    pub max_connections: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// `nats://host:port`, several separated by commas.
    pub url: String,
    pub user: String,
    pub password: Secret,
}

/// The files of a service's identity: its certificate, its key and the authority it trusts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub ca_file: PathBuf,
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    pub listen: SocketAddr,
}

/// Another service, reached by mutual TLS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// `https://host:port`.
    pub endpoint: String,
    /// How long one call may take.
    pub timeout: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Small {
        pause: Span,
        password: Secret,
    }

    const DEFAULTS: &str = "pause = \"5s\"\npassword = \"from defaults\"";

    #[test]
    fn a_file_overrides_a_default() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("small.toml");
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "from secret file\n").unwrap();
        std::fs::write(
            &file,
            format!("password = {{ file = \"{}\" }}", secret.display()),
        )
        .unwrap();
        let small: Small = load("small", DEFAULTS, Some(file)).unwrap();
        assert_eq!(small.pause, Span(Duration::from_secs(5)));
        assert_eq!(small.password.expose(), "from secret file");
        assert_eq!(format!("{:?}", small.password), "***");
    }

    #[test]
    fn an_error_names_the_key_and_the_value() {
        let err =
            load::<Small>("small", "pause = \"5 parsecs\"\npassword = \"\"", None).unwrap_err();
        let text = err.to_string();
        assert!(
            text.contains("pause") && text.contains("5 parsecs"),
            "{text}"
        );
        let err = load::<Small>("small", &format!("{DEFAULTS}\npasword = \"\""), None).unwrap_err();
        assert!(err.to_string().contains("pasword"), "{err}");
    }
}
