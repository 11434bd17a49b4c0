//! A private Podman with its Docker-compatible API, for tests of what runs containers.
//!
//! Images, containers, networks and the socket live in a temporary folder, and everything runs in a mount namespace of its
//! own, so that an engine on the machine is not touched and whatever is left at the end is found and ended. Needs root, as
//! the engine of a node does.

use std::{
    fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

/// Time the service gets to come up.
const START_LIMIT: Duration = Duration::from_secs(10);

/// A private `podman system service`, stopped with everything it ran on drop.
#[derive(Debug)]
pub struct Podman {
    /// Keeps the mount namespace while no service runs.
    holder: Child,
    service: Option<Child>,
    dir: tempfile::TempDir,
    address: Ipv4Addr,
}

impl Podman {
    /// Starts one. `None`, with a line that says why, on a machine without Podman.
    pub async fn start() -> Result<Option<Self>> {
        Self::start_with_registry(None).await
    }

    /// Starts one that also pulls by plain HTTP from the registry at `host:port`.
    pub async fn start_with_registry(registry: Option<&str>) -> Result<Option<Self>> {
        if let Err(err) = Command::new("podman").arg("--version").output() {
            say_skipped(&format!(
                "podman does not start ({err}); `make setup` installs it"
            ));
            return Ok(None);
        }
        let dir = tempfile::Builder::new().prefix("fx-podman-").tempdir()?;
        let address = own_address();
        let [_, net, ..] = address.octets();
        fs::write(dir.path().join("containers.conf"), containers_conf(net))?;
        fs::write(
            dir.path().join("registries.conf"),
            registries_conf(registry),
        )?;
        let holder = hold_namespace()?;
        let mut podman = Self {
            holder,
            service: None,
            dir,
            address,
        };
        podman.enter().await?;
        podman.start_service().await?;
        Ok(Some(podman))
    }

    /// Where the Docker-compatible API is.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("podman.sock")
    }

    /// An address of this machine that no other test publishes ports on.
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Runs the command line on the same images and containers. Returns what it printed.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self
            .command()
            .args(arguments)
            .output()
            .context("run podman")?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "podman {arguments:?}: {stderr}");
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Builds the demo image, which serves a page that names the instance, under `tag`.
    pub fn build_demo_image(&self, tag: &str) -> Result<()> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/demo-image/build.sh");
        let output = self
            .inside(&script.display().to_string())
            .arg(tag)
            .arg("podman")
            .args(self.options())
            .output()
            .with_context(|| format!("run {}", script.display()))?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "build the demo image: {stderr}");
        Ok(())
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
        Command::new("kill")
            .args(["-TERM", &service.id().to_string()])
            .status()
            .ok();
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

    /// Waits until the namespace is a new one with its own folders.
    async fn enter(&self) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        let ready = || {
            self.inside("test")
                .args(["-e", READY])
                .status()
                .is_ok_and(|s| s.success())
        };
        while !ready() {
            anyhow::ensure!(
                Instant::now() < deadline,
                "unshare made no mount namespace; it needs root"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Ids and names of the other processes in the namespace.
    fn others(&self) -> Vec<(String, String)> {
        let namespace = |id: &str| fs::read_link(format!("/proc/{id}/ns/mnt")).ok();
        let holder = self.holder.id().to_string();
        let wanted = namespace(&holder);
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|id| *id != holder && id.bytes().all(|digit| digit.is_ascii_digit()))
            .filter(|id| wanted.is_some() && namespace(id) == wanted)
            .map(|id| {
                let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
                (id, name.trim().to_owned())
            })
            .collect()
    }

    /// A program in the namespace.
    fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let holder = self.holder.id().to_string();
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
        let folder = |name: &str| self.dir.path().join(name).display().to_string();
        [
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
            ("CONTAINERS_CONF", self.dir.path().join("containers.conf")),
            (
                "CONTAINERS_REGISTRIES_CONF",
                self.dir.path().join("registries.conf"),
            ),
        ]
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.end_service();
        self.run(&["rm", "--all", "--force", "--time", "0"]).ok();
        // Monitors of containers take networks down after them; let them.
        let deadline = Instant::now() + END_LIMIT;
        while Instant::now() < deadline && self.others().iter().any(|(_, name)| name != NAME_SERVER)
        {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Whoever is left in this namespace was started here.
        for (process, _) in self.others() {
            Command::new("kill")
                .args(["-KILL", &process])
                .stderr(Stdio::null())
                .status()
                .ok();
        }
        self.holder.kill().ok();
        self.holder.wait().ok();
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
    Command::new("unshare")
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

/// Tells why tests do not run, on the real stderr, which test runners show or count.
fn say_skipped(why: &str) {
    #[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
    {
        eprintln!("SKIPPED: {why}");
    }
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
