//! `GET /v1/secrets`

use axum::{Json, extract::State};
use fluxplane_proto::scheduler::v1::ListSecretsRequest;

use super::Secret;
use crate::rest::{
    Failure, Gateway,
    extract::{Call, QueryParams},
    page::{Page, PageQuery},
    wire::Malformed,
};

/// A page of the list.
pub type SecretPage = Page<Secret>;

/// List your secrets
///
/// By name, without what they hold.
#[utoipa::path(
    get,
    path = "/v1/secrets",
    tag = "secrets",
    params(PageQuery),
    responses((status = 200, description = "A page of secrets", body = SecretPage)),
)]
pub async fn list_secrets(
    State(gateway): State<Gateway>,
    call: Call,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<SecretPage>, Failure> {
    let request = ListSecretsRequest {
        caller: Some(call.caller()),
        page: Some(page.wish()?),
    };
    let answer = gateway.peers.secrets.list_secrets(request).await?;
    let secrets = answer.secrets.into_iter().map(Secret::try_from);
    let secrets = secrets.collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Json(Page::new(secrets, answer.page)))
}
