//! `GET /v1/invoices`

use axum::{Json, extract::State};
use fluxplane_proto::billing::v1::ListInvoicesRequest;

use super::invoice::Invoice;
use crate::rest::{
    Failure, Gateway,
    extract::{Call, QueryParams},
    page::{Page, PageQuery},
    wire::Malformed,
};

/// A page of the list.
pub type InvoicePage = Page<Invoice>;

/// List your invoices
#[utoipa::path(
    get,
    path = "/v1/invoices",
    tag = "billing",
    params(PageQuery),
    responses((status = 200, description = "A page of invoices", body = InvoicePage)),
)]
pub async fn list_invoices(
    State(gateway): State<Gateway>,
    call: Call,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<InvoicePage>, Failure> {
    let request = ListInvoicesRequest {
        owner: call.principal.address,
        page: Some(page.wish()?),
    };
    let answer = gateway.peers.billing.list_invoices(request).await?;
    let invoices = answer.invoices.into_iter().map(Invoice::brief);
    let invoices = invoices.collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Json(Page::new(invoices, answer.page)))
}
