//! The program with a home of its own.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use fluxplane_flux_chain::address::AddressSpace;
use fluxplane_fluxctl::wallet::Key;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Longest any run takes; a hanging program fails its test.
const LIMIT: Duration = Duration::from_mins(1);

/// A person's machine.
#[derive(Debug)]
pub(crate) struct Cli {
    home: TempDir,
    server: Option<String>,
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Cli {
    pub(crate) fn new(server: Option<&str>) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            server: server.map(str::to_owned),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file and returns its path as an argument.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The folder with the profile and the sessions.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("config/fluxctl")
    }

    /// Makes a key of the test networks in `wallet.wif`.
    pub(crate) fn key(&self) -> (Key, String) {
        let path = self.path("wallet.wif");
        let key = Key::generate(AddressSpace::Test).unwrap();
        key.write("--key-file", &path).unwrap();
        (key, path.display().to_string())
    }

    /// Makes a key and signs in with it.
    pub(crate) async fn signed_in(&self) -> (Key, String) {
        let (key, path) = self.key();
        let run = self.run(&["login", "--key-file", &path]).await;
        assert_eq!(run.code, 0, "{run:?}");
        (key, path)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fluxctl"));
        command
            .args(arguments)
            .env_clear()
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("HOME", self.home.path())
            .current_dir(self.home.path())
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(server) = &self.server {
            command.env("FLUXCTL_SERVER", server);
        }
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&mut self.command(arguments), &[]).await
    }

    /// Runs one after the other, and shows what a person would see.
    pub(crate) async fn tour(&self, runs: &[&[&str]]) -> String {
        let mut screens = Vec::new();
        for arguments in runs {
            let screen = self.run(arguments).await.screen();
            screens.push(format!("$ fluxctl {}\n{screen}", arguments.join(" ")));
        }
        screens.join("\n")
    }

    pub(crate) async fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        Run::of(&mut self.command(arguments), input).await
    }
}

impl Run {
    pub(crate) async fn of(command: &mut Command, input: &[u8]) -> Self {
        if !input.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // The program may have heard enough before the end.
                stdin.write_all(input).await.ok();
            }
        };
        let ((), output) = tokio::time::timeout(LIMIT, async {
            tokio::join!(feed, child.wait_with_output())
        })
        .await
        .unwrap();
        let output = output.unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The result as a document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|err| panic!("{err}: {self:?}"))
    }

    /// The results as one document a line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The error as a document.
    pub(crate) fn error(&self) -> Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|err| panic!("{err}: {self:?}"))
    }

    /// Both ends of the screen, for a snapshot.
    pub(crate) fn screen(&self) -> String {
        format!(
            "exit {}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

/// A file's permission bits.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
