//! A small JSON-RPC client for the command line and for tests. Services have a client of their own.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, Uri, header},
};
use bitcoin::base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tokio::{net::TcpStream, task::JoinSet};

use crate::{options::Credentials, rpc::RpcError};

/// The largest answer that is read: a block of the largest size as hexadecimal, with room for its description.
const MAX_ANSWER: usize = 256 << 20;

/// Why a call brought no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("`{0}` is no address of a server; write http://host:port")]
    Address(String),
    #[error(
        "nobody answers at {address}; is `devnet run` running, or does it listen elsewhere (--rpc-url)?"
    )]
    Connect {
        address: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the server refuses name and password; pass --rpc-user and --rpc-password")]
    Unauthorized,
    #[error("the connection broke")]
    Http(#[from] hyper::Error),
    #[error("the request or answer is malformed")]
    Request(#[from] axum::http::Error),
    #[error("the answer is cut short or too large")]
    Body(#[source] axum::Error),
    #[error("the server answers {status} with something that is no JSON-RPC")]
    Format {
        status: StatusCode,
        #[source]
        source: serde_json::Error,
    },
    #[error("{}: {}", .0.code, .0.message)]
    Rpc(RpcError),
}

/// Where to call, and as whom.
#[derive(Debug, Clone)]
pub struct Client {
    authority: String,
    authorization: String,
}

#[derive(Deserialize)]
struct Reply {
    result: Box<RawValue>,
    error: Option<ReplyError>,
}

#[derive(Deserialize)]
struct ReplyError {
    code: i32,
    message: String,
}

impl Client {
    pub fn new(url: &str, credentials: &Credentials) -> Result<Self, ClientError> {
        let wrong = || ClientError::Address(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"));
        let pair = format!("{}:{}", credentials.user, credentials.password);
        Ok(Self {
            authority: authority.ok_or_else(wrong)?.to_string(),
            authorization: format!("Basic {}", BASE64_STANDARD.encode(pair)),
        })
    }

    /// Calls a method and gives its result as a value.
    pub async fn call(&self, method: &str, params: &[Value]) -> Result<Value, ClientError> {
        let text = self.call_text(method, params).await?;
        let format = |source| ClientError::Format {
            status: StatusCode::OK,
            source,
        };
        serde_json::from_str(&text).map_err(format)
    }

    /// Calls a method and gives the text of its result, every digit of it.
    pub async fn call_text(&self, method: &str, params: &[Value]) -> Result<String, ClientError> {
        let body = json!({"id": 1, "method": method, "params": params}).to_string();
        let (status, text) = self.post(body).await?;
        if status == StatusCode::UNAUTHORIZED {
            return Err(ClientError::Unauthorized);
        }
        let reply: Reply =
            serde_json::from_str(&text).map_err(|source| ClientError::Format { status, source })?;
        match reply.error {
            None => Ok(reply.result.get().to_owned()),
            Some(ReplyError { code, message }) => Err(ClientError::Rpc(RpcError { code, message })),
        }
    }

    /// Sends a body as it is and gives back status and text.
    pub async fn post(&self, body: String) -> Result<(StatusCode, String), ClientError> {
        let stream = TcpStream::connect(&self.authority).await;
        let stream = stream.map_err(|source| ClientError::Connect {
            address: self.authority.clone(),
            source,
        })?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await?;
        // Ends with this call: the set drops what is still running.
        let mut running = JoinSet::new();
        running.spawn(connection);
        let request = Request::post("/")
            .header(header::HOST, &self.authority)
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Body::new(response.into_body());
        let bytes = to_bytes(body, MAX_ANSWER)
            .await
            .map_err(ClientError::Body)?;
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }
}
