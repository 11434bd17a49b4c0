//! Secrets of owners: what they are called and what they may hold.

use std::fmt;

use chrono::{DateTime, Utc};
use fluxplane_core::error::Violation;
use fluxplane_envelope::Zeroizing;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::private::Purpose;

/// Longest value; the environment of a process is not much larger (Linux `MAX_ARG_STRLEN` is 128 KiB).
const MAX_VALUE: usize = 64 * 1024;

/// Longest user name, password and host of a registry.
const MAX_CREDENTIAL: usize = 4_096;

/// Longest name and longest part of it, as specifications may refer to them.
const MAX_NAME: usize = 128;
const MAX_LABEL: usize = 63;

/// What a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The value of a variable.
    Value,
    /// Who may pull from a registry.
    Registry,
}

impl Kind {
    /// As the store knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Registry => "registry",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Value, Self::Registry]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    pub const fn serves(self, purpose: Purpose) -> bool {
        match (self, purpose) {
            (Self::Value, Purpose::Environment) | (Self::Registry, Purpose::Registry) => true,
            (Self::Value, Purpose::Registry) | (Self::Registry, Purpose::Environment) => false,
        }
    }
}

/// Who may pull from a registry.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Host; empty for that of the image.
    pub registry: String,
    pub username: Zeroizing<String>,
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// What a secret holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    Value(Zeroizing<String>),
    Registry(Credentials),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(***)", self.kind().name())
    }
}

/// What everybody who may list secrets sees of one. Never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    pub id: Uuid,
    pub name: String,
    pub kind: Kind,
    /// Grows with every value.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Living applications that name it.
    pub used_by: Vec<String>,
}

impl Content {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Value(_) => Kind::Value,
            Self::Registry(_) => Kind::Registry,
        }
    }

    /// Whether it can be kept. Violations name the field and the length, never the value.
    pub fn check(&self) -> Result<(), Violation> {
        match self {
            Self::Value(value) => check_text("value", value, MAX_VALUE),
            Self::Registry(credentials) => {
                let Credentials {
                    registry,
                    username,
                    password,
                } = credentials;
                let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
                if registry.len() > MAX_NAME || !registry.chars().all(host) {
                    return Err(Violation::new(
                        "registry",
                        format!("{} characters", registry.chars().count()),
                        "a registry is a host name of at most 128 characters, with a port if need be",
                        "write it as in the image, such as ghcr.io, or leave it out",
                    ));
                }
                for (field, text) in [("username", username), ("password", password)] {
                    if text.is_empty() {
                        let rule = "credentials have a user name and a password";
                        return Err(Violation::new(field, "nothing", rule, "send both"));
                    }
                    check_text(field, text, MAX_CREDENTIAL)?;
                }
                Ok(())
            }
        }
    }

    /// As it is sealed.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::new());
        match self {
            Self::Value(value) => bytes.extend_from_slice(value.as_bytes()),
            Self::Registry(credentials) => {
                // Neither part may hold a NUL.
                bytes.extend_from_slice(credentials.registry.as_bytes());
                bytes.push(0);
                bytes.extend_from_slice(credentials.username.as_bytes());
                bytes.push(0);
                bytes.extend_from_slice(credentials.password.as_bytes());
            }
        }
        bytes
    }

    /// From what was sealed; `None` when that is something else.
    pub fn from_bytes(kind: Kind, bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        match kind {
            Kind::Value => Some(Self::Value(Zeroizing::new(text.to_owned()))),
            Kind::Registry => {
                let mut parts = text.splitn(3, '\0');
                let mut part = || parts.next().map(str::to_owned);
                Some(Self::Registry(Credentials {
                    registry: part()?,
                    username: part().map(Zeroizing::new)?,
                    password: part().map(Zeroizing::new)?,
                }))
            }
        }
    }
}

fn check_text(field: &str, text: &str, longest: usize) -> Result<(), Violation> {
    if text.len() > longest {
        let rule = format!("it has at most {longest} bytes");
        let value = format!("{} bytes", text.len());
        let remedy = "keep large files in a volume and only their key here";
        return Err(Violation::new(field, value, rule, remedy));
    }
    if text.contains('\0') {
        let rule = "an environment cannot hold a byte of value zero";
        let remedy = "encode binary values, for example in base64";
        return Err(Violation::new(field, "(not shown)", rule, remedy));
    }
    Ok(())
}

/// Whether a secret may have this name: that of a specification's references, `name` or `name/key`.
pub fn check_name(text: &str) -> Result<(), Violation> {
    let (name, key) = match text.split_once('/') {
        Some((name, key)) => (name, Some(key)),
        None => (text, None),
    };
    let edge = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label = name.len() <= MAX_LABEL
        && edge(name.as_bytes().first())
        && edge(name.as_bytes().last())
        && name.bytes().all(inner);
    let is_key = |key: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        !key.is_empty() && key.bytes().all(plain)
    };
    if text.len() <= MAX_NAME && label && key.is_none_or(is_key) {
        return Ok(());
    }
    Err(Violation::new(
        "name",
        text,
        "a secret is called `name` or `name/key`: lower case letters, digits and inner hyphens, at most 63; a key of letters, \
         digits, `.`, `_` and `-`; 128 characters together",
        "write a name such as database-password",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Content {
        Content::Value(Zeroizing::new(text.to_owned()))
    }

    fn credentials(username: &str, password: &str) -> Content {
        Content::Registry(Credentials {
            registry: "ghcr.io".to_owned(),
            username: Zeroizing::new(username.to_owned()),
            password: Zeroizing::new(password.to_owned()),
        })
    }

    #[test]
    fn names_are_those_a_specification_can_refer_to() {
        for good in ["a", "database-password", "database/password", "x9/Y._-z"] {
            check_name(good).unwrap();
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a/",
            "a/b/c",
            "a b",
            "ä",
            long.as_str(),
        ] {
            assert_eq!(check_name(bad).unwrap_err().field, "name", "{bad}");
        }
    }

    #[test]
    fn what_is_kept_comes_back() {
        for content in [value(""), value("päss=word\n"), credentials("me", "to:ken")] {
            content.check().unwrap();
            let again = Content::from_bytes(content.kind(), &content.to_bytes()).unwrap();
            assert!(again == content);
        }
    }

    #[test]
    fn a_refusal_and_a_debug_text_never_show_the_value() {
        let marked = "MARK".repeat(20_000);
        let cases = [
            (value(&marked), "value"),
            (value("MARK\0"), "value"),
            (credentials("", "MARK"), "username"),
            (credentials("me", &marked), "password"),
            (credentials("me", "MARK\0"), "password"),
        ];
        for (content, field) in cases {
            let violation = content.check().unwrap_err();
            assert_eq!(violation.field, field);
            assert!(!violation.to_string().contains("MARK"), "{violation}");
            assert!(!format!("{content:?}").contains("MARK"));
        }
    }
}
