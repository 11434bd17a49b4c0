//! `GET /v1/invoices/{invoice_id}`

use axum::{Json, extract::State};
use fluxplane_proto::billing::v1::GetInvoiceRequest;
use serde::Deserialize;
use uuid::Uuid;

use super::invoice::Invoice;
use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams},
    wire::required,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct InvoicePath {
    /// Id of the invoice.
    pub invoice_id: Uuid,
}

/// Read an invoice
#[utoipa::path(
    get,
    path = "/v1/invoices/{invoice_id}",
    tag = "billing",
    params(InvoicePath),
    responses((status = 200, description = "The invoice with its lines", body = Invoice)),
)]
pub async fn get_invoice(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<InvoicePath>,
) -> Result<Json<Invoice>, Failure> {
    let request = GetInvoiceRequest {
        invoice_id: path.invoice_id.to_string(),
        owner: call.principal.address,
    };
    let answer = gateway.peers.billing.get_invoice(request).await?;
    Ok(Json(Invoice::whole(required("invoice", answer.invoice)?)?))
}
