//! Versions as entity tags: reads may be skipped, and changes name the version they act on.

use axum::http::{HeaderMap, HeaderValue, header};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};

use super::Failure;

/// `"7"` for version 7.
pub fn of(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).expect("digits in quotes are visible ASCII")
}

/// Whether `If-None-Match` says that the client has `etag` already. Weak comparison (RFC 9110, 13.1.2).
pub fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let etag = etag.to_str().unwrap_or_default();
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// The version that `If-Match` names.
pub fn expected_version(headers: &HeaderMap) -> Result<u64, Failure> {
    const REMEDY: &str = "read the thing, and send its ETag as If-Match";
    let Some(value) = headers.get(header::IF_MATCH) else {
        let rule = "a change names the version it acts on";
        return Err(Failure::refuse(
            ErrorKind::Invalid,
            Reason::IfMatchMissing,
            "the change came without If-Match",
            vec![Violation::new("If-Match", "missing", rule, REMEDY)],
        ));
    };
    let text = value.to_str().unwrap_or("not ASCII").trim();
    let version = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    version
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| {
            let rule =
                "one strong ETag of this API, such as \"7\"; lists, weak tags and * are not taken";
            Failure::invalid(Violation::new("If-Match", text, rule, REMEDY))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_change_names_exactly_one_version() {
        let expected = |value| expected_version(&headers(header::IF_MATCH, value));
        assert_eq!(expected("\"7\"").unwrap(), 7);
        for wrong in ["7", "*", "W/\"7\"", "\"7\", \"8\"", "\"-1\"", "\"\""] {
            assert_eq!(
                expected(wrong).unwrap_err().reason(),
                Reason::InvalidRequest,
                "{wrong}"
            );
        }
        let missing = expected_version(&HeaderMap::new()).unwrap_err();
        assert_eq!(missing.reason(), Reason::IfMatchMissing);
    }

    #[test]
    fn a_client_that_has_the_version_need_not_get_it() {
        let known = |value| is_known(&headers(header::IF_NONE_MATCH, value), &of(7));
        assert!(known("\"7\"") && known("W/\"7\"") && known("\"6\", \"7\"") && known("*"));
        assert!(!known("\"6\"") && !known("7"));
        assert!(!is_known(&HeaderMap::new(), &of(7)));
    }
}
