//! `/id/…`: signing in as FluxOS' clients do. A phrase is signed once; its signature then goes with every request.

use axum::{Extension, extract::State, http::HeaderMap};
use serde::Serialize;

use super::{
    apps::read::js_time,
    body::{Fields, object},
    envelope::{Data, Refused},
};
use crate::{
    app::fluxos_login,
    domain::fluxos::Login,
    metrics::KindLabels,
    rest::{Gateway, layers::Audited},
};

/// Header that carries a login: JSON, or a query string.
const AUTH: &str = "zelidauth";

/// Longest part of a login.
const MAX_PART_CHARS: usize = 512;

/// The login that a request carries.
pub fn login(headers: &HeaderMap) -> Option<Login> {
    let value = headers.get(AUTH)?.as_bytes();
    let fields = Fields(object(value, value.len()).ok()?);
    let part = |name: &str| Some(fields.text(&[name])).filter(|text| is_part(text));
    Some(Login {
        address: part("zelid")?,
        phrase: part("loginPhrase")?,
        signature: part("signature")?,
    })
}

fn is_part(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_PART_CHARS
}

/// `GET /id/loginphrase`
pub async fn login_phrase(State(gateway): State<Gateway>) -> Result<Data<String>, Refused> {
    Ok(Data(fluxos_login::create_phrase(&gateway.ctx).await?))
}

/// What FluxOS answers to whoever signed in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedIn {
    message: &'static str,
    zelid: String,
    login_phrase: String,
    signature: String,
    /// Spelled as FluxOS spells it.
    privilage: &'static str,
    created_at: String,
    expire_at: String,
}

/// `POST /id/verifylogin`
pub async fn verify_login(
    State(gateway): State<Gateway>,
    fields: Fields,
) -> Result<(Extension<Audited>, Data<LoggedIn>), Refused> {
    let login = Login {
        address: fields.text(&["zelid", "address"]),
        phrase: fields.text(&["loginPhrase", "message"]),
        signature: fields.text(&["signature"]),
    };
    if login.signature.len() > MAX_PART_CHARS {
        return Err(Refused::error("Invalid signature"));
    }
    let logged_in = fluxos_login::verify_login(&gateway.ctx, &login).await?;
    let opened = KindLabels {
        kind: "fluxos_opened",
    };
    gateway.metrics.sessions.get_or_create(&opened).inc();
    let audited = Audited {
        principal: Some(logged_in.principal),
        target: None,
    };
    let answer = LoggedIn {
        message: "Successfully logged in",
        zelid: login.address,
        login_phrase: login.phrase,
        signature: login.signature,
        privilage: if logged_in.admin { "admin" } else { "user" },
        created_at: js_time(logged_in.created_at),
        expire_at: js_time(logged_in.expires_at),
    };
    Ok((Extension(audited), Data(answer)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(value: &[u8]) -> Option<Login> {
        let value = HeaderValue::from_bytes(value).unwrap();
        let name = axum::http::HeaderName::from_static(AUTH);
        login(&HeaderMap::from_iter([(name, value)]))
    }

    #[test]
    fn a_login_is_json_or_a_query_string() {
        let json = read(br#"{"zelid":"1a","signature":"H+/=","loginPhrase":"17x"}"#).unwrap();
        let query = read(b"zelid=1a&signature=H%2B%2F%3D&loginPhrase=17x").unwrap();
        assert_eq!(json, query);
        assert_eq!(json.signature, "H+/=");
    }

    #[test]
    fn a_login_with_a_part_missing_is_none() {
        for wrong in [
            &b""[..],
            b"zelid=1a",
            b"zelid=1a&signature=&loginPhrase=x",
            b"zelid=1a&zelid=1b&signature=x&loginPhrase=x",
            b"{\"zelid\":\"\xff\"}",
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        let long = format!("zelid=1a&signature={}&loginPhrase=x", "s".repeat(600));
        assert_eq!(read(long.as_bytes()), None);
    }
}
