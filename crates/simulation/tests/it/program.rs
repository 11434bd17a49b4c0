//! The program, as `make sim` and people run it.

use std::process::{Command, Output};

use serde_json::Value;

fn simulation(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulation"))
        .args(args)
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

const SMALL: [&str; 4] = ["--events", "300", "--nodes", "40"];

fn with<'a>(args: &[&'a str]) -> Vec<&'a str> {
    SMALL.iter().chain(args).copied().collect()
}

#[test]
fn the_summary_is_the_same_on_one_core_and_on_many() {
    let alone = json(&simulation(&with(&[
        "--seeds", "4", "--jobs", "1", "--output", "json",
    ])));
    let many = json(&simulation(&with(&[
        "--seeds", "4", "--jobs", "4", "--output", "json",
    ])));
    assert_eq!(alone["digest"], many["digest"]);
    assert_eq!(alone["summary"]["seeds"], 4);
    assert_eq!(alone["summary"]["events"], many["summary"]["events"]);
    assert_eq!(alone["failures"], Value::Array(Vec::new()));
}

#[test]
fn a_history_that_holds_exits_with_0_and_says_so() {
    let output = simulation(&with(&["--seeds", "2"]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("every invariant held after every event"),
        "{text}"
    );
    for figure in ["node losses", "placed again", "pending", "events/s"] {
        assert!(text.contains(figure), "{text}");
    }
    assert!(output.stderr.is_empty());
}

#[test]
fn a_failure_exits_with_1_and_names_the_command_that_reproduces_it() {
    let args = with(&["--seeds", "3", "--sabotage", "overfill", "--jobs", "1"]);
    let output = simulation(&args);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, command) = text.split_once("reproduce it with:\n").unwrap();
    let (_, again) = command.lines().next().unwrap().split_once(" -- ").unwrap();
    let mut again: Vec<&str> = again.split(' ').collect();
    assert_eq!(again[..2], ["--seed", "1"]);
    again.extend(["--output", "json"]);
    let failure = &json(&simulation(&again))["failures"][0];
    let event = failure["event"].as_u64().unwrap();
    assert!(
        text.starts_with(&format!("seed 1 failed at event {event}:\n")),
        "{text}"
    );
    let journal = failure["journal"].as_array().unwrap();
    let last = journal.last().unwrap().as_str().unwrap();
    assert!(text.contains(last), "{text}");
}

#[test]
fn a_wrong_command_line_exits_with_2_and_names_the_argument() {
    let output = simulation(&["--seeds", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("--seeds")
    );
}

#[test]
fn progress_is_shown_when_asked_for_once_it_takes_longer_than_a_second() {
    let output = simulation(&with(&["--seeds", "40", "--progress", "--output", "json"]));
    let wall = json(&output)["summary"]["wall_ms"].as_u64().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(
        line.contains("of 40 seeds") || wall < 1_200,
        "{wall} ms, {line:?}"
    );
    assert!(line.is_empty() || wall >= 1_000, "{wall} ms, {line:?}");
}
