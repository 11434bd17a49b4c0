//! Image references as FluxOS reads them: `[host[:port]/][namespace/]repository:tag`
//! (`ZelBack/src/services/utils/imageVerifier.js`).
//!
//! The tag is required and a digest is not supported. Images of Docker Hub without a namespace are official ones and
//! get the namespace `library`.

use std::fmt;

/// The registry that is meant when a reference names none.
pub const DOCKER_HUB: &str = "registry-1.docker.io";

/// A complete image reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageRef {
    /// Host, with port if given.
    pub registry: String,
    /// May be empty for registries other than Docker Hub.
    pub namespace: String,
    pub repository: String,
    pub tag: String,
}

/// Why a text is no image reference that FluxOS can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("`{0}` contains a blank; remove it")]
    Blank(String),
    #[error("`{0}` starts or ends with a slash; remove it")]
    OuterSlash(String),
    #[error("`{0}` names a digest, which FluxOS cannot use; name a tag")]
    Digest(String),
    #[error("`{0}` has no tag; append one, such as `:1.27`")]
    NoTag(String),
    #[error("`{text}` has the tag `{tag}`; a tag is up to 128 letters, digits, `_`, `.` and `-`")]
    Tag { text: String, tag: String },
    #[error(
        "`{text}` has the part `{part}`; parts are lower-case letters and digits joined by `.`, `_`, `__` or `-`"
    )]
    Part { text: String, part: String },
    #[error("`{text}` has the registry `{registry}`; a registry is host.domain or host:port")]
    Registry { text: String, registry: String },
    #[error("`{0}` has a repository of one character, which FluxOS cannot read; use a longer name")]
    ShortRepository(String),
    #[error("`{0}` has too many parts; at most host/namespace/namespace/repository/repository:tag")]
    TooManyParts(String),
}

impl ImageRef {
    /// Parses a reference.
    ///
    /// # Errors
    /// When it is incomplete or not of the form above.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        /// Two of the namespace and two of the repository.
        const MAX_PARTS: usize = 4;
        let own = || text.to_owned();
        if text.contains(char::is_whitespace) {
            return Err(ImageError::Blank(own()));
        }
        if text.starts_with('/') || text.ends_with('/') {
            return Err(ImageError::OuterSlash(own()));
        }
        if text.contains('@') {
            return Err(ImageError::Digest(own()));
        }
        let (registry, rest) = split_registry(text)?;
        // A colon before the last slash belongs to no tag.
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            Some(_) | None => return Err(ImageError::NoTag(own())),
        };
        check_tag(text, tag)?;
        let parts: Vec<&str> = path.split('/').collect();
        if let Some(part) = parts.iter().find(|part| !is_path_part(part)) {
            let part = (*part).to_owned();
            return Err(ImageError::Part { text: own(), part });
        }
        if parts.len() > MAX_PARTS {
            return Err(ImageError::TooManyParts(own()));
        }
        let (namespace, repository) = path.rsplit_once('/').unwrap_or(("", path));
        if namespace.is_empty() && repository.len() < 2 {
            return Err(ImageError::ShortRepository(own()));
        }
        let is_official = registry.is_none() && namespace.is_empty();
        Ok(Self {
            registry: registry.unwrap_or(DOCKER_HUB).to_owned(),
            namespace: if is_official { "library" } else { namespace }.to_owned(),
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            registry,
            namespace,
            repository,
            tag,
        } = self;
        let slash = if namespace.is_empty() { "" } else { "/" };
        write!(f, "{registry}/{namespace}{slash}{repository}:{tag}")
    }
}

/// The registry, if the first part has a dot or a port and more follows.
fn split_registry(text: &str) -> Result<(Option<&str>, &str), ImageError> {
    let Some((first, rest)) = text.split_once('/') else {
        return Ok((None, text));
    };
    let (host, port) = match first.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (first, None),
    };
    if port.is_none() && !host.contains('.') {
        return Ok((None, text));
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    if host.split('.').all(is_label) && port.is_none_or(is_port) {
        Ok((Some(first), rest))
    } else {
        let (text, registry) = (text.to_owned(), first.to_owned());
        Err(ImageError::Registry { text, registry })
    }
}

fn check_tag(text: &str, tag: &str) -> Result<(), ImageError> {
    const MAX_TAG: usize = 128;
    if tag.is_empty() {
        return Err(ImageError::NoTag(text.to_owned()));
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_rest = |byte: u8| is_word(byte) || byte == b'.' || byte == b'-';
    let starts_well = tag.bytes().next().is_some_and(is_word);
    if starts_well && tag.len() <= MAX_TAG && tag.bytes().all(is_rest) {
        Ok(())
    } else {
        let (text, tag) = (text.to_owned(), tag.to_owned());
        Err(ImageError::Tag { text, tag })
    }
}

/// Lower-case letters and digits, joined by one `.`, one or two `_`, or any number of `-`.
fn is_path_part(part: &str) -> bool {
    let is_core = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bounded =
        part.bytes().next().is_some_and(is_core) && part.bytes().last().is_some_and(is_core);
    let mut gaps = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    bounded
        && gaps.all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|b| b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        ImageRef::parse(text).unwrap().to_string()
    }

    #[test]
    fn references_are_completed() {
        assert_eq!(
            read("nginx:1.27"),
            "registry-1.docker.io/library/nginx:1.27"
        );
        assert_eq!(
            read("runonflux/website:latest"),
            "registry-1.docker.io/runonflux/website:latest"
        );
        assert_eq!(read("ghcr.io/org/app:v1.2.3"), "ghcr.io/org/app:v1.2.3");
        assert_eq!(read("localhost:5000/app:1"), "localhost:5000/app:1");
        assert_eq!(
            read("europe-west3-docker.pkg.dev/project/repo/app:x"),
            "europe-west3-docker.pkg.dev/project/repo/app:x"
        );
    }

    #[test]
    fn what_fluxos_cannot_pull_is_refused() {
        let error = |text: &str| ImageRef::parse(text).unwrap_err();
        assert_eq!(error("nginx"), ImageError::NoTag("nginx".to_owned()));
        assert_eq!(error("nginx:"), ImageError::NoTag("nginx:".to_owned()));
        assert_eq!(
            error("localhost:5000/app"),
            ImageError::NoTag("localhost:5000/app".to_owned())
        );
        assert!(matches!(error("nginx@sha256:00"), ImageError::Digest(_)));
        assert!(matches!(error("ng inx:1"), ImageError::Blank(_)));
        assert!(matches!(error("/nginx:1"), ImageError::OuterSlash(_)));
        assert!(matches!(error("Nginx:1"), ImageError::Part { .. }));
        assert!(matches!(error("a..b:1"), ImageError::Part { .. }));
        assert!(matches!(error("a//b:1"), ImageError::Part { .. }));
        assert!(matches!(error("nginx:-x"), ImageError::Tag { .. }));
        assert!(matches!(error("gh..io/x/y:1"), ImageError::Registry { .. }));
        assert!(matches!(
            error("host:99999/x:1"),
            ImageError::Registry { .. }
        ));
        assert!(matches!(error("a/b/c/d/e:1"), ImageError::TooManyParts(_)));
        assert!(matches!(error("a:1"), ImageError::ShortRepository(_)));
        assert!(matches!(
            error(&format!("nginx:{}", "t".repeat(129))),
            ImageError::Tag { .. }
        ));
    }
}
