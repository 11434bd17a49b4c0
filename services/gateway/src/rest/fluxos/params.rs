//! Parameters that FluxOS takes in the path or in the query. Which wins differs there by route; the path does here.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use super::envelope::Refused;
use crate::rest::Gateway;

/// Longest parameter.
const MAX_CHARS: usize = 256;

/// Parameters by name.
#[derive(Debug, Default)]
pub struct Params(HashMap<String, String>);

impl Params {
    /// A parameter, empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A parameter that must be there.
    pub fn need(&self, name: &str) -> Result<&str, Refused> {
        let value = self.get(name);
        if value.is_empty() {
            return Err(Refused::error(format!("No {name} provided")));
        }
        Ok(value)
    }
}

impl FromRequestParts<Gateway> for Params {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Refused> {
        let mut all = HashMap::new();
        let query = parts.uri.query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            all.insert(name.into_owned(), value.into_owned());
        }
        let in_path = RawPathParams::from_request_parts(parts, gateway)
            .await
            .map_err(|err| Refused::error(err.to_string()))?;
        for (name, value) in &in_path {
            all.insert(name.to_owned(), value.to_owned());
        }
        if let Some((name, _)) = all
            .iter()
            .find(|(name, value)| name.len() > MAX_CHARS || value.len() > MAX_CHARS)
        {
            let name: String = name.chars().take(32).collect();
            return Err(Refused::error(format!(
                "{name} is too long; a parameter has at most {MAX_CHARS} characters"
            )));
        }
        Ok(Self(all))
    }
}
