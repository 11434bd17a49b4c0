//! A private Podman with its Docker-compatible API.
//!
//! Images, containers, networks and the socket live in one folder, and everything runs in a mount namespace of its own, so
//! that an engine on the machine is not touched and whatever is left at the end is found and ended. Needs root, as the
//! engine of a node does.

use std::{
    fs, io,
    net::Ipv4Addr,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use crate::{
    process::{self, Signal, signal},
    skip,
};

/// Time the service gets to come up.
const START_LIMIT: Duration = Duration::from_mins(1);

/// Builds the demo image with an engine.
pub(crate) const DEMO_IMAGE_SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../deploy/demo-image/build.sh"
);

/// A private `podman system service`, stopped with everything it ran on drop.
#[derive(Debug)]
pub struct Podman {
    /// Process that keeps the mount namespace while no service runs.
    holder: u32,
    service: Option<Child>,
    dir: PathBuf,
    /// Removed with us.
    temporary: Option<tempfile::TempDir>,
    address: Ipv4Addr,
}

impl Podman {
    /// Why a private Podman cannot be had here, if it cannot.
    pub fn unavailable() -> Option<&'static str> {
        if !process::exists("podman") {
            return Some("Podman, which `make setup` installs, is not here");
        }
        if !process::as_root() {
            return Some("a private Podman needs root");
        }
        if !process::may_unshare() {
            return Some(
                "this user or machine may not make mount namespaces, which a private Podman needs",
            );
        }
        None
    }

    /// Starts one in a temporary folder. `None`, with a line that says why, on a machine without Podman.
    pub async fn start() -> Result<Option<Self>> {
        Self::start_with_registry(None).await
    }

    /// Starts one that also pulls by plain HTTP from the registry at `host:port`.
    pub async fn start_with_registry(registry: Option<&str>) -> Result<Option<Self>> {
        if let Some(why) = Self::unavailable() {
            skip::say(why);
            return Ok(None);
        }
        let temporary = tempfile::Builder::new().prefix("fx-podman-").tempdir()?;
        let dir = temporary.path().to_owned();
        let mut podman = Self::start_at(&dir, own_address(), registry).await?;
        podman.temporary = Some(temporary);
        Ok(Some(podman))
    }

    /// Starts one whose images stay in `dir` from run to run. Containers that an earlier run left behind are removed.
    pub async fn start_in(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let dir = dir.canonicalize()?;
        let podman = Self::start_at(&dir, kept_address(&dir), None).await?;
        podman.remove_containers();
        podman.remove_networks()?;
        Ok(podman)
    }

    async fn start_at(dir: &Path, address: Ipv4Addr, registry: Option<&str>) -> Result<Self> {
        let [_, net, ..] = address.octets();
        fs::write(dir.join("containers.conf"), containers_conf(net))?;
        fs::write(dir.join("registries.conf"), registries_conf(registry))?;
        let mut podman = Self {
            holder: 0,
            service: None,
            dir: dir.to_owned(),
            temporary: None,
            address,
        };
        podman.enter().await?;
        podman.start_service().await?;
        Ok(podman)
    }

    /// Where the Docker-compatible API is.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("podman.sock")
    }

    /// An address of this machine that no other test publishes ports on.
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Runs the command line on the same images and containers. Returns what it printed.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        process::read(self.command().args(arguments))
    }

    /// Pulls an image, which may not take longer than `limit`.
    pub fn pull(&self, image: &str, limit: Duration) -> Result<()> {
        let mut pull = self.inside("timeout");
        pull.args([&limit.as_secs().to_string(), "podman"])
            .args(self.options())
            .args(["pull", "--quiet", image]);
        process::read(&mut pull).map(drop)
    }

    /// Builds the demo image, which serves a page that names the instance, under `tag`.
    pub fn build_demo_image(&self, tag: &str) -> Result<()> {
        /// What it listens on unless told otherwise.
        const PORT: u16 = 8080;
        self.build_demo_image_for(tag, PORT)
    }

    /// The same, listening on another port.
    pub fn build_demo_image_for(&self, tag: &str, port: u16) -> Result<()> {
        let mut build = self.inside(DEMO_IMAGE_SCRIPT);
        build
            .env("DEMO_PORT", port.to_string())
            .arg(tag)
            .arg("podman")
            .args(self.options());
        process::read(&mut build)
            .context("build the demo image")
            .map(drop)
    }

    /// Kills the service. Containers go on running, as they do when Podman is updated.
    pub fn stop_service(&mut self) -> Result<()> {
        if let Some(mut service) = self.service.take() {
            service.kill()?;
            service.wait()?;
        }
        Ok(())
    }

    /// Starts the service again.
    pub async fn start_service(&mut self) -> Result<()> {
        let socket = self.socket();
        match fs::remove_file(&socket) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err.into()),
            Ok(()) | Err(_) => {}
        }
        let service = self
            .command()
            .args(["system", "service", "--time", "0"])
            .arg(format!("unix://{}", socket.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start podman; `make setup` installs it")?;
        self.service = Some(service);
        let deadline = Instant::now() + START_LIMIT;
        while tokio::net::UnixStream::connect(&socket).await.is_err() {
            anyhow::ensure!(Instant::now() < deadline, "podman opened no socket");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Asks the service to end. Killed while it starts a container, it would leave that one's port forwarding behind.
    fn end_service(&mut self) {
        let Some(mut service) = self.service.take() else {
            return;
        };
        signal(service.id(), Signal::TERM).ok();
        let deadline = Instant::now() + END_LIMIT;
        while Instant::now() < deadline {
            if !matches!(service.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        service.kill().ok();
        service.wait().ok();
    }

    /// Takes over the namespace of an earlier run that did not end by itself, so that what still runs there can be removed;
    /// else makes one, and waits until it has its own folders.
    async fn enter(&mut self) -> Result<()> {
        let file = self.dir.join("namespace.pid");
        let earlier = fs::read_to_string(&file).ok();
        if let Some(earlier) = earlier.and_then(|text| text.trim().parse().ok()) {
            self.holder = earlier;
            if self.in_namespace() {
                return Ok(());
            }
        }
        // What an engine remembers of processes that are gone with their namespace is worth nothing.
        for gone in ["run", "tmp"] {
            match fs::remove_dir_all(self.dir.join(gone)) {
                Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err.into()),
                Ok(()) | Err(_) => {}
            }
        }
        let mut holder = hold_namespace()?;
        self.holder = holder.id();
        let deadline = Instant::now() + START_LIMIT;
        while !self.in_namespace() {
            if holder.try_wait()?.is_some() || Instant::now() >= deadline {
                anyhow::bail!("unshare made no mount namespace; it needs root");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        fs::write(&file, self.holder.to_string())?;
        // Reaped when it ends; until then it needs nobody.
        std::thread::spawn(move || holder.wait());
        Ok(())
    }

    /// Whether the holder lives in a namespace of ours.
    fn in_namespace(&self) -> bool {
        let found = self
            .inside("test")
            .args(["-e", READY])
            .stderr(Stdio::null())
            .status();
        found.is_ok_and(|status| status.success())
    }

    fn remove_containers(&self) {
        self.run(&["rm", "--all", "--force", "--time", "0"]).ok();
    }

    fn remove_networks(&self) -> Result<()> {
        let names = self.run(&["network", "ls", "--quiet"])?;
        for name in names.lines().filter(|name| *name != "podman") {
            self.run(&["network", "rm", "--force", name])?;
        }
        Ok(())
    }

    /// Ids and names of the other processes in the namespace.
    fn others(&self) -> Vec<(u32, String)> {
        let namespace = |id: u32| fs::read_link(format!("/proc/{id}/ns/mnt")).ok();
        let wanted = namespace(self.holder);
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|id| *id != self.holder)
            .filter(|id| wanted.is_some() && namespace(*id) == wanted)
            .map(|id| {
                let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
                (id, name.trim().to_owned())
            })
            .collect()
    }

    /// A program in the namespace.
    fn inside(&self, program: &str) -> Command {
        let mut command = process::tied("nsenter", "KILL");
        let holder = self.holder.to_string();
        command
            .args(["--mount", "--target", &holder, "--", program])
            .envs(self.environment());
        command
    }

    fn command(&self) -> Command {
        let mut command = self.inside("podman");
        command.args(self.options());
        command
    }

    fn options(&self) -> Vec<String> {
        let folder = |name: &str| self.dir.join(name).display().to_string();
        let driver = if on_overlay(&self.dir) {
            "vfs"
        } else {
            "overlay"
        };
        [
            ("--storage-driver", driver.to_owned()),
            ("--root", folder("root")),
            ("--runroot", folder("run")),
            ("--tmpdir", folder("tmp")),
            ("--network-config-dir", folder("networks")),
        ]
        .into_iter()
        .flat_map(|(option, value)| [option.to_owned(), value])
        .collect()
    }

    fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("CONTAINERS_CONF", self.dir.join("containers.conf")),
            (
                "CONTAINERS_REGISTRIES_CONF",
                self.dir.join("registries.conf"),
            ),
        ]
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.end_service();
        self.remove_containers();
        // Monitors of containers take networks down after them; let them.
        let deadline = Instant::now() + END_LIMIT;
        while Instant::now() < deadline && self.others().iter().any(|(_, name)| name != NAME_SERVER)
        {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Whoever is left in this namespace was started here.
        for (process, _) in self.others() {
            signal(process, Signal::KILL).ok();
        }
        signal(self.holder, Signal::KILL).ok();
    }
}

/// What Podman leaves running on purpose.
const NAME_SERVER: &str = "aardvark-dns";

/// Time that what was started gets to end by itself.
const END_LIMIT: Duration = Duration::from_secs(3);

/// Appears when the namespace has its own folders.
const READY: &str = "/run/containers/fluxplane-testkit";

/// A process in a mount namespace of its own, in which the places that all Podmans of a machine share are empty.
fn hold_namespace() -> Result<Child> {
    let script = format!(
        "mkdir -p /run/containers /run/netns \
         && mount -t tmpfs tmpfs /run/containers \
         && mount -t tmpfs tmpfs /run/netns \
         && touch {READY} && exec sleep infinity"
    );
    // It stays when we are killed: only in its namespace can the next run remove what still runs there.
    Command::new("unshare")
        .process_group(0)
        .args([
            "--mount",
            "--propagation",
            "private",
            "--",
            "sh",
            "-c",
            &script,
        ])
        .stdin(Stdio::null())
        .spawn()
        .context("start unshare (util-linux)")
}

/// A loopback address and, by its second part, a network of this process alone: engines of tests that run at the same time
/// know nothing of each other.
fn own_address() -> Ipv4Addr {
    /// Away from what people and other programs use.
    const FIRST_NET: u32 = 150;
    const NETS: u32 = 100;
    let process = std::process::id();
    let part = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    Ipv4Addr::new(
        127,
        part(FIRST_NET + process % NETS),
        part(process / NETS % 250),
        1,
    )
}

/// The same for the engine of a folder at every run, away from those of tests.
fn kept_address(dir: &Path) -> Ipv4Addr {
    const FIRST_NET: u8 = 100;
    const NETS: u8 = 50;
    let sum = dir
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    Ipv4Addr::new(127, FIRST_NET + sum % NETS, 0, 1)
}

/// Whether a folder lies on an overlay file system, as inside a container, on which no other overlay can be built.
fn on_overlay(dir: &Path) -> bool {
    let kind = Command::new("stat")
        .args(["-f", "-c", "%T"])
        .arg(dir)
        .output();
    kind.is_ok_and(|output| output.stdout.trim_ascii() == b"overlayfs")
}

/// Works with and without systemd, on hybrid cgroups, and where limits cannot be raised.
fn containers_conf(net: u8) -> String {
    format!(
        r#"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "netavark"
default_subnet_pools = [{{ "base" = "10.{net}.0.0/16", "size" = 27 }}]
"#
    )
}

fn registries_conf(registry: Option<&str>) -> String {
    let insecure =
        registry.map(|at| format!("[[registry]]\nlocation = \"{at}\"\ninsecure = true\n"));
    format!(
        "unqualified-search-registries = []\n{}",
        insecure.unwrap_or_default()
    )
}
