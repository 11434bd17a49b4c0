//! `GET /v1/epochs`

use axum::{Json, extract::State};
use fluxplane_proto::billing::v1::ListEpochsRequest;

use super::epoch::Epoch;
use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    page::{Page, PageQuery},
    wire::Malformed,
};

/// A page of the list.
pub type EpochPage = Page<Epoch>;

/// List settlement epochs
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/epochs",
    tag = "settlement",
    params(PageQuery),
    responses((status = 200, description = "A page of epochs", body = EpochPage)),
)]
pub async fn list_epochs(
    State(gateway): State<Gateway>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<EpochPage>, Failure> {
    let request = ListEpochsRequest {
        page: Some(page.wish()?),
    };
    let answer = gateway.peers.billing.list_epochs(request).await?;
    let epochs = answer.epochs.into_iter().map(Epoch::try_from);
    let epochs = epochs.collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Json(Page::new(epochs, answer.page)))
}
