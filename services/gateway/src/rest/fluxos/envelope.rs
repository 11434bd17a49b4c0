//! How FluxOS answers: `{"status": "success" | "error", "data": …}`, with HTTP 200 also for errors (`messageHelper.js`).
//!
//! What never reached a handler there is answered with its own status here too, in the same envelope: a client that looks at
//! the body alone understands it as well.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fluxplane_app_spec::json::{Value, stringify};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::error::Remote;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    app,
    rest::{
        Failure,
        wire::{self, Malformed},
    },
};

/// As Express declares it.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// What FluxOS says to whoever has no session.
const UNAUTHORIZED: &str = "Unauthorized. Access denied.";

/// Longest text of an error.
const MAX_MESSAGE_CHARS: usize = 1_000;

/// An answer that succeeded.
#[derive(Debug)]
pub struct Data<T>(pub T);

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Success<T> {
            status: &'static str,
            data: T,
        }
        let success = Success {
            status: "success",
            data: self.0,
        };
        match serde_json::to_string(&success) {
            Ok(text) => json(StatusCode::OK, text),
            Err(err) => {
                tracing::error!(error = %err, "an answer cannot be written");
                Failure::internal().into_response()
            }
        }
    }
}

/// JSON as JavaScript writes it: numbers, order of keys and all. What is signed must come back byte for byte.
pub fn js(value: &Value) -> Result<Box<RawValue>, Malformed> {
    wire::json("data", stringify(value))
}

fn json(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, MEDIA_TYPE);
    response
}

/// An answer that failed, in FluxOS' words.
#[derive(Debug, Clone)]
pub struct Refused {
    failure: Failure,
    wording: Wording,
}

/// What stands in the envelope of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Wording {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    message: String,
    #[serde(skip)]
    status: StatusCode,
}

impl Wording {
    /// As JavaScript's `new Error(message)` comes out.
    fn error(message: impl Into<String>) -> Self {
        Self {
            code: None,
            name: Some("Error"),
            message: message.into(),
            status: StatusCode::OK,
        }
    }
}

impl Refused {
    /// A request that FluxOS refuses with this text.
    pub fn error(message: impl Into<String>) -> Self {
        Self::because(Reason::InvalidRequest, message)
    }

    /// The same with the reason that metrics and the audit trail show.
    pub fn because(reason: Reason, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            failure: Failure::refuse(ErrorKind::Invalid, reason, message.as_str(), Vec::new()),
            wording: Wording::error(message),
        }
    }

    /// An error of the daemon, with its code.
    pub fn daemon(code: i64, message: &str) -> Self {
        let mut refused = Self::error(message);
        refused.wording.code = Some(code);
        refused
    }

    /// What this surface does not do, and where it is done instead.
    pub fn not_implemented(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            failure: Failure::refuse(
                ErrorKind::Invalid,
                Reason::NotServed,
                message.as_str(),
                Vec::new(),
            ),
            wording: Wording {
                code: Some(i64::from(StatusCode::NOT_IMPLEMENTED.as_u16())),
                name: Some("Not Implemented"),
                message,
                status: StatusCode::NOT_IMPLEMENTED,
            },
        }
    }

    /// What the plane itself finds wrong with a specification that FluxOS takes.
    pub fn plane(violation: Violation) -> Self {
        let message = violation.to_string();
        Self {
            failure: Failure::refuse(
                ErrorKind::Invalid,
                Reason::SpecInvalid,
                message.as_str(),
                vec![violation],
            ),
            wording: Wording::error(message),
        }
    }

    pub const fn reason(&self) -> Reason {
        self.failure.reason()
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let problem = failure.problem("");
        let named = problem.violations.first().map(Violation::to_string);
        Self {
            wording: Wording::error(named.unwrap_or(problem.detail)),
            failure,
        }
    }
}

impl From<Remote> for Refused {
    fn from(remote: Remote) -> Self {
        Failure::from(remote).into()
    }
}

impl From<app::Error> for Refused {
    fn from(err: app::Error) -> Self {
        Failure::from(err).into()
    }
}

impl From<Malformed> for Refused {
    fn from(err: Malformed) -> Self {
        Failure::from(err).into()
    }
}

impl IntoResponse for Refused {
    /// The head of the answer; what it says waits in the extensions until the outermost layer writes it.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.wording.status;
        response.extensions_mut().insert(self.failure);
        response.extensions_mut().insert(self.wording);
        response
    }
}

#[derive(Serialize)]
struct Error<'a> {
    status: &'static str,
    data: &'a Wording,
}

/// Writes a failure into the envelope. `response` is the head that was made with it.
pub fn explain(response: &mut Response, failure: &Failure) -> Response {
    let said = response.extensions_mut().remove::<Wording>();
    let mut wording = said.unwrap_or_else(|| {
        let problem = failure.problem("");
        if failure.reason() == Reason::Unauthenticated {
            return Wording {
                code: Some(i64::from(StatusCode::UNAUTHORIZED.as_u16())),
                name: Some("Unauthorized"),
                message: UNAUTHORIZED.to_owned(),
                status: StatusCode::OK,
            };
        }
        Wording {
            code: Some(i64::from(problem.status)),
            status: StatusCode::from_u16(problem.status)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            ..Wording::error(problem.detail)
        }
    });
    wording.message = wording.message.chars().take(MAX_MESSAGE_CHARS).collect();
    let error = Error {
        status: "error",
        data: &wording,
    };
    let text = serde_json::to_string(&error).unwrap_or_default();
    let mut written = json(wording.status, text);
    if let Some(seconds) = failure.problem("").retry_after {
        written
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.headers_mut().remove(header::WWW_AUTHENTICATE);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(response: Response) -> (StatusCode, String) {
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await;
        (status, String::from_utf8(bytes.unwrap().into()).unwrap())
    }

    async fn explained(refused: impl IntoResponse) -> (StatusCode, String) {
        let mut response = refused.into_response();
        let failure = response.extensions_mut().remove::<Failure>().unwrap();
        text(explain(&mut response, &failure)).await
    }

    #[tokio::test]
    async fn an_error_looks_as_javascript_makes_it() {
        let (status, body) = explained(Refused::error("Invalid type of message")).await;
        let wanted =
            r#"{"status":"error","data":{"name":"Error","message":"Invalid type of message"}}"#;
        assert_eq!((status, body.as_str()), (StatusCode::OK, wanted));
        let (_, body) = explained(Refused::daemon(-8, "Block height out of range")).await;
        let wanted = r#"{"status":"error","data":{"code":-8,"name":"Error","message":"Block height out of range"}}"#;
        assert_eq!(body, wanted);
    }

    #[tokio::test]
    async fn what_no_handler_made_keeps_its_status() {
        let (status, body) = explained(Failure::body_too_large(5)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(
            body.starts_with(r#"{"status":"error","data":{"code":413,"#),
            "{body}"
        );
        let (status, body) = explained(Failure::of(&app::Error::AccessToken)).await;
        let wanted = r#"{"status":"error","data":{"code":401,"name":"Unauthorized","message":"Unauthorized. Access denied."}}"#;
        assert_eq!((status, body.as_str()), (StatusCode::OK, wanted));
    }

    #[tokio::test]
    async fn data_is_written_as_it_is() {
        let (status, body) = text(Data(vec![1]).into_response()).await;
        let wanted = r#"{"status":"success","data":[1]}"#;
        assert_eq!((status, body.as_str()), (StatusCode::OK, wanted));
        let js = js(&Value::Number(0.5)).unwrap();
        let (_, body) = text(Data(js).into_response()).await;
        assert_eq!(body, r#"{"status":"success","data":0.5}"#);
    }
}
