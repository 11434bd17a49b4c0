//! One request, as data: it may have to be made more than once.

use reqwest::{Method, Url};
use serde::Serialize;

use super::Error;

/// When a request may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Whenever it failed: it reads, or its idempotency key makes a second one harmless.
    Always,
    /// Only when it never left.
    Unsent,
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Vec<u8>>,
    /// Whether it carries the access token.
    pub(super) signed_in: bool,
    pub(super) repeat: Repeat,
    /// Whether the answer may take for ever.
    pub(super) streams: bool,
}

impl Call {
    fn new(method: Method, segments: &[&str]) -> Self {
        Self {
            method,
            segments: segments.iter().map(|part| (*part).to_owned()).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            signed_in: true,
            repeat: Repeat::Always,
            streams: false,
        }
    }

    pub(super) fn get(segments: &[&str]) -> Self {
        Self::new(Method::GET, segments)
    }

    /// A change. `key` makes repeating it harmless.
    pub(super) fn change(method: Method, segments: &[&str], key: String) -> Self {
        Self::new(method, segments).header("idempotency-key", key)
    }

    /// A change that has no key, because its own tokens work once.
    pub(super) fn once(method: Method, segments: &[&str]) -> Self {
        Self {
            repeat: Repeat::Unsent,
            ..Self::new(method, segments)
        }
    }

    /// Without the access token.
    pub(super) fn public(self) -> Self {
        Self {
            signed_in: false,
            ..self
        }
    }

    pub(super) fn streaming(self) -> Self {
        Self {
            streams: true,
            ..self
        }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// A parameter that is left out when there is nothing to say.
    pub(super) fn maybe(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value.to_string()),
            None => self,
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        self.body = Some(serde_json::to_vec(body).map_err(Error::Encode)?);
        Ok(self)
    }

    /// The address under the API of a plane.
    pub(super) fn url(&self, server: &Url) -> Url {
        let mut url = server.clone();
        // A base without a path cannot be a server's; `Options` takes http and https only.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(&self.segments);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_in_the_path() {
        let server: Url = "https://plane.example/base/".parse().unwrap();
        let call = Call::get(&["apps", "a/b?c#d", "events"]).query("cursor", "x&y=z");
        assert_eq!(
            call.url(&server).as_str(),
            "https://plane.example/base/v1/apps/a%2Fb%3Fc%23d/events?cursor=x%26y%3Dz"
        );
        let verb = Call::get(&["epochs:close"]).url(&"http://127.0.0.1:7000".parse().unwrap());
        assert_eq!(verb.as_str(), "http://127.0.0.1:7000/v1/epochs:close");
    }
}
