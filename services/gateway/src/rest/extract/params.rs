//! Parameters in paths and queries.

use std::error::Error as _;

use axum::{
    extract::{
        FromRequestParts, Path, Query,
        path::{ErrorKind as PathErrorKind, FailedToDeserializePathParams},
        rejection::{PathRejection, QueryRejection},
    },
    http::{Uri, request::Parts},
};
use fluxplane_core::error::Violation;
use serde::de::{DeserializeOwned, value};

use super::explain::Explained;
use crate::rest::{Failure, Gateway};

/// Longest query taken.
const MAX_QUERY_CHARS: usize = 2_048;

/// Parameters after the question mark. Unknown ones are refused when `T` says so.
#[derive(Debug)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Gateway> for QueryParams<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Gateway) -> Result<Self, Failure> {
        parse_query(&parts.uri).map(Self)
    }
}

fn parse_query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Failure> {
    let query = uri.query().unwrap_or_default();
    if query.len() > MAX_QUERY_CHARS {
        let rule = format!("a query has at most {MAX_QUERY_CHARS} characters");
        let remedy = "see the parameters of this operation under /docs";
        return Err(Failure::invalid(Violation::new(
            "query", query, rule, remedy,
        )));
    }
    Query::<T>::try_from_uri(uri)
        .map(|Query(params)| params)
        .map_err(|rejection| {
            let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
            let violation = explain(&rejection).violation(|field| {
                let value = pairs.ok().and_then(|Query(pairs)| {
                    pairs
                        .into_iter()
                        .find_map(|(key, value)| (key == field).then_some(value))
                });
                value.unwrap_or_else(|| query.to_owned())
            });
            Failure::invalid(violation)
        })
}

/// The parameter that does not fit, and why.
fn explain(rejection: &QueryRejection) -> Explained {
    const WHOLE: &str = "query";
    let mut source = rejection.source();
    while let Some(cause) = source {
        if let Some(err) = cause.downcast_ref::<serde_path_to_error::Error<value::Error>>() {
            return Explained::new(&err.path().to_string(), WHOLE, &err.inner().to_string());
        }
        source = cause.source();
    }
    Explained::new(".", WHOLE, &rejection.body_text())
}

/// Parameters in the path.
#[derive(Debug)]
pub struct PathParams<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Gateway> for PathParams<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &Gateway) -> Result<Self, Failure> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(params)) => Ok(Self(params)),
            Err(PathRejection::FailedToDeserializePathParams(err)) => Err(refuse_path(err)),
            Err(rejection) => {
                tracing::error!(error = %rejection, "a route lacks its path parameters");
                Err(Failure::internal())
            }
        }
    }
}

fn refuse_path(err: FailedToDeserializePathParams) -> Failure {
    let (key, value, text) = match err.into_kind() {
        PathErrorKind::ParseErrorAtKey {
            key,
            value,
            expected_type,
        } => (key, value, format!("expected {expected_type}")),
        PathErrorKind::DeserializeError {
            key,
            value,
            message,
        } => (key, value, message),
        PathErrorKind::InvalidUtf8InPathParam { key } => (
            key,
            "…".to_owned(),
            "percent-encoded UTF-8 is expected".to_owned(),
        ),
        other => (".".to_owned(), "…".to_owned(), other.to_string()),
    };
    Failure::invalid(Explained::new(&key, "path", &text).violation(|_| value))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Params {
        tail: Option<u32>,
        follow: Option<bool>,
    }

    fn parse(query: &str) -> Result<Params, Violation> {
        let uri: Uri = format!("/x?{query}").parse().unwrap();
        parse_query(&uri).map_err(|failure| failure.problem("r").violations.remove(0))
    }

    #[test]
    fn parameters_are_read_and_may_be_left_out() {
        let params = parse("tail=5").unwrap();
        assert_eq!((params.tail, params.follow), (Some(5), None));
        assert_eq!(parse("follow=true").unwrap().follow, Some(true));
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let wrong = parse("tail=many").unwrap_err();
        assert_eq!(
            (wrong.field.as_str(), wrong.value.as_str()),
            ("tail", "many")
        );
        let unknown = parse("tial=5").unwrap_err();
        assert_eq!(
            (unknown.field.as_str(), unknown.value.as_str()),
            ("tial", "5")
        );
        assert!(
            unknown.rule.contains("known: `tail` or `follow`"),
            "{unknown}"
        );
        let long = parse(&"a".repeat(3_000)).unwrap_err();
        assert!(long.rule.contains("at most 2048"), "{long}");
    }
}
