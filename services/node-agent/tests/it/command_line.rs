//! The program as an operator types it.

use std::process::{Command, Output, Stdio};

use fluxplane_flux_chain::address::AddressSpace;
use fluxplane_platform::error::to_status;
use fluxplane_testkit::{Signal, signal};

use crate::{
    agent::{Machine, token},
    plane::{Plane, node_key},
    refusal::WrongKey,
    wanted::until,
};

fn command(machine: &Machine) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node-agent"));
    command
        .arg("--data-dir")
        .arg(machine.folder.path().join("data"));
    command
}

fn agent(machine: &Machine, arguments: &[&str]) -> Output {
    command(machine).args(arguments).output().unwrap()
}

async fn join(machine: &Machine, plane: &Plane, more: &[&str]) -> Output {
    let file = |name: &str, text: &str| {
        let path = machine.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let ca = file("ca.pem", &plane.ca_pem);
    let key = file(
        "node.key",
        &format!("{}\n", node_key().to_wif(AddressSpace::Test)),
    );
    let token = file("token", &token());
    let collateral = format!("{}:0", "22".repeat(32));
    let (url, port) = (plane.url(), machine.probe_port.to_string());
    let arguments = [
        "join",
        "--token-file",
        &token,
        "--plane",
        &url,
        "--ca",
        &ca,
        "--collateral",
        &collateral,
        "--node-key-file",
        &key,
        "--ip",
        "127.0.0.1",
        "--place",
        "EU_DE_Bavaria",
        "--probe-port",
        &port,
        "--benchmark-seconds",
        "1",
        "--output",
        "json",
    ];
    let arguments = arguments.into_iter().chain(more.iter().copied());
    tokio::process::Command::from(command(machine))
        .args(arguments)
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn join_measures_declares_and_shows_what_it_got() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let joined = join(
        &machine,
        &plane,
        &["--capacity-override", "threads=16,ram=64000,disk=900"],
    )
    .await;
    let stderr = String::from_utf8(joined.stderr).unwrap();
    assert!(joined.status.success(), "{stderr}");
    assert!(stderr.contains("measuring: SHA-256"), "{stderr}");
    let shown: serde_json::Value = serde_json::from_slice(&joined.stdout).unwrap();
    assert_eq!(shown["capacity"]["cpu_milli"], 15_000);
    assert_eq!(shown["benchmark"]["disk_gib"], 900);
    assert!(shown["benchmark"]["hash_mib_s"].as_u64().unwrap() > 0);

    let status = agent(&machine, &["status", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["node_id"], shown["node_id"]);
    assert_eq!(
        (&status["running"], &status["last_state"]),
        (&false.into(), &().into())
    );

    let again = join(&machine, &plane, &[]).await;
    let stderr = String::from_utf8(again.stderr).unwrap();
    assert!(
        !again.status.success() && stderr.contains("--force"),
        "{stderr}"
    );
    assert!(
        !stderr.contains("measuring"),
        "refused before the measurement: {stderr}"
    );
}

#[tokio::test]
async fn a_refusal_is_shown_field_by_field() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    plane.memory().refuse_join = Some(to_status(&WrongKey));
    let refused = join(&machine, &plane, &[]).await;
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(
        stderr.contains("the plane refused: the node key did not sign the request"),
        "{stderr}"
    );
    assert!(
        stderr.contains("node_key_signature is `…`, but the node key of the start transaction"),
        "{stderr}"
    );
}

#[test]
fn wrong_arguments_and_settings_are_named() {
    let machine = Machine::new();
    let stderr = |output: Output| {
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let text = stderr(agent(&machine, &["run"]));
    assert!(text.contains("run `node-agent join` first"), "{text}");
    let text = stderr(agent(&machine, &["join", "--place", "Bavaria"]));
    assert!(text.contains("EU_DE_Bavaria"), "{text}");
    let file = machine.folder.path().join("agent.toml");
    std::fs::write(&file, "[runtime]\nkind = \"magic\"\n").unwrap();
    let text = stderr(agent(
        &machine,
        &["--config", file.to_str().unwrap(), "check-config"],
    ));
    assert!(
        text.contains("runtime.kind") && text.contains("magic"),
        "{text}"
    );
}

#[test]
fn check_config_prints_what_is_in_effect() {
    let machine = Machine::new();
    let file = machine.folder.path().join("agent.toml");
    std::fs::write(&file, "[capacity]\nthreads = 8\n").unwrap();
    let printed = agent(
        &machine,
        &["--config", file.to_str().unwrap(), "check-config"],
    );
    let config: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(config["capacity"]["threads"], 8);
    assert_eq!(config["capacity"]["ram_mib"], 0);
    assert_eq!(
        config["data_dir"],
        machine.folder.path().join("data").to_str().unwrap()
    );
}

#[tokio::test]
async fn a_killed_agent_goes_on_and_a_stopped_one_ends_cleanly() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    assert!(join(&machine, &plane, &[]).await.status.success());
    let run = || {
        tokio::process::Command::from(command(&machine))
            .arg("run")
            .env("FLUXPLANE_NODE_AGENT__RUNTIME__KIND", "simulated")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    };
    let mut first = run();
    until("beats", || plane.memory().heartbeats.len() >= 2).await;
    let beside = join(&machine, &plane, &["--force"]).await;
    let stderr = String::from_utf8(beside.stderr).unwrap();
    assert!(
        !beside.status.success() && stderr.contains("another agent runs"),
        "{stderr}"
    );
    let status = agent(&machine, &["status", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["running"], true);

    first.kill().await.unwrap();
    let before = plane.memory().heartbeats.len();
    let mut again = run();
    until("beats after the kill", || {
        plane.memory().heartbeats.len() > before + 1
    })
    .await;
    signal(again.id().unwrap(), Signal::TERM).unwrap();
    assert!(again.wait().await.unwrap().success());
    let memory = plane.memory();
    assert!(
        memory
            .heartbeats
            .windows(2)
            .all(|pair| pair[0].sequence < pair[1].sequence)
    );
    assert_eq!(memory.breaches, Vec::<String>::new());
}
