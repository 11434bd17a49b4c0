//! The help, at every level.

use clap::{Command, CommandFactory as _};
use fluxplane_fluxctl::cli::Cli;

use crate::support::{self, lines_of};

/// Every command with its path.
fn all() -> Vec<(String, Command)> {
    let mut root = Cli::command().term_width(100);
    root.build();
    let mut found = Vec::new();
    collect("fluxctl", &root, &mut found);
    found
}

fn collect(path: &str, command: &Command, found: &mut Vec<(String, Command)>) {
    found.push((path.to_owned(), command.clone()));
    for inner in command
        .get_subcommands()
        .filter(|inner| inner.get_name() != "help")
    {
        collect(&format!("{path} {}", inner.get_name()), inner, found);
    }
}

#[test]
fn every_level_says_what_it_does_and_shows_examples() {
    let commands = all();
    assert!(commands.len() > 45, "{}", commands.len());
    for (path, command) in commands {
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(!about.is_empty(), "{path} says nothing");
        let examples = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(
            examples.starts_with("Examples:\n  "),
            "{path} has no examples"
        );
        let own = if path == "fluxctl" { "fluxctl " } else { &path };
        assert!(examples.contains(own), "{path} shows others' examples");
        for argument in command
            .get_arguments()
            .filter(|argument| !argument.is_hide_set())
        {
            assert!(argument.get_help().is_some(), "{path} {argument}");
        }
    }
}

#[test]
fn every_example_is_understood() {
    for (path, command) in all() {
        let examples = command.get_after_help().unwrap().to_string();
        // A line that ends with a backslash goes on.
        let examples = examples.replace("\\\n", " ");
        for line in examples
            .lines()
            .filter(|line| line.starts_with("  fluxctl "))
        {
            let Some(words) = words(line) else { continue };
            let parsed = Cli::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{path}: {line}\n{}", parsed.unwrap_err());
        }
    }
}

/// The words of an example up to a pipe, a redirection or an explanation; `None` when it shows shortened values.
fn words(line: &str) -> Option<Vec<String>> {
    let command = line.trim().split("   ").next()?;
    let command = command.split(['|', '>', '<']).next()?;
    let outpoint = format!("{}:0", "ab".repeat(32));
    let hash = "ab".repeat(32);
    let words: Vec<String> = command
        .split_whitespace()
        .map(|word| match word {
            "TXID:0" => outpoint.clone(),
            "TXID" | "6b1f…e0" | "6b1f2c…e0" => hash.clone(),
            "ID" => "0198c0de-7e57-7000-8000-000000000001".to_owned(),
            "MS" => "1763798400123".to_owned(),
            other => other.to_owned(),
        })
        .collect();
    Some(words)
}

#[test]
fn the_whole_tree() {
    let pages = all()
        .into_iter()
        .map(|(path, mut command)| format!("=== {path}\n{}", command.render_long_help()));
    insta::assert_snapshot!(lines_of(pages));
}

#[tokio::test]
async fn short_and_long_help_come_from_the_program() {
    let cli = support::Cli::new(None);
    let short = cli.run(&["-h"]).await;
    let long = cli.run(&["deploy", "--help"]).await;
    assert_eq!((short.code, long.code), (0, 0));
    assert!(short.stdout.contains("Exit codes:") && short.stderr.is_empty());
    assert!(long.stdout.contains("the true cause"));
    let version = cli.run(&["--version"]).await;
    assert_eq!(
        version.stdout,
        concat!("fluxctl ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[tokio::test]
async fn completions_exist_for_the_common_shells() {
    let cli = support::Cli::new(None);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = cli.run(&["completions", shell]).await;
        assert_eq!(run.code, 0);
        assert!(
            run.stdout.contains("invoice") && run.stdout.len() > 10_000,
            "{shell}"
        );
    }
}
