//! The innermost layer: who may call this operation, and what is written down of it.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use tracing::Instrument as _;

use super::{
    admit::{announce, throttled},
    observe::{guarded, no_such_path},
};
use crate::{
    app::{
        self,
        authenticate::{authenticate, authenticate_login},
    },
    domain::{
        Principal, Token, TokenKind,
        audit::{Entry, Outcome, shorten},
    },
    rest::{
        Failure, Gateway,
        access::{self, Access, Operation, Surface, Verb},
        extract::{IdempotencyKey, RequestId},
        fluxos,
        limits::Allowance,
    },
};

/// What a handler adds to its audit row, as an extension of its answer.
#[derive(Debug, Clone, Default)]
pub struct Audited {
    /// Who signed in by this call.
    pub principal: Option<String>,
    /// What this call made.
    pub target: Option<String>,
}

pub async fn gate(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    let Some(route) = request.extensions().get::<MatchedPath>() else {
        return no_such_path(request.uri()).into_response();
    };
    let verb = Verb::of(request.method());
    let Some(operation) = verb.and_then(|verb| access::find(verb, route.as_str())) else {
        return unlisted(&request, route.as_str());
    };
    let (principal, allowance) = match identify(&gateway, operation, request.headers()).await {
        Ok(identified) => identified,
        Err(refusal) => return refusal,
    };
    let mut response = if operation.changes() {
        change(gateway, operation, principal, request, next).await
    } else {
        match admit_call(operation, principal, request) {
            Ok(request) => next.run(request).await,
            Err(failure) => failure.into_response(),
        }
    };
    if let Some(allowance) = allowance {
        announce(allowance, response.headers_mut());
    }
    response
}

/// The router knows the path, the table does not know the operation.
fn unlisted(request: &Request, route: &str) -> Response {
    let allowed = access::verbs_of(route);
    if allowed.is_empty() {
        tracing::error!(
            http.route = route,
            "a route is not listed in the table of operations"
        );
        return forbidden("nobody may call this").into_response();
    }
    Failure::method_not_allowed(request.method().as_str(), &allowed).into_response()
}

/// Who calls, where that matters. An `Err` is the answer.
async fn identify(
    gateway: &Gateway,
    operation: &Operation,
    headers: &HeaderMap,
) -> Result<(Option<Principal>, Option<Allowance>), Response> {
    match operation.access {
        Access::Public => return Ok((None, None)),
        Access::SignedIn | Access::Admin => {}
    }
    let principal = match operation.surface {
        Surface::Native => {
            let token = bearer(headers).ok_or_else(|| unauthenticated().into_response())?;
            authenticate(&gateway.ctx, &token).await
        }
        Surface::FluxOs => {
            let login = fluxos::id::login(headers);
            let login = login.ok_or_else(|| unauthenticated().into_response())?;
            authenticate_login(&gateway.ctx, &login).await
        }
    };
    let principal = principal.map_err(|err| Failure::from(err).into_response())?;
    let allowance = gateway.limits.take_principal(&principal.address);
    if allowance.retry_after.is_some() {
        return Err(throttled(gateway, "principal", allowance));
    }
    Ok((Some(principal), Some(allowance)))
}

fn bearer(headers: &HeaderMap) -> Option<Token> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Token::parse(TokenKind::Access, token))?
}

/// Checks that this caller may make this call, and puts into the request what its handler needs.
fn admit_call(
    operation: &Operation,
    principal: Option<Principal>,
    mut request: Request,
) -> Result<Request, Failure> {
    let admin = principal.as_ref().is_some_and(|principal| principal.admin);
    match operation.access {
        Access::Admin if !admin => return Err(forbidden("only administrators may do this")),
        Access::Public | Access::SignedIn | Access::Admin => {}
    }
    match IdempotencyKey::read(request.headers())? {
        Some(key) => {
            request.extensions_mut().insert(key);
        }
        None if operation.keyed => return Err(key_missing()),
        None => {}
    }
    if let Some(principal) = principal {
        request.extensions_mut().insert(principal);
    }
    Ok(request)
}

/// Makes a changing call: its audit row first, then the call, then how it ended.
///
/// All of it runs in a task of its own, so that a client that leaves does not stop a change halfway.
async fn change(
    gateway: Gateway,
    operation: &'static Operation,
    principal: Option<Principal>,
    request: Request,
    next: Next,
) -> Response {
    let calls = gateway.calls.clone();
    let call = async move {
        let written = written_call(&gateway, operation, principal, request, next);
        guarded(&gateway, written).await
    };
    let task = calls.spawn(call.in_current_span());
    task.await.unwrap_or_else(|err| {
        tracing::error!(error = %err, "a changing call was lost");
        Failure::internal().into_response()
    })
}

/// The call between its audit row and its outcome.
async fn written_call(
    gateway: &Gateway,
    operation: &'static Operation,
    principal: Option<Principal>,
    request: Request,
    next: Next,
) -> Response {
    let entry = entry(gateway, operation, principal.as_ref(), &request);
    let id = entry.id;
    if let Err(err) = gateway.audit.begin(entry).await {
        return Failure::from(err).into_response();
    }
    let work = async {
        match admit_call(operation, principal, request) {
            Ok(request) => next.run(request).await,
            Err(failure) => failure.into_response(),
        }
    };
    // A panic is an outcome too.
    let mut response = guarded(gateway, work).await;
    let audited = response
        .extensions_mut()
        .remove::<Audited>()
        .unwrap_or_default();
    let outcome = Outcome {
        id,
        finished_at: gateway.ctx.clock.now(),
        status: response.status().as_u16(),
        code: response
            .extensions()
            .get::<Failure>()
            .map(|failure| failure.reason().code()),
        principal: audited.principal,
        target: audited.target.as_deref().map(shorten),
    };
    gateway.audit.finish(outcome).await;
    response
}

fn entry(
    gateway: &Gateway,
    operation: &'static Operation,
    principal: Option<&Principal>,
    request: &Request,
) -> Entry {
    Entry {
        id: gateway.ctx.ids.next(),
        at: gateway.ctx.clock.now(),
        principal: principal
            .map(|principal| principal.address.clone())
            .unwrap_or_default(),
        session: principal.map(|principal| principal.session),
        method: operation.verb.name(),
        route: operation.path,
        target: shorten(request.uri().path()),
        request_id: request
            .extensions()
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default(),
    }
}

fn forbidden(detail: &str) -> Failure {
    Failure::refuse(ErrorKind::Forbidden, Reason::Forbidden, detail, Vec::new())
}

/// For a call without a live session.
pub fn unauthenticated() -> Failure {
    Failure::of(&app::Error::AccessToken)
}

/// For a change that must carry a key and does not.
pub fn key_missing() -> Failure {
    let violation = Violation::new(
        "Idempotency-Key",
        "missing",
        "a change that names no version carries a key, so that repeating it changes nothing",
        "send a fresh UUID with each new request and the same one when repeating it",
    );
    Failure::refuse(
        ErrorKind::Invalid,
        Reason::IdempotencyKeyMissing,
        "the change came without an Idempotency-Key",
        vec![violation],
    )
}
