//! `node-agent status`: who this node is and what it runs, from the data folder alone.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::{Output, console};
use crate::{
    config::Config,
    domain::Status,
    store::{DataDir, Identity, Snapshot, StoreError},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let dir = DataDir::open(&config.data_dir)?;
    let identity = dir.identity()?.with_context(|| {
        format!(
            "`{}` has no identity yet; run `node-agent join` first",
            dir.root().display()
        )
    })?;
    let running = match dir.try_lock() {
        Ok(_free) => false,
        Err(StoreError::Locked(_)) => true,
        Err(err) => return Err(err.into()),
    };
    let snapshot = dir.snapshot()?;
    match arguments.output {
        Output::Json => console::say_json(&json!({
            "node_id": identity.node,
            "ip": identity.ip,
            "place": identity.place,
            "collateral": identity.collateral,
            "agent_endpoint": identity.agent_endpoint,
            "certificate_expires_at": identity.certificate_expires_at,
            "capacity": identity.benchmark.clone().declared(config.capacity).usable(),
            "running": running,
            "last_state": snapshot,
        }))?,
        Output::Text => show(config, &identity, running, snapshot.as_ref()),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(config: &Config, identity: &Identity, running: bool, snapshot: Option<&Snapshot>) {
    let place = &identity.place;
    console::say(&format!("node           {}", identity.node));
    console::say(&format!("collateral     {}", identity.collateral));
    console::say(&format!(
        "address        {} ({}_{}_{})",
        identity.ip, place.continent, place.country, place.region
    ));
    let capacity = identity
        .benchmark
        .clone()
        .declared(config.capacity)
        .usable();
    console::say(&format!("for apps       {capacity}"));
    console::say(&format!(
        "certificate    until {}",
        identity.certificate_expires_at
    ));
    console::say(&format!(
        "agent          {}",
        if running { "runs" } else { "does not run" }
    ));
    let Some(snapshot) = snapshot else { return };
    let session = if snapshot.connected {
        "connected"
    } else {
        "not connected"
    };
    console::say(&format!(
        "plane          {session} at {}",
        snapshot.written_at
    ));
    console::say(&format!(
        "desired state  version {}",
        snapshot.desired_version
    ));
    console::say(&format!(
        "usage reports  {} waiting",
        snapshot.usage_reports_waiting
    ));
    for status in &snapshot.instances {
        console::say(&line(status));
    }
}

fn line(status: &Status) -> String {
    let Status {
        instance,
        app_name,
        phase,
        reason,
        restarts,
        since,
        ..
    } = status;
    let phase = phase.name();
    let detail = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    format!(
        "instance       {instance} {app_name} {phase} since {since}, {restarts} restarts{detail}"
    )
}
