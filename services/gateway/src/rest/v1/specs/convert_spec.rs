//! `POST /v1/specs:convert`

use axum::{Json, extract::State};
use fluxplane_app_spec::{
    legacy::LegacySpec,
    native::{Misfit, NativeSpec, from_legacy, parse, to_legacy, to_v8},
};
use fluxplane_core::error::Violation;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::document::{SpecBody, SpecKind, height, refused, violations};
use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    v1::AnySpec,
    wire::{Malformed, json},
};

/// What to convert to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SpecTarget {
    /// `fluxplane/v1`.
    Native,
    /// The version of FluxOS it came from, byte for byte.
    Legacy,
    /// Version 8 of FluxOS.
    V8,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConvertQuery {
    /// Without it, a native specification becomes version 8 and any other becomes native.
    #[param(inline)]
    pub to: Option<SpecTarget>,
}

/// A converted specification.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConvertedSpec {
    pub kind: SpecKind,
    /// The specification in its canonical form.
    #[schema(value_type = Object)]
    pub spec: Box<RawValue>,
    /// SHA-256 of the canonical form, lower-case hex.
    pub sha256: String,
}

/// Convert a specification
///
/// Between `fluxplane/v1` and FluxOS' versions, in JSON or YAML. Nothing is lost in silence: what the target has no field for is
/// refused by its path.
#[utoipa::path(
    post,
    path = "/v1/specs:convert",
    tag = "specs",
    params(ConvertQuery),
    request_body(content((AnySpec = "application/json"), (String = "application/yaml"))),
    responses((status = 200, description = "The conversion", body = ConvertedSpec)),
)]
pub async fn convert_spec(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<ConvertQuery>,
    body: SpecBody,
) -> Result<Json<ConvertedSpec>, Failure> {
    let value = body
        .value()
        .map_err(|rejected| refused(violations(rejected.findings)))?;
    let native = match SpecKind::of(&value) {
        SpecKind::Native => {
            parse(body.bytes()).map_err(|rejected| refused(violations(rejected.findings)))?
        }
        SpecKind::FluxOs => {
            let spec = LegacySpec::from_value(value.clone()).map_err(|err| {
                let rule = format!("FluxOS refuses it: {}", err.text);
                refused(vec![Violation::new(
                    "body",
                    "",
                    rule,
                    "change it as the text says",
                )])
            })?;
            from_legacy(&spec).map_err(|misfit| misfits(vec![misfit]))?
        }
    };
    let target = query.to.unwrap_or(match SpecKind::of(&value) {
        SpecKind::Native => SpecTarget::V8,
        SpecKind::FluxOs => SpecTarget::Native,
    });
    let converted = match target {
        SpecTarget::Native => shown_native(&native)?,
        SpecTarget::Legacy => shown_fluxos(&to_legacy(&native).map_err(misfits)?)?,
        SpecTarget::V8 => {
            let height = height(&gateway).await?;
            shown_fluxos(&to_v8(&native, height).map_err(misfits)?)?
        }
    };
    Ok(Json(converted))
}

fn shown_native(spec: &NativeSpec) -> Result<ConvertedSpec, Malformed> {
    Ok(ConvertedSpec {
        kind: SpecKind::Native,
        spec: json("canonical", spec.canonical())?,
        sha256: spec.hash(),
    })
}

fn shown_fluxos(spec: &LegacySpec) -> Result<ConvertedSpec, Malformed> {
    let canonical = spec.canonical();
    Ok(ConvertedSpec {
        kind: SpecKind::FluxOs,
        sha256: hex::encode(Sha256::digest(&canonical)),
        spec: json("canonical", canonical)?,
    })
}

fn misfits(misfits: Vec<Misfit>) -> Failure {
    let violations = misfits.into_iter().map(|misfit| {
        let remedy = "change it, or convert to another kind";
        Violation::new(misfit.path, "", misfit.reason, remedy)
    });
    refused(violations.collect())
}
