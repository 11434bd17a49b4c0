//! A specification as a body: JSON or YAML, native or FluxOS'.

use axum::{
    extract::{FromRequest, Request},
    http::header,
};
use fluxplane_app_spec::{
    json::Value,
    legacy::rules_height,
    native::{Rejected, is_native_value, read_value},
    strict::Finding,
};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_proto::chain_indexer::v1::GetStatusRequest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::{Failure, Gateway, extract::read_body};

/// Media types of a specification.
const MEDIA_TYPES: [&str; 5] = [
    "application/json",
    "application/yaml",
    "application/x-yaml",
    "text/yaml",
    "text/x-yaml",
];

/// A kind of specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SpecKind {
    /// `fluxplane/v1`.
    Native,
    /// Version 1 to 8 of FluxOS.
    FluxOs,
}

impl SpecKind {
    pub fn of(value: &Value) -> Self {
        if is_native_value(value) {
            Self::Native
        } else {
            Self::FluxOs
        }
    }
}

/// The text of a specification.
#[derive(Debug)]
pub struct SpecBody(Vec<u8>);

impl FromRequest<Gateway> for SpecBody {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, Failure> {
        let declared = request.headers().get(header::CONTENT_TYPE);
        let declared = declared
            .and_then(|value| value.to_str().ok())
            .unwrap_or("missing")
            .to_owned();
        let media_type = declared.split(';').next().unwrap_or_default().trim();
        if !MEDIA_TYPES
            .iter()
            .any(|known| media_type.eq_ignore_ascii_case(known))
        {
            return Err(Failure::refuse(
                ErrorKind::Invalid,
                Reason::UnsupportedMediaType,
                "the body is declared neither as JSON nor as YAML",
                vec![Violation::new(
                    "Content-Type",
                    declared,
                    "a specification is application/json or application/yaml",
                    "send one of them and say so",
                )],
            ));
        }
        Ok(Self(read_body(request, gateway).await?.into()))
    }
}

impl SpecBody {
    /// The text.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What it says, if that is plain.
    pub fn value(&self) -> Result<Value, Rejected> {
        read_value(&self.0)
    }
}

/// The height whose rules hold now.
pub async fn height(gateway: &Gateway) -> Result<u64, Failure> {
    let status = gateway.peers.chain.get_status(GetStatusRequest {}).await?;
    Ok(rules_height(Some(status.height)))
}

/// One thing that must be changed in a specification.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpecFinding {
    /// Path of the field; empty for the whole.
    #[schema(example = "compose[0].cpu")]
    pub field: String,
    /// The value as JSON, shortened.
    #[schema(example = "-5")]
    pub value: String,
    /// Stable name of the rule.
    #[schema(example = "cpu")]
    pub code: String,
    pub rule: String,
    pub remedy: String,
}

impl From<Finding> for SpecFinding {
    fn from(finding: Finding) -> Self {
        Self {
            field: finding.path,
            value: finding.value,
            code: finding.code.to_owned(),
            rule: finding.rule,
            remedy: finding.remedy,
        }
    }
}

/// A specification that cannot be worked with.
pub(super) fn refused(violations: Vec<Violation>) -> Failure {
    let detail = violations.first().map_or_else(
        || "the specification is refused".to_owned(),
        Violation::to_string,
    );
    Failure::refuse(ErrorKind::Invalid, Reason::SpecInvalid, detail, violations)
}

/// Findings as violations of the request, whose body is the specification.
pub(super) fn violations(findings: Vec<Finding>) -> Vec<Violation> {
    let violations = findings.into_iter().map(|finding| {
        let field = if finding.path.is_empty() {
            "body".to_owned()
        } else {
            finding.path
        };
        Violation::new(field, finding.value, finding.rule, finding.remedy)
    });
    violations.collect()
}
