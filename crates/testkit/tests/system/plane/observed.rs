//! What administrators see of a plane that works: one trace per deployment, the dashboards' metrics, books that balance.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use fluxplane_testkit::{
    PATIENCE, eventually,
    otlp::{Span, TraceReceiver},
    plane::{
        LocalPlane,
        demo::{Demo, Kept},
        nodes::NODES,
        services::SERVICES,
    },
};

use super::support::{Printed, TestPlane, values};

#[tokio::test(flavor = "multi_thread")]
async fn one_application_is_traced_measured_and_still_there_after_a_restart() {
    let traces = TraceReceiver::start().await.unwrap();
    let Some(mut test) = TestPlane::start(&traces.endpoint()).await.unwrap() else {
        return;
    };
    let shown = test.demo(&mut |_, _| Ok(())).await.unwrap();
    assert!(shown.verdict.ends_with("verified"), "{shown:?}");
    nothing_private_is_left(&test.plane);
    deployment_is_one_trace(&traces).await;
    test.plane.start_node(&shown.lost_node).unwrap();
    test.plane.wait_for_nodes(&NODES).unwrap();
    dashboards_show_what_is_measured(&test.plane).await;

    let mut again = test.restart().await.unwrap();
    let kept = Kept::load(&again.plane.layout).unwrap().unwrap();
    assert_eq!(kept.app, shown.app);
    let demo = Demo {
        plane: &mut again.plane,
        report: &Printed,
        before: &mut |_, _| Ok(()),
    };
    assert_eq!(demo.resume(&kept).unwrap(), shown.verdict);
    again.plane.stop().await.unwrap();
}

/// The environment of the demonstration's containers stands nowhere in the plane: not in a row of any service, a stream, a
/// log, or a machine's folder. The customer's own files, the containers and their volumes have it.
fn nothing_private_is_left(plane: &LocalPlane) {
    /// What `demo::app` sets as `PAGE_CONTENT`.
    const PRIVATE: &str = "The first revision.";
    let dump = plane.dump().unwrap();
    let bytes = |text: &str| -> String { hex::encode(text) };
    assert!(dump.contains("environment_sealed"), "revisions are in it");
    assert!(!dump.contains(PRIVATE) && !dump.contains(&bytes(PRIVATE)));
    let mut looked_at = 0;
    for folder in ["nats", "logs", "nodes", "config"] {
        for file in files_below(&plane.layout.file(folder)) {
            let content = fs::read(&file).unwrap_or_default();
            let found = content
                .windows(PRIVATE.len())
                .any(|window| window == PRIVATE.as_bytes());
            assert!(!found, "{}", file.display());
            looked_at += usize::from(!content.is_empty());
        }
    }
    assert!(looked_at > 30, "{looked_at} files");
}

/// Files of a folder and its folders, without the volumes of instances.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files = Vec::new();
    for entry in entries {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && entry.file_name() != "volumes" {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files
}

/// From the request to the container: one trace, and every span but the first has its parent in it.
async fn deployment_is_one_trace(traces: &TraceReceiver) {
    const STATIONS: [&str; 5] = [
        "gateway",
        "scheduler",
        "billing",
        "node-registry",
        "node-agent",
    ];
    let trace = eventually(PATIENCE, async || {
        let spans = traces.spans();
        let started = spans.iter().filter(|span| {
            span.service == "gateway"
                && span.name.contains("POST")
                && span.name.ends_with("/v1/apps")
        });
        let started: Vec<&Span> = started.collect();
        let [first] = started.as_slice() else {
            return Err(format!("{} submissions were traced", started.len()));
        };
        let trace: Vec<Span> = spans
            .iter()
            .filter(|span| span.trace_id == first.trace_id)
            .cloned()
            .collect();
        let services: BTreeSet<&str> = trace.iter().map(|span| span.service.as_str()).collect();
        let missing = STATIONS
            .iter()
            .filter(|station| !services.contains(*station));
        let missing: Vec<_> = missing.collect();
        let containers = trace.iter().filter(|span| span.name == "start container");
        let ways: Vec<Vec<&str>> = containers.map(|span| way_back(span, &trace)).collect();
        // A span arrives when it ends, so the outer ones come last.
        let whole = ways
            .iter()
            .filter(|way| way.last() == Some(&"gateway"))
            .count();
        if missing.is_empty() && whole >= 3 {
            return Ok(trace);
        }
        Err(format!(
            "{services:?} lacks {missing:?}; containers: {ways:?}"
        ))
    })
    .await;
    let roots = trace.iter().filter(|span| span.parent_id.is_empty());
    assert_eq!(roots.count(), 1, "one beginning");
}

/// Services from a span to the first one that is not in the trace or has no parent.
fn way_back<'a>(span: &'a Span, trace: &'a [Span]) -> Vec<&'a str> {
    let mut way = vec![span.service.as_str()];
    let mut at = span;
    while let Some(parent) = trace.iter().find(|other| other.span_id == at.parent_id) {
        at = parent;
        if way.last() != Some(&at.service.as_str()) {
            way.push(&at.service);
        }
    }
    way
}

/// Every metric a dashboard or an alert asks for is exported by somebody, and the books balance.
async fn dashboards_show_what_is_measured(plane: &LocalPlane) {
    let wanted = wanted_metrics();
    assert!(wanted.len() > 30, "{wanted:?}");
    let exported = eventually(PATIENCE, async || {
        let text = scrape(plane).map_err(|err| format!("{err:#}"))?;
        let names: BTreeSet<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect();
        let missing: Vec<&String> = wanted
            .iter()
            .filter(|name| !names.contains(name.as_str()))
            .collect();
        // Counted now and then, so a moment after the node is ready.
        let five = "fluxplane_nodes{state=\"ready\"} 5\n";
        if missing.is_empty() && text.contains(five) {
            Ok(text.clone())
        } else {
            Err(format!("nobody exports {missing:?}, or not {five}"))
        }
    })
    .await;
    let values = |start: &str| values(&exported, start);
    let imbalance = values("fluxplane_ledger_imbalance_sat");
    assert!(!imbalance.is_empty());
    assert!(imbalance.iter().all(|sat| *sat == 0.0), "{imbalance:?}");
    assert!(values("fluxplane_chain_height ")[0] > 100.0);
}

fn wanted_metrics() -> BTreeSet<String> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in ["grafana/dashboards", "prometheus/rules"] {
        let found = fs::read_dir(deploy.join(folder)).unwrap();
        files.extend(found.map(|entry| entry.unwrap().path()));
    }
    let mut wanted = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        wanted.extend(
            words
                .filter(|word| word.starts_with("fluxplane_"))
                // A development plane follows no EVM chain; the chain-indexer's own tests look at these.
                .filter(|word| !word.starts_with("fluxplane_evm_"))
                .map(str::to_owned),
        );
    }
    wanted
}

/// What all services and all agents export.
fn scrape(plane: &LocalPlane) -> Result<String> {
    let services = SERVICES.iter().map(|service| service.name);
    let all = services.chain(NODES.iter().map(|node| node.name));
    let texts: Vec<String> = all.map(|name| plane.metrics(name)).collect::<Result<_>>()?;
    Ok(texts.join("\n"))
}
