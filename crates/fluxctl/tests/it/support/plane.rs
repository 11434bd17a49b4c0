//! A plane that answers what a test says. Signing in is real: phrases are signed, access tokens end, refresh tokens work
//! once and end the session when they come back.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use chrono::{TimeDelta, Utc};
use fluxplane_app_spec::message::recover_signer;
use fluxplane_core::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// One connection of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) text: String,
    /// Whether the connection breaks instead of ending well.
    pub(crate) breaks: bool,
    /// Whether it stays open.
    pub(crate) stays: bool,
}

#[derive(Debug, Clone)]
enum Answer {
    Json(u16, Value),
    Stream(Connection),
    Text(&'static str, String),
}

#[derive(Debug)]
struct Session {
    access: String,
    refresh: String,
    /// Refresh tokens that were used.
    used: Vec<String>,
    principal: String,
    ended: bool,
    access_ended: bool,
}

#[derive(Debug, Default)]
struct Inner {
    seen: Vec<Seen>,
    phrases: BTreeMap<String, String>,
    sessions: Vec<Session>,
    tokens: u64,
    refreshes: usize,
    /// Answers by method and path without query: once each, then the last for good.
    answers: BTreeMap<(String, String), VecDeque<Answer>>,
}

/// A plane on a free port.
#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) url: String,
    inner: Arc<Mutex<Inner>>,
    _server: JoinSet<()>,
}

impl Plane {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner::default()));
        let router = Router::new()
            .fallback(handle)
            .with_state(Arc::clone(&inner));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            inner,
            _server: server,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn push(&self, call: &str, answer: Answer) -> &Self {
        let (method, path) = call.split_once(' ').unwrap();
        let key = (method.to_owned(), path.to_owned());
        self.inner()
            .answers
            .entry(key)
            .or_default()
            .push_back(answer);
        self
    }

    /// Says what a call, `GET /v1/apps`, is answered with. Several answers come one after the other; the last stays.
    pub(crate) fn says(&self, call: &str, answer: Value) -> &Self {
        self.push(call, Answer::Json(200, answer))
    }

    pub(crate) fn refuses(&self, call: &str, status: u16, code: &str, detail: &str) -> &Self {
        self.push(call, Answer::Json(status, problem(status, code, detail)))
    }

    pub(crate) fn answers(&self, call: &str, status: u16, answer: Value) -> &Self {
        self.push(call, Answer::Json(status, answer))
    }

    pub(crate) fn streams(&self, call: &str, connection: Connection) -> &Self {
        self.push(call, Answer::Stream(connection))
    }

    pub(crate) fn sends(&self, call: &str, content_type: &'static str, text: String) -> &Self {
        self.push(call, Answer::Text(content_type, text))
    }

    /// Requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner().seen.clone()
    }

    /// Requests of one kind so far.
    pub(crate) fn seen_of(&self, call: &str) -> Vec<Seen> {
        let (method, path) = call.split_once(' ').unwrap();
        let bare = |seen: &Seen| seen.path.split('?').next() == Some(path);
        self.seen()
            .into_iter()
            .filter(|seen| seen.method == method && bare(seen))
            .collect()
    }

    /// Access tokens end before their time.
    pub(crate) fn end_access_tokens(&self) {
        self.inner()
            .sessions
            .iter_mut()
            .for_each(|session| session.access_ended = true);
    }

    pub(crate) fn end_sessions(&self) {
        self.inner()
            .sessions
            .iter_mut()
            .for_each(|session| session.ended = true);
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.inner().refreshes
    }

    /// Whether a refresh token came twice.
    pub(crate) fn sessions_ended(&self) -> bool {
        self.inner().sessions.iter().any(|session| session.ended)
    }
}

pub(crate) fn problem(status: u16, code: &str, detail: &str) -> Value {
    json!({
        "type": format!("/docs/errors#{code}"), "title": code, "status": status, "detail": detail,
        "code": code, "request_id": "0198c0de-7e57-7000-8000-0000000000ff",
    })
}

fn unauthenticated() -> Response {
    let detail = "sign in: the access token is missing, unknown or too old";
    answer(Answer::Json(401, problem(401, "unauthenticated", detail)))
}

async fn handle(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut inner = inner.lock().unwrap();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (method, path) = (method.to_string(), uri.path().to_owned());
    inner.seen.push(Seen {
        method: method.clone(),
        path: uri.to_string(),
        headers: headers.clone(),
        body: body.clone(),
    });
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().unwrap().strip_prefix("Bearer "))
        .map(str::to_owned);
    let principal = inner
        .sessions
        .iter()
        .find(|session| {
            Some(&session.access) == token.as_ref() && !session.ended && !session.access_ended
        })
        .map(|session| session.principal.clone());
    match (method.as_str(), path.as_str()) {
        ("POST", "/v1/auth/challenges") => return challenge(&mut inner, &body),
        ("POST", "/v1/auth/sessions") => return open(&mut inner, &body),
        ("POST", "/v1/auth/sessions:refresh") => return refresh(&mut inner, &body),
        _ => {}
    }
    let public = ["/v1/nodes", "/v1/epochs", "/v1/chain", "/v1/rate"]
        .iter()
        .any(|open| path.starts_with(open));
    let Some(principal) = principal.or_else(|| {
        let read = method == "GET";
        (public && read).then(String::new)
    }) else {
        return unauthenticated();
    };
    match (method.as_str(), path.as_str()) {
        ("GET", "/v1/auth/me") => {
            let me = json!({
                "principal": principal, "session_id": "0198c0de-7e57-7000-8000-00000000005e",
                "expires_at": "2026-11-22T09:15:00Z", "admin": false,
            });
            return answer(Answer::Json(200, me));
        }
        ("DELETE", "/v1/auth/sessions/current") => {
            inner
                .sessions
                .iter_mut()
                .for_each(|session| session.ended = true);
            return StatusCode::NO_CONTENT.into_response();
        }
        ("POST", _) if !headers.contains_key("idempotency-key") => {
            let detail = "the change came without an Idempotency-Key";
            return answer(Answer::Json(
                400,
                problem(400, "idempotency-key-missing", detail),
            ));
        }
        // A secret has no version to be named.
        ("PUT" | "DELETE", path)
            if path.starts_with("/v1/secrets/") && headers.contains_key("idempotency-key") => {}
        ("PUT" | "DELETE", _) if !headers.contains_key(header::IF_MATCH) => {
            let detail = "the change came without If-Match";
            return answer(Answer::Json(428, problem(428, "if-match-missing", detail)));
        }
        _ => {}
    }
    let Some(queue) = inner.answers.get_mut(&(method, path)) else {
        return answer(Answer::Json(
            404,
            problem(404, "not-found", "there is nothing at this path"),
        ));
    };
    let next = if queue.len() > 1 {
        queue.pop_front().unwrap()
    } else {
        queue.front().unwrap().clone()
    };
    answer(next)
}

