//! `GET /v1/invoices/{invoice_id}/lines/{number}/proof`

use axum::{Json, extract::State};
use fluxplane_proto::billing::v1::{self as wire, GetLineProofRequest, GetLineProofResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams},
    wire::some,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct LinePath {
    /// Id of the invoice.
    pub invoice_id: Uuid,
    /// Number of the line, from 1.
    pub number: u32,
}

/// Everything needed to check one line against an anchored root, offline (RFC 6962 hashing). Bytes are lower-case hex.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineProof {
    pub epoch: u64,
    /// The leaf's canonical bytes.
    pub leaf: String,
    pub leaf_index: u64,
    pub tree_size: u64,
    /// Sibling hashes from the leaf up, 32 bytes each.
    pub path: Vec<String>,
    pub root: String,
    pub previous_root: String,
    /// Opens the leaf's owner commitment.
    pub owner_salt: String,
    /// The seconds behind the line, in order; their hash is in the leaf.
    pub evidence: Vec<EvidenceInterval>,
    /// Where the root is on the chain; null until anchored.
    pub anchor: Option<ProofAnchor>,
}

/// Evidenced running time, in seconds since 1970 as the leaf hashes them; the end is not part of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceInterval {
    #[schema(example = 1_767_614_400)]
    pub from_unix_s: u64,
    #[schema(example = 1_767_618_000)]
    pub to_unix_s: u64,
}

/// A transaction that carries a root.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofAnchor {
    pub txid: String,
    pub height: u32,
}

impl From<GetLineProofResponse> for LineProof {
    fn from(proof: GetLineProofResponse) -> Self {
        let height = proof.anchor_height;
        Self {
            epoch: proof.epoch,
            leaf: hex::encode(proof.leaf),
            leaf_index: proof.leaf_index,
            tree_size: proof.tree_size,
            path: proof.path.iter().map(hex::encode).collect(),
            root: hex::encode(proof.root),
            previous_root: hex::encode(proof.previous_root),
            owner_salt: hex::encode(proof.owner_salt),
            evidence: proof
                .evidence
                .into_iter()
                .map(EvidenceInterval::from)
                .collect(),
            anchor: some(&proof.anchor_txid).map(|txid| ProofAnchor {
                txid: txid.to_owned(),
                height,
            }),
        }
    }
}

impl From<wire::EvidenceInterval> for EvidenceInterval {
    fn from(interval: wire::EvidenceInterval) -> Self {
        Self {
            from_unix_s: interval.from_unix_s,
            to_unix_s: interval.to_unix_s,
        }
    }
}

/// Prove a line of an invoice
#[utoipa::path(
    get,
    path = "/v1/invoices/{invoice_id}/lines/{number}/proof",
    tag = "billing",
    params(LinePath),
    responses((status = 200, description = "The proof", body = LineProof)),
)]
pub async fn get_line_proof(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<LinePath>,
) -> Result<Json<LineProof>, Failure> {
    let request = GetLineProofRequest {
        invoice_id: path.invoice_id.to_string(),
        line_number: path.number,
        owner: call.principal.address,
    };
    let proof = gateway.peers.billing.get_line_proof(request).await?;
    Ok(Json(proof.into()))
}
