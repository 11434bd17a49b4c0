//! The program: served chains that end on a signal, come back after a kill, and obey the verbs.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::ground::fixture;

const PROGRAM: &str = env!("CARGO_BIN_EXE_devnet");

/// A program that serves. It is killed when a test fails.
struct Served {
    child: Child,
    url: String,
    /// What it printed before the keys.
    head: Vec<String>,
}

impl Served {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(args)
            .args(["--rpc-bind", "127.0.0.1:0", "--zmq-bind", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let head: Vec<String> = stdout.lines().take(4).map(Result::unwrap).collect();
        let url = head[0].split_whitespace().nth(1).unwrap().to_owned();
        Self { child, url, head }
    }

    fn kept(folder: &Path) -> Self {
        let folder = folder.to_str().unwrap();
        Self::start(&["run", "--block-interval", "0", "--data", folder])
    }

    fn verb(&self, args: &[&str]) -> Value {
        let (success, text) = self.try_verb(args);
        assert!(success, "{args:?}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Whether a verb succeeded, and what it printed.
    fn try_verb(&self, args: &[&str]) -> (bool, String) {
        let output = Command::new(PROGRAM)
            .args(args)
            .env("DEVNET_RPC_URL", &self.url)
            .output()
            .unwrap();
        let printed = if output.status.success() {
            output.stdout
        } else {
            output.stderr
        };
        (output.status.success(), String::from_utf8(printed).unwrap())
    }

    /// Ends it with a signal and tells its exit code.
    fn end(mut self, signal: Signal) -> Option<i32> {
        let process = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(process, signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_killed_server_has_lost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut tip = Value::Null;
    for round in 0..3 {
        let served = Served::kept(folder.path());
        if round > 0 {
            assert_eq!(served.verb(&["call", "getbestblockhash"]), tip);
        }
        served.verb(&[
            "addnode",
            "--tier",
            "cumulus",
            "--ip",
            "198.51.100.90",
            "--fast",
        ]);
        let hashes = served.verb(&["generate", "7"]);
        tip = hashes[6].clone();
        assert_eq!(served.verb(&["nodes"]).as_array().unwrap().len(), round + 1);
        assert_eq!(served.end(Signal::KILL), None);
    }
}

#[test]
fn a_server_that_is_killed_while_it_writes_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut height = 0;
    for _ in 0..4 {
        let args = ["run", "--block-interval", "1ms", "--data"];
        let served = Served::start(&[&args[..], &[folder.path().to_str().unwrap()]].concat());
        let now = served.verb(&["height"])["height"].as_u64().unwrap();
        assert!(now >= height, "{now} after {height}");
        served.verb(&["generate", "50"]);
        height = served.verb(&["height"])["height"].as_u64().unwrap();
        assert!(height >= now + 50);
        served.end(Signal::KILL);
    }
}

#[test]
fn a_signal_ends_a_server_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let served = Served::start(&["run", "--block-interval", "5ms"]);
        served.verb(&["generate"]);
        assert_eq!(served.end(signal), Some(0), "{signal:?}");
    }
}

#[test]
fn the_verbs_reach_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::kept(folder.path());
    assert!(
        served.head[1].contains("devnet:devnet"),
        "{:?}",
        served.head
    );
    let cookie = std::fs::read_to_string(folder.path().join("rpc.cookie")).unwrap();
    assert_eq!(cookie, "devnet:devnet");
    assert!(served.head[2].contains("tcp://127.0.0.1:"));
    assert!(served.head[3].contains("110"));

    let accounts = served.verb(&["accounts"]);
    let address = accounts[5]["address"].as_str().unwrap();
    served.verb(&["faucet", address, "1.5"]);
    assert_eq!(served.verb(&["generate"]).as_array().unwrap().len(), 1);
    let done = served.verb(&["reorg", "1", "--blocks", "3"]);
    assert_eq!(done["new"]["height"], 113);
    let node = served.verb(&[
        "addnode",
        "--tier",
        "nimbus",
        "--ip",
        "198.51.100.91",
        "--fast",
    ]);
    let id = node["collateral"].as_str().unwrap();
    assert_eq!(served.verb(&["stopnode", id])["running"], false);
    assert_eq!(served.verb(&["startnode", id])["running"], true);
    assert_eq!(
        served.verb(&["setnodeip", id, "198.51.100.92"])["ip"],
        "198.51.100.92"
    );
    let file = folder.path().join("a.chain");
    let file = file.to_str().unwrap();
    let height = served.verb(&["snapshot", file])["height"].clone();
    assert_eq!(served.verb(&["removenode", id])["collateral"], id);
    served.verb(&["generate", "2"]);
    assert_eq!(served.verb(&["restore", file])["height"], height);
    assert_eq!(served.verb(&["setinterval", "250ms"])["interval_ms"], 250);
    assert_eq!(served.verb(&["mine", "off"])["on"], false);
    assert_eq!(served.verb(&["params"])["network"], "devnet");
    assert_eq!(served.verb(&["call", "getblock", "5"])["height"], 5);

    let (success, text) = served.try_verb(&["reorg", "99"]);
    assert!(!success);
    assert!(text.starts_with("devnet: -8:"), "{text}");
    let (success, text) = served.try_verb(&["generate", "--rpc-password", "x"]);
    assert!(!success);
    assert!(text.contains("--rpc-password"), "{text}");
    assert_eq!(served.end(Signal::TERM), Some(0));
    let nobody = Command::new(PROGRAM)
        .args(["height", "--rpc-url", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    let text = String::from_utf8(nobody.stderr).unwrap();
    assert!(text.contains("is `devnet run` running"), "{text}");
}

#[test]
fn a_recording_is_stepped_through() {
    let file = fixture("fluxd-regtest-nodes.json");
    let args = [
        "replay",
        file.to_str().unwrap(),
        "--interval",
        "0",
        "--until",
        "300",
    ];
    let served = Served::start(&args);
    assert_eq!(served.verb(&["height"])["height"], 0);
    let there = served.verb(&["step", "250"]);
    assert_eq!(
        (&there["height"], &there["until"]),
        (&250.into(), &300.into())
    );
    // It ends where it was told to.
    assert_eq!(served.verb(&["step", "1000"])["height"], 300);
    assert_eq!(served.verb(&["step"])["height"], 300);
    let (success, text) = served.try_verb(&["generate"]);
    assert!(!success);
    assert!(text.contains("recording"), "{text}");
    assert_eq!(served.end(Signal::TERM), Some(0));
}

#[test]
fn a_file_that_is_no_recording_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.json");
    for (content, part) in [
        ("{}", "blocks"),
        (r#"{"blocks": ["zz"]}"#, "block 0"),
        (r#"{"blocks": []}"#, "genesis"),
    ] {
        std::fs::write(&file, content).unwrap();
        let output = Command::new(PROGRAM)
            .args(["replay", file.to_str().unwrap()])
            .output()
            .unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(part), "{content}: {text}");
    }
}

#[test]
fn help_teaches() {
    let mut child = Command::new(PROGRAM)
        .arg("--help")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(child.wait().unwrap().success());
    for verb in [
        "run",
        "replay",
        "generate",
        "faucet",
        "reorg",
        "snapshot",
        "restore",
        "addnode",
        "removenode",
        "stopnode",
        "startnode",
        "setnodeip",
        "nodes",
        "accounts",
        "params",
        "setinterval",
        "mine",
        "step",
        "height",
        "call",
        "Examples:",
    ] {
        assert!(text.contains(verb), "{verb}");
    }
}
