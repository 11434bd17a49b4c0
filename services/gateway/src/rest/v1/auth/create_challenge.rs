//! `POST /v1/auth/challenges`

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app,
    domain::WalletAddress,
    rest::{Failure, Gateway, extract::JsonBody},
};

/// Who wants to sign in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateChallenge {
    /// A FluxID (Bitcoin P2PKH address) or an Ethereum address.
    #[schema(example = "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd")]
    pub address: String,
}

/// A phrase to sign.
#[derive(Debug, Serialize, ToSchema)]
pub struct Challenge {
    /// 13 digits of milliseconds since 1970 and random text. Sign exactly these characters.
    #[schema(example = "17637984001235vr1jq0m2l7c4pdn8hsk3t9fgb6ue0aoi")]
    pub phrase: String,
    /// The phrase works once, until then.
    pub expires_at: DateTime<Utc>,
}

/// Ask for a phrase to sign
///
/// The first step of signing in. The wallet signs the phrase as a Bitcoin message, or by `personal_sign` when the address
/// is an Ethereum one.
#[utoipa::path(
    post,
    path = "/v1/auth/challenges",
    tag = "auth",
    request_body = CreateChallenge,
    responses((status = 201, description = "The phrase", body = Challenge)),
)]
pub async fn create_challenge(
    State(gateway): State<Gateway>,
    JsonBody(body): JsonBody<CreateChallenge>,
) -> Result<(StatusCode, Json<Challenge>), Failure> {
    let address = WalletAddress::parse("address", &body.address).map_err(Failure::invalid)?;
    let challenge = app::create_challenge::create_challenge(&gateway.ctx, address).await?;
    let answer = Challenge {
        phrase: challenge.phrase,
        expires_at: challenge.expires_at,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}
