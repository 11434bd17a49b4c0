//! Rules between fields: what no single field can break.

mod app;
mod network;
mod storage;
mod workload;

use super::{findings::Findings, model::NativeSpec};

/// Checks all rules.
pub(super) fn check(findings: &mut Findings, spec: &NativeSpec) {
    app::check(findings, spec);
    workload::check(findings, spec);
    network::check(findings, spec);
    storage::check(findings, spec);
}