fn challenge(inner: &mut Inner, body: &Value) -> Response {
    inner.tokens += 1;
    let phrase = format!("1763798400123phrase{}", inner.tokens);
    let address = body["address"].as_str().unwrap().to_owned();
    inner.phrases.insert(phrase.clone(), address);
    let made = json!({ "phrase": phrase, "expires_at": "2026-11-22T09:05:00Z" });
    answer(Answer::Json(201, made))
}

fn open(inner: &mut Inner, body: &Value) -> Response {
    let field = |name: &str| body[name].as_str().unwrap().to_owned();
    let (phrase, address) = (field("phrase"), field("address"));
    if inner.phrases.remove(&phrase) != Some(address.clone()) {
        let detail = "the phrase is unknown, used or too old";
        return answer(Answer::Json(401, problem(401, "challenge-invalid", detail)));
    }
    let signer = recover_signer(&phrase, &address, &field("signature"));
    if signer.as_ref() != Ok(&address) {
        let detail = "another key signed, or another text was signed";
        return answer(Answer::Json(401, problem(401, "signature-invalid", detail)));
    }
    let (access, refresh) = fresh(inner);
    inner.sessions.push(Session {
        access: access.clone(),
        refresh: refresh.clone(),
        used: Vec::new(),
        principal: address.clone(),
        ended: false,
        access_ended: false,
    });
    answer(Answer::Json(201, tokens(&access, &refresh, &address)))
}

fn refresh(inner: &mut Inner, body: &Value) -> Response {
    inner.refreshes += 1;
    let given = body["refresh_token"].as_str().unwrap().to_owned();
    let (access, refresh) = fresh(inner);
    for session in &mut inner.sessions {
        if session.used.contains(&given) {
            session.ended = true;
        }
        if session.refresh == given && !session.ended {
            session.used.push(given);
            session.access.clone_from(&access);
            session.refresh.clone_from(&refresh);
            session.access_ended = false;
            let principal = session.principal.clone();
            return answer(Answer::Json(200, tokens(&access, &refresh, &principal)));
        }
    }
    unauthenticated()
}

fn fresh(inner: &mut Inner) -> (String, String) {
    inner.tokens += 1;
    let number = inner.tokens;
    (format!("fxa_{number}"), format!("fxr_{number}"))
}

fn tokens(access: &str, refresh: &str, principal: &str) -> Value {
    let now: chrono::DateTime<Utc> = SystemClock.now();
    json!({
        "access_token": access, "refresh_token": refresh, "principal": principal,
        "expires_at": now + TimeDelta::minutes(15), "refresh_expires_at": now + TimeDelta::days(14),
    })
}

fn answer(answer: Answer) -> Response {
    match answer {
        Answer::Json(status, value) => {
            let status = StatusCode::from_u16(status).unwrap();
            let mut response = (status, Json(value)).into_response();
            if status.as_u16() >= 400 {
                let problem = "application/problem+json".parse().unwrap();
                response.headers_mut().insert(header::CONTENT_TYPE, problem);
            }
            response
        }
        Answer::Text(content_type, text) => {
            ([(header::CONTENT_TYPE, content_type)], text).into_response()
        }
        Answer::Stream(Connection {
            text,
            breaks,
            stays,
        }) => {
            use futures::{StreamExt as _, stream};
            let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from(text))]);
            let body = if breaks {
                // What was written leaves before the connection breaks.
                let broken = stream::once(async {
                    tokio::task::yield_now().await;
                    Err(std::io::Error::other("on purpose"))
                });
                Body::from_stream(first.chain(broken))
            } else if stays {
                Body::from_stream(first.chain(stream::pending()))
            } else {
                Body::from_stream(first)
            };
            ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
        }
    }
}

/// Events of a stream, as text.
pub(crate) fn events(name: &str, data: &[Value]) -> String {
    let event = |value: &Value| {
        let id = value
            .get("sequence")
            .map(|id| format!("id: {id}\n"))
            .unwrap_or_default();
        format!("event: {name}\n{id}data: {value}\n\n")
    };
    data.iter().map(event).collect()
}

impl Connection {
    pub(crate) const fn ends(text: String) -> Self {
        Self {
            text,
            breaks: false,
            stays: false,
        }
    }

    pub(crate) const fn breaks(text: String) -> Self {
        Self {
            text,
            breaks: true,
            stays: false,
        }
    }

    pub(crate) const fn stays(text: String) -> Self {
        Self {
            text,
            breaks: false,
            stays: true,
        }
    }
}
