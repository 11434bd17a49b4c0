//! `POST /v1/specs:check`

use axum::{Json, extract::State};
use fluxplane_app_spec::{
    json::Value,
    legacy::{Context, judge, verdict},
    native::{NativeSpec, examine, to_v8, unserved},
    strict::{self, Finding},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::document::{SpecBody, SpecFinding, SpecKind, height};
use crate::rest::{Failure, Gateway, v1::AnySpec};

/// What is said of a specification.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpecVerdict {
    /// Null when the text cannot be read.
    pub kind: Option<SpecKind>,
    /// Height whose rules were applied.
    #[schema(example = 2_996_914)]
    pub height: u64,
    /// Whether it keeps every rule of this plane, and asks for nothing that the plane does not do yet.
    pub accepted: bool,
    /// What must be changed for this plane; empty when it is accepted.
    pub findings: Vec<SpecFinding>,
    /// What FluxOS says; of a native specification, what it says of the conversion to version 8.
    pub fluxos: FluxOsVerdict,
    /// The form that is signed and hashed; null when there is none.
    pub canonical: Option<String>,
    /// SHA-256 of it, lower-case hex.
    pub sha256: Option<String>,
}

/// FluxOS' own verdict, which is more lenient than ours.
#[derive(Debug, Serialize, ToSchema)]
pub struct FluxOsVerdict {
    pub accepted: bool,
    /// FluxOS' text, or why there is no conversion.
    pub error: Option<String>,
    /// The specification as FluxOS signs it.
    pub canonical: Option<String>,
}

/// Check a specification
///
/// Native or FluxOS', in JSON or YAML. Both verdicts come back: this plane's, with everything that must be changed, and that of
/// FluxOS. Nothing is stored.
#[utoipa::path(
    post,
    path = "/v1/specs:check",
    tag = "specs",
    request_body(content((AnySpec = "application/json"), (String = "application/yaml"))),
    responses((status = 200, description = "The verdicts", body = SpecVerdict)),
)]
pub async fn check_spec(
    State(gateway): State<Gateway>,
    body: SpecBody,
) -> Result<Json<SpecVerdict>, Failure> {
    let height = height(&gateway).await?;
    let verdict = match body.value() {
        Err(rejected) => SpecVerdict {
            kind: None,
            height,
            accepted: false,
            fluxos: FluxOsVerdict {
                accepted: false,
                error: Some(rejected.to_string()),
                canonical: None,
            },
            findings: shown(rejected.findings),
            canonical: None,
            sha256: None,
        },
        Ok(value) => match SpecKind::of(&value) {
            SpecKind::Native => native(body.bytes(), height),
            SpecKind::FluxOs => fluxos(value, height),
        },
    };
    Ok(Json(verdict))
}

fn native(text: &[u8], height: u64) -> SpecVerdict {
    let mut examined = examine(text);
    let good = examined
        .spec
        .as_ref()
        .filter(|_| examined.findings.is_empty());
    let fluxos = match examined.spec.as_ref().map(|spec| to_v8(spec, height)) {
        Some(Ok(converted)) => FluxOsVerdict {
            accepted: true,
            error: None,
            canonical: Some(converted.canonical()),
        },
        Some(Err(misfits)) => FluxOsVerdict {
            accepted: false,
            error: misfits
                .first()
                .map(|misfit| format!("{}: {}", misfit.path, misfit.reason)),
            canonical: None,
        },
        None => FluxOsVerdict {
            accepted: false,
            error: Some("it cannot be converted before it can be read".to_owned()),
            canonical: None,
        },
    };
    let (canonical, sha256) = (good.map(NativeSpec::canonical), good.map(NativeSpec::hash));
    // A good document may ask for more than the plane does today.
    let unserved = good.map(unserved).unwrap_or_default();
    examined.findings.extend(unserved);
    SpecVerdict {
        kind: Some(SpecKind::Native),
        height,
        accepted: examined.findings.is_empty(),
        canonical,
        sha256,
        fluxos,
        findings: shown(examined.findings),
    }
}

fn fluxos(value: Value, height: u64) -> SpecVerdict {
    let context = Context::shipped();
    let rejection = judge(value.clone(), height, &context).err();
    let findings = strict::check(&value, &[], rejection.as_ref());
    let said = verdict(value, height, &context);
    let canonical = said.canonical.clone();
    SpecVerdict {
        kind: Some(SpecKind::FluxOs),
        height,
        accepted: findings.is_empty(),
        sha256: canonical
            .as_ref()
            .map(|text| hex::encode(Sha256::digest(text))),
        canonical,
        fluxos: FluxOsVerdict {
            accepted: said.accepted,
            error: said.error,
            canonical: said.canonical,
        },
        findings: shown(findings),
    }
}

fn shown(findings: Vec<Finding>) -> Vec<SpecFinding> {
    findings.into_iter().map(SpecFinding::from).collect()
}
