//! JSON bodies: bounded in size and depth, no unknown fields, errors by field.

use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::explain::Explained;
use crate::rest::{Failure, Gateway};

/// Deepest nesting of a body. A FluxOS specification needs six levels.
const MAX_DEPTH: usize = 32;

/// The body of a request, read as `T`.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Gateway> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, Failure> {
        if !declares_json(request.headers()) {
            let value = request.headers().get(header::CONTENT_TYPE);
            let value = value
                .and_then(|value| value.to_str().ok())
                .unwrap_or("missing");
            return Err(Failure::refuse(
                ErrorKind::Invalid,
                Reason::UnsupportedMediaType,
                "the body is not declared as JSON",
                vec![Violation::new(
                    "Content-Type",
                    value,
                    "bodies are application/json",
                    "send JSON and say so",
                )],
            ));
        }
        let bytes = read_body(request, gateway).await?;
        parse(&bytes).map(Self)
    }
}

/// The body as it came, up to the limit.
pub async fn read_body(request: Request, gateway: &Gateway) -> Result<Bytes, Failure> {
    let limit = gateway.config.body_limit_bytes;
    to_bytes(request.into_body(), limit).await.map_err(|err| {
        if is_too_large(&err) {
            Failure::body_too_large(limit)
        } else {
            let rule = "the body arrives whole";
            Failure::invalid(Violation::new("body", "cut off", rule, "send it again"))
        }
    })
}

fn declares_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/json")
    })
}

/// Whether reading stopped at the limit, as opposed to the client going away.
fn is_too_large(err: &axum::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(err);
    while let Some(cause) = source {
        if cause.to_string().contains("length limit exceeded") {
            return true;
        }
        source = cause.source();
    }
    false
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    if depth(bytes) > MAX_DEPTH {
        return Err(Failure::invalid(Violation::new(
            "body",
            "too deep",
            format!("a body nests at most {MAX_DEPTH} levels"),
            "flatten it",
        )));
    }
    // serde would also take a list of the fields' values, which no client means.
    if bytes
        .trim_ascii_start()
        .first()
        .is_some_and(|first| b"[\"0123456789tfn-".contains(first))
    {
        let start = String::from_utf8_lossy(bytes);
        let rule = "an object is expected";
        let remedy = "see the schema of this operation under /docs";
        return Err(Failure::invalid(Violation::new(
            "body", start, rule, remedy,
        )));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|err| {
        let path = err.path().to_string();
        refuse(&path, err.inner(), bytes)
    })?;
    deserializer.end().map_err(|err| refuse(".", &err, bytes))?;
    Ok(value)
}

fn refuse(path: &str, err: &serde_json::Error, bytes: &[u8]) -> Failure {
    // serde_json ends its texts with the place, which is said separately.
    let text = err.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(rule, _)| rule);
    Failure::invalid(match err.classify() {
        Category::Data => Explained::new(path, "body", text)
            .violation(|field| value_at(field, bytes).unwrap_or_else(|| "…".to_owned())),
        Category::Syntax | Category::Eof | Category::Io => {
            let place = format!("line {}, column {}", err.line(), err.column());
            Violation::new(
                "body",
                place,
                format!("the body is JSON: {text}"),
                "correct the JSON",
            )
        }
    })
}

/// The value at a path such as `registration.timestamp` or `outputs[0].address`, as JSON.
fn value_at(path: &str, bytes: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let mut value = &body;
    let path = if path == "body" && body.get("body").is_none() {
        ""
    } else {
        path
    };
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        value = match step.strip_suffix(']') {
            Some(index) => value.get(index.parse::<usize>().ok()?)?,
            None => value.get(step)?,
        };
    }
    match value {
        // A secret may sit in any object; only scalars are repeated.
        serde_json::Value::Object(_) => Some("an object".to_owned()),
        serde_json::Value::Array(_) => Some("a list".to_owned()),
        scalar => Some(scalar.to_string()),
    }
}

/// How deep brackets nest outside of texts. Malformed JSON gives some number; the parser then says what is wrong.
fn depth(bytes: &[u8]) -> usize {
    let (mut deepest, mut level) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' if !in_text => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        timestamp: u64,
        spec: Box<RawValue>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        inner: Inner,
    }

    fn violation(body: &str) -> Violation {
        let problem = parse::<Outer>(body.as_bytes()).unwrap_err().problem("r");
        assert_eq!(problem.status, 400);
        problem.violations.into_iter().next().unwrap()
    }

    #[test]
    fn a_nested_document_keeps_its_bytes() {
        let body = r#"{"inner":{"timestamp":1,"spec":{"b":1.0,  "a":[1e3]}}}"#;
        let outer: Outer = parse(body.as_bytes()).unwrap();
        assert_eq!(outer.inner.spec.get(), r#"{"b":1.0,  "a":[1e3]}"#);
        assert_eq!(outer.inner.timestamp, 1);
    }

    #[test]
    fn a_wrong_value_is_named_with_its_path() {
        let wrong = violation(r#"{"inner":{"timestamp":"soon","spec":{}}}"#);
        assert_eq!(
            (wrong.field.as_str(), wrong.value.as_str()),
            ("inner.timestamp", "\"soon\"")
        );
        assert_eq!(wrong.rule, "a whole number is expected");
        let missing = violation(r#"{"inner":{"timestamp":1}}"#);
        assert_eq!(
            (missing.field.as_str(), missing.value.as_str()),
            ("inner.spec", "missing")
        );
        let whole = violation("[1]");
        assert_eq!(
            (whole.field.as_str(), whole.rule.as_str()),
            ("body", "an object is expected")
        );
    }

    #[test]
    fn unknown_and_repeated_fields_are_refused() {
        let unknown = violation(r#"{"inner":{"timestamp":1,"spec":{},"admin":true}}"#);
        assert_eq!(
            (unknown.field.as_str(), unknown.value.as_str()),
            ("inner.admin", "true")
        );
        assert!(
            unknown.rule.contains("known: `timestamp` or `spec`"),
            "{unknown}"
        );
        let repeated = violation(r#"{"inner":{"timestamp":1,"timestamp":2,"spec":{}}}"#);
        assert_eq!(
            (repeated.field.as_str(), repeated.value.as_str()),
            ("inner.timestamp", "repeated")
        );
    }

    #[test]
    fn what_is_no_json_is_named_by_its_place() {
        let cut = violation(r#"{"inner":"#);
        assert_eq!(
            (cut.field.as_str(), cut.value.as_str()),
            ("body", "line 1, column 9")
        );
        let trailing = violation(r#"{"inner":{"timestamp":1,"spec":{}}} x"#);
        assert!(trailing.rule.contains("trailing characters"), "{trailing}");
    }

    #[test]
    fn depth_counts_brackets_outside_of_texts() {
        assert_eq!(depth(br#"{"a":[{}],"b":"[[[[\"[["}"#), 3);
        let deep = "[".repeat(MAX_DEPTH + 1);
        assert!(violation(&deep).rule.contains("32 levels"));
    }
}
