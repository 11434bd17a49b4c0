//! Image references, completed the way Docker completes them.
//!
//! `nginx:1.27` is `docker.io/library/nginx:1.27`. Podman would look a short name up in its own list of registries;
//! the full form means the same image on both.

use std::fmt;

/// A complete reference: registry, path, and a tag or digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageName(String);

/// Why a text is no image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no image reference: {rule}; write [registry/]path:tag")]
pub struct ImageNameError {
    text: String,
    rule: &'static str,
}

/// The registry that is meant when a reference names none.
const DEFAULT_REGISTRY: &str = "docker.io";

/// Longest tag (OCI distribution specification, "Pulling manifests").
const MAX_TAG: usize = 128;

impl ImageName {
    /// Reads a reference, short or complete.
    pub fn parse(text: &str) -> Result<Self, ImageNameError> {
        let wrong = |rule| ImageNameError {
            text: text.to_owned(),
            rule,
        };
        let (registry, rest) = match text.split_once('/') {
            Some((first, rest)) if names_registry(first) => (first, rest),
            Some(_) | None => (DEFAULT_REGISTRY, text),
        };
        let registry = if registry == "index.docker.io" {
            DEFAULT_REGISTRY
        } else {
            registry
        };
        let (named, digest) = match rest.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (rest, None),
        };
        // A colon before the last slash belongs to no tag.
        let (path, tag) = match named.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            Some(_) | None => (named, None),
        };
        if path.is_empty() || !path.split('/').all(is_path_part) {
            return Err(wrong(
                "its path is lower-case letters and digits joined by `.`, `_`, `-` and `/`",
            ));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong(
                "a tag is up to 128 letters, digits, `_`, `.` and `-`",
            ));
        }
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(wrong(
                "a digest is sha256: and 64 lower-case hexadecimal digits",
            ));
        }
        let official = registry == DEFAULT_REGISTRY && !path.contains('/');
        let namespace = if official { "library/" } else { "" };
        // With a digest the tag says nothing more.
        let version = match (digest, tag) {
            (Some(digest), _) => format!("@{digest}"),
            (None, Some(tag)) => format!(":{tag}"),
            (None, None) => ":latest".to_owned(),
        };
        Ok(Self(format!("{registry}/{namespace}{path}{version}")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Docker's rule: the first part is a registry if it could not be a path on Docker Hub.
fn names_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

fn is_path_part(part: &str) -> bool {
    let core = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bounded = part.bytes().next().is_some_and(core) && part.bytes().last().is_some_and(core);
    bounded
        && part
            .bytes()
            .all(|byte| core(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag
            .bytes()
            .all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hash| hash.len() == 64 && hash.bytes().all(hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed_as_docker_does() {
        let full = |text: &str| ImageName::parse(text).unwrap().to_string();
        assert_eq!(full("nginx"), "docker.io/library/nginx:latest");
        assert_eq!(full("nginx:1.27"), "docker.io/library/nginx:1.27");
        assert_eq!(full("runonflux/website:2"), "docker.io/runonflux/website:2");
        assert_eq!(full("docker.io/nginx:1"), "docker.io/library/nginx:1");
        assert_eq!(full("index.docker.io/a/b:1"), "docker.io/a/b:1");
        assert_eq!(full("localhost/demo:1"), "localhost/demo:1");
        assert_eq!(full("registry:5000/a/b/c"), "registry:5000/a/b/c:latest");
        assert_eq!(
            full("ghcr.io/owner/image:v1.2-rc_3"),
            "ghcr.io/owner/image:v1.2-rc_3"
        );
        let digest = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(
            full(&format!("nginx:1@{digest}")),
            format!("docker.io/library/nginx@{digest}")
        );
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "/x",
            "x/",
            "UPPER",
            "a b",
            "x:",
            "x:ä",
            "ghcr.io/",
            "x@sha256:12",
            "a//b:1",
        ] {
            assert!(ImageName::parse(text).is_err(), "{text}");
        }
    }
}
