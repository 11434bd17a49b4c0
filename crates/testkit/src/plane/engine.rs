//! The container engine that the nodes of a plane on one machine share.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{Podman, podman::DEMO_IMAGE_SCRIPT, process};

/// Label by which agents mark what belongs to a node.
const NODE_LABEL: &str = "fluxplane.node";

/// How long a registry may take to hand out an image before a stand-in is built.
const PULL_LIMIT: Duration = Duration::from_mins(2);

/// How long a registry may take to answer at all.
const REACH_LIMIT: Duration = Duration::from_secs(4);

/// Docker where it runs, else a private Podman.
#[derive(Debug)]
pub enum Engine {
    Docker,
    Podman(Podman),
}

/// Where an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageSource {
    /// It was here.
    Present,
    /// From its registry.
    Pulled,
    /// Its registry cannot be reached: the demo image stands in under its name.
    StandIn,
}

impl Engine {
    /// Starts Podman in `dir` unless Docker runs.
    pub async fn start(dir: &Path) -> Result<Self> {
        if docker_runs() {
            return Ok(Self::Docker);
        }
        if let Some(why) = Podman::unavailable() {
            anyhow::bail!(no_engine(why));
        }
        Podman::start_in(dir).await.map(Self::Podman)
    }

    /// Why no engine can be had here, if none can.
    pub fn unavailable() -> Option<String> {
        if docker_runs() {
            return None;
        }
        Podman::unavailable().map(no_engine)
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Docker => "Docker",
            Self::Podman(_) => "Podman",
        }
    }

    /// Where the Docker-compatible API is.
    pub fn socket(&self) -> PathBuf {
        match self {
            Self::Docker => PathBuf::from("/var/run/docker.sock"),
            Self::Podman(podman) => podman.socket(),
        }
    }

    /// Runs the engine's command line. Returns what it printed.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        match self {
            Self::Docker => process::read(Command::new("docker").args(arguments)),
            Self::Podman(podman) => podman.run(arguments),
        }
    }

    /// Sees to it that an image is here: from its registry, else the demo image, listening on `port`, under its name.
    pub fn provide_image(&self, image: &str, port: u16) -> Result<ImageSource> {
        let full = format!("docker.io/{image}");
        if self.run(&["image", "inspect", &full]).is_ok() {
            return Ok(ImageSource::Present);
        }
        if registry_answers() && self.pull(&full).is_ok() {
            return Ok(ImageSource::Pulled);
        }
        match self {
            Self::Docker => build_with_docker(&full, port)?,
            Self::Podman(podman) => podman.build_demo_image_for(&full, port)?,
        }
        Ok(ImageSource::StandIn)
    }

    fn pull(&self, image: &str) -> Result<()> {
        match self {
            Self::Docker => {
                let limit = PULL_LIMIT.as_secs().to_string();
                let mut pull = Command::new("timeout");
                pull.args([&limit, "docker", "pull", "--quiet", image]);
                process::read(&mut pull).map(drop)
            }
            Self::Podman(podman) => podman.pull(image, PULL_LIMIT),
        }
    }

    /// Kills the containers of a node, as a power cut would.
    pub fn kill_containers(&self, node_id: &str) -> Result<usize> {
        let running = self.of_node(&["ps", "--quiet"], node_id)?;
        if !running.is_empty() {
            let mut kill = vec!["kill", "--signal", "KILL"];
            kill.extend(running.iter().map(String::as_str));
            self.run(&kill)?;
        }
        Ok(running.len())
    }

    /// Removes everything that agents of these nodes made. Volumes are theirs and stay.
    pub fn clear(&self, node_ids: &[String]) -> Result<()> {
        for node_id in node_ids {
            for container in self.of_node(&["ps", "--all", "--quiet"], node_id)? {
                self.run(&["rm", "--force", &container])?;
            }
            for network in self.of_node(&["network", "ls", "--quiet"], node_id)? {
                self.run(&["network", "rm", &network])?;
            }
        }
        Ok(())
    }

    fn of_node(&self, list: &[&str], node_id: &str) -> Result<Vec<String>> {
        let filter = format!("label={NODE_LABEL}={node_id}");
        let mut arguments = list.to_vec();
        arguments.extend(["--filter", &filter]);
        let found = self.run(&arguments)?;
        Ok(found.lines().map(str::to_owned).collect())
    }
}

fn no_engine(podman: &str) -> String {
    format!(
        "no Docker runs that this user may use, and {podman}; mend that, or install Docker and add this user to its group"
    )
}

fn docker_runs() -> bool {
    let info = Command::new("docker")
        .arg("info")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    info.is_ok_and(|status| status.success())
}

/// Whether Docker Hub, where names without a host lead, can be reached from here.
fn registry_answers() -> bool {
    let limit = REACH_LIMIT.as_secs().to_string();
    let asked = Command::new("curl")
        .args(["--silent", "--output", "/dev/null", "--max-time", &limit])
        .arg("https://registry-1.docker.io/v2/")
        .status();
    asked.is_ok_and(|status| status.success())
}

fn build_with_docker(tag: &str, port: u16) -> Result<()> {
    let mut build = Command::new(DEMO_IMAGE_SCRIPT);
    build
        .env("DEMO_PORT", port.to_string())
        .args([tag, "docker"]);
    process::read(&mut build)
        .map(drop)
        .with_context(|| format!("run {DEMO_IMAGE_SCRIPT}"))
}
