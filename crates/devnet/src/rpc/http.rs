//! JSON-RPC over HTTP with the daemon's manners: POST to `/`, basic authentication, and status codes that follow the error (fluxd
//! `src/httprpc.cpp`).

use std::sync::{Arc, RwLock};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bitcoin::base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::{net::TcpListener, task};
use tokio_util::sync::CancellationToken;

use crate::{
    daemon::Daemon,
    options::Credentials,
    rpc::{
        RpcError,
        error::{INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR},
        params::{Object, Param},
    },
};

/// The largest request (fluxd `MAX_SIZE`).
const MAX_BODY: usize = 0x0200_0000;

/// What every request needs.
#[derive(Debug)]
pub(crate) struct Server {
    daemon: Arc<RwLock<Daemon>>,
    /// The header a client must send.
    authorization: String,
}

impl Server {
    pub(crate) fn new(daemon: Arc<RwLock<Daemon>>, credentials: &Credentials) -> Self {
        let pair = format!("{}:{}", credentials.user, credentials.password);
        Self {
            daemon,
            authorization: format!("Basic {}", BASE64_STANDARD.encode(pair)),
        }
    }
}

/// Answers until told to stop; requests under way are finished.
pub(crate) async fn serve(
    server: Server,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new().fallback(handle).with_state(Arc::new(server));
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    if request.uri().path() != "/" {
        return StatusCode::NOT_FOUND.into_response();
    }
    if request.method() != Method::POST {
        let text = "JSONRPC server handles only POST requests";
        return (StatusCode::METHOD_NOT_ALLOWED, text).into_response();
    }
    let given = request.headers().get(header::AUTHORIZATION);
    if given.is_none_or(|given| given.as_bytes() != server.authorization.as_bytes()) {
        let realm = HeaderValue::from_static("Basic realm=\"jsonrpc\"");
        return (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, realm)],
        )
            .into_response();
    }
    let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    // Validating a block takes longer than the runtime may be held up.
    let replied = task::spawn_blocking(move || reply(&server.daemon, &body)).await;
    match replied {
        Ok((status, text)) => {
            let json = HeaderValue::from_static("application/json");
            let response = Response::builder()
                .status(status)
                .header(header::CONTENT_TYPE, json)
                .body(Body::from(text));
            response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
        Err(error) => {
            tracing::error!(%error, "a call panicked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A request that was understood.
struct Call {
    method: String,
    params: super::Params,
}

/// What goes back for one call.
#[derive(Serialize)]
struct Reply {
    result: Option<Box<RawValue>>,
    error: Option<RpcError>,
    id: Option<Box<RawValue>>,
}

fn reply(daemon: &RwLock<Daemon>, body: &[u8]) -> (StatusCode, String) {
    match serde_json::from_slice::<Param>(body) {
        Ok(request) if request.is_object() => {
            let reply = answer_one(daemon, &request);
            (status_of(reply.error.as_ref()), text_of(&reply))
        }
        Ok(requests) if requests.is_array() => {
            let requests = requests.array().unwrap_or_default();
            let replies: Vec<Reply> = requests
                .iter()
                .map(|request| answer_one(daemon, request))
                .collect();
            (StatusCode::OK, text_of(&replies))
        }
        Ok(_) => refusal("Top-level object parse error"),
        Err(_) => refusal("Parse error"),
    }
}

fn refusal(message: &str) -> (StatusCode, String) {
    let error = RpcError::new(PARSE_ERROR, message);
    let status = status_of(Some(&error));
    (status, text_of(&Reply::failed(error, None)))
}

fn status_of(error: Option<&RpcError>) -> StatusCode {
    match error.map(|error| error.code) {
        None => StatusCode::OK,
        Some(INVALID_REQUEST) => StatusCode::BAD_REQUEST,
        Some(METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn text_of(reply: &impl Serialize) -> String {
    let mut text = serde_json::to_string(reply).expect("answers are JSON already");
    text.push('\n');
    text
}

impl Reply {
    fn failed(error: RpcError, id: Option<Box<RawValue>>) -> Self {
        Self {
            result: None,
            error: Some(error),
            id,
        }
    }
}

fn answer_one(daemon: &RwLock<Daemon>, request: &Param) -> Reply {
    let id = request
        .object()
        .ok()
        .and_then(|object| object.get("id").map(Param::raw));
    let call = match understand(request) {
        Ok(call) => call,
        Err(error) => return Reply::failed(error, id),
    };
    tracing::debug!(rpc.method = %call.method, "call");
    match super::call(daemon, &call.method, &call.params) {
        Ok(result) => Reply {
            result: Some(result),
            error: None,
            id,
        },
        Err(error) => Reply::failed(error, id),
    }
}

fn understand(request: &Param) -> Result<Call, RpcError> {
    let invalid = |message: &str| RpcError::new(INVALID_REQUEST, message);
    let object: Object = request
        .object()
        .map_err(|_| invalid("Invalid Request object"))?;
    let method = object
        .get("method")
        .ok_or_else(|| invalid("Missing method"))?;
    let method = method
        .text()
        .map_err(|_| invalid("Method must be a string"))?;
    let params = match object.get("params") {
        None => super::Params::default(),
        Some(params) if params.is_array() => params.array()?,
        Some(_) => return Err(invalid("Params must be an array")),
    };
    Ok(Call { method, params })
}
