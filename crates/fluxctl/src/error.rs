//! Whatever can end a verb early, with its exit code and the document that scripts read from stderr.

use std::{io, path::Path};

use fluxplane_core::error::Violation;
use serde::Serialize;

use crate::{api, chain_rpc, config, deploy::DraftError, exit::Exit, wallet};

/// Why a verb did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Api(#[from] api::Error),
    #[error(transparent)]
    Chain(#[from] chain_rpc::Error),
    #[error(transparent)]
    Wallet(#[from] wallet::Error),
    #[error(transparent)]
    Config(#[from] config::Error),
    /// An argument, or a file it names, cannot be used.
    #[error("{0}")]
    Input(Violation),
    /// A file cannot be read or written.
    #[error("cannot {action} `{path}`")]
    File {
        action: &'static str,
        path: String,
        #[source]
        source: io::Error,
    },
    /// What was started came to an end, and not the wished one.
    #[error("{detail}")]
    Ended {
        exit: Exit,
        code: &'static str,
        detail: String,
    },
    /// Nobody reads the output any more, or it cannot be written.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    #[error("cannot start")]
    Start(#[source] io::Error),
}

/// An error as `--output json` prints it, on stderr.
#[derive(Debug, Serialize)]
pub struct Document {
    /// Stable: a reason code of the plane, or one of ours.
    pub code: String,
    pub detail: String,
    /// HTTP status, when the plane refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// What lies behind it, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// Finds the request in the logs of the plane.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    pub exit_code: u8,
}

impl Error {
    /// An argument, or a file it names, that cannot be used.
    pub fn input(
        field: impl Into<String>,
        value: impl std::fmt::Display,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Input(Violation::new(field, value, rule, remedy))
    }

    pub fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            action,
            path: path.display().to_string(),
            source,
        }
    }

    pub fn failed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Ended {
            exit: Exit::Failed,
            code,
            detail: detail.into(),
        }
    }

    pub const fn exit(&self) -> Exit {
        match self {
            Self::Api(err) => err.exit(),
            Self::Chain(err) => err.exit(),
            Self::Wallet(err) => err.exit(),
            Self::Config(err) => err.exit(),
            Self::Input(_) | Self::File { .. } => Exit::Usage,
            Self::Ended { exit, .. } => *exit,
            Self::Output(_) | Self::Start(_) => Exit::Failed,
        }
    }

    /// Whether the reader of the output left, which is no failure of ours.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Api(err) => err.code(),
            Self::Chain(err) => err.code(),
            Self::Wallet(err) => err.code(),
            Self::Config(_) => "config",
            Self::Input(_) => "usage",
            Self::File { .. } => "file",
            Self::Ended { code, .. } => code,
            Self::Output(_) => "output",
            Self::Start(_) => "start",
        }
    }

    pub fn document(&self) -> Document {
        let mut document = Document {
            code: self.code().to_owned(),
            detail: self.to_string(),
            status: None,
            violations: Vec::new(),
            causes: causes(self),
            request_id: String::new(),
            retry_after: None,
            exit_code: self.exit().code(),
        };
        match self {
            Self::Api(api::Error::Problem(problem)) => {
                document.code.clone_from(&problem.code);
                document.status = Some(problem.status);
                document.violations.clone_from(&problem.violations);
                document.request_id.clone_from(&problem.request_id);
                document.retry_after = problem.retry_after;
            }
            Self::Wallet(wallet::Error::Input(violation)) | Self::Input(violation) => {
                document.violations.push(violation.clone());
            }
            Self::Api(_)
            | Self::Chain(_)
            | Self::Wallet(_)
            | Self::Config(_)
            | Self::File { .. }
            | Self::Ended { .. }
            | Self::Output(_)
            | Self::Start(_) => {}
        }
        document
    }
}

impl From<DraftError> for Error {
    fn from(err: DraftError) -> Self {
        let remedy =
            "`fluxctl spec check` explains what is wrong, `fluxctl spec init` shows a right one";
        match err {
            DraftError::Input(violation) => Self::Input(violation),
            DraftError::Json(source) => {
                Self::input("specification", "no JSON", source.to_string(), remedy)
            }
            DraftError::Native(rejected) => {
                let more = rejected.findings.len().saturating_sub(1);
                let Some(first) = rejected.findings.into_iter().next() else {
                    return Self::input("specification", "", "it is refused", remedy);
                };
                let more = match more {
                    0 => String::new(),
                    more => format!(" (and {more} more; `fluxctl spec check` lists all)"),
                };
                let field = if first.path.is_empty() {
                    "specification"
                } else {
                    &first.path
                };
                let rule = format!("{}{more}", first.rule);
                Self::input(field, first.value, rule, first.remedy)
            }
            DraftError::Format(source) => {
                let rule = format!("FluxOS refuses it: {source}");
                Self::input("specification", "not in the form of FluxOS", rule, remedy)
            }
        }
    }
}

/// Texts of the sources, outermost first. One that only repeats the one before is left out.
fn causes(err: &dyn std::error::Error) -> Vec<String> {
    let mut texts = vec![err.to_string()];
    let mut next = err.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = cause.source();
    }
    texts.remove(0);
    texts
}
