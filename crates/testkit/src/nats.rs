//! A private NATS server with JetStream.

use std::{
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use crate::{PATIENCE, free_address, process};

/// A private `nats-server`, killed on drop.
#[derive(Debug)]
pub struct Nats {
    child: Child,
    pub url: String,
    dir: PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Nats {
    /// Starts on a free port with a temporary store.
    pub async fn start() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut nats = Self::start_in(dir.path(), free_address().port()).await?;
        nats.temporary = Some(dir);
        Ok(nats)
    }

    /// Starts with its store in `dir`.
    pub async fn start_in(dir: &Path, port: u16) -> Result<Self> {
        let ports = dir.join("ports");
        std::fs::create_dir_all(&ports)?;
        let child = process::tied("nats-server", "KILL")
            .args([
                "--jetstream",
                "--addr",
                "127.0.0.1",
                "--port",
                &port.to_string(),
            ])
            .arg("--store_dir")
            .arg(dir.join("js"))
            .arg("--ports_file_dir")
            .arg(&ports)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start nats-server; `make setup` installs it")?;
        let file = ports.join(format!("nats-server_{}.ports", child.id()));
        let deadline = Instant::now() + PATIENCE;
        let url = loop {
            if let Ok(text) = std::fs::read_to_string(&file)
                // Whole, and not on its way to the disk.
                && text.trim_end().ends_with('}')
                && let Some(url) = text.split('"').find(|part| part.starts_with("nats://"))
            {
                break url.to_owned();
            }
            anyhow::ensure!(Instant::now() < deadline, "nats-server wrote no ports file");
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        Ok(Self {
            child,
            url,
            dir: dir.to_owned(),
            temporary: None,
        })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.url
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .unwrap_or(0)
    }

    /// Kills the server and starts it again on the same port; with `wipe` it forgets everything.
    pub async fn restart(&mut self, wipe: bool) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        if wipe {
            std::fs::remove_dir_all(self.dir.join("js"))?;
        }
        let mut next = Self::start_in(&self.dir, self.port()).await?;
        next.temporary = self.temporary.take();
        *self = next;
        Ok(())
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
