//! From what the plane asks for to what the engine is told: names, labels, limits, mounts.
//!
//! Here the values of a desired instance are checked. The rules of FluxOS are kept where applications can see them: every
//! port on TCP and UDP unless one is asked for, only the command is replaced unless an entry point is given, a component is found under its own name and under FluxOS' container
//! name (FluxOS `dockerService.js`, `appDockerCreate`).

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use fluxplane_core::id::{InstanceId, NodeId};
use sha2::{Digest as _, Sha256};

use super::{
    Component, ImageName, Instance, Mount,
    desired::{Port, Probes, Protocol},
    label,
    private::PrivateComponent,
};

/// The machine as containers see it.
#[derive(Debug, Clone)]
pub struct Host {
    pub node: NodeId,
    /// Address at which instances are reached from outside.
    pub ip: IpAddr,
    /// Address of this machine on which ports are published.
    pub bind_ip: IpAddr,
    /// Folder that holds the volumes.
    pub volumes: PathBuf,
    /// Hardware threads; a limit above them has no effect, and Docker refuses it.
    pub threads: u32,
    /// Most processes and threads in one container.
    pub pids_limit: u32,
    /// Most output kept per container.
    pub log_max_mib: u32,
}

/// A container as the engine shall make it.
#[derive(Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    pub name: String,
    pub component: String,
    pub image: ImageName,
    pub network: String,
    /// Names under which the other components find it.
    pub aliases: Vec<String>,
    /// Empty for that of the image.
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
    /// What is private of it is added when the container is made.
    pub environment: Vec<String>,
    pub ports: Vec<Published>,
    pub binds: Vec<Bind>,
    pub limits: Limits,
    /// Pauses before it is started again, instead of the configured ones.
    pub restart: Option<(Duration, Duration)>,
    /// Signal that asks it to end; that of the image without it.
    pub stop_signal: Option<String>,
    /// How to see whether it works, unless its first TCP port tells.
    pub probes: Option<Probes>,
    pub labels: BTreeMap<String, String>,
}

impl fmt::Debug for ContainerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainerSpec")
            .field("name", &self.name)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

impl ContainerSpec {
    /// With the private part of its component. Our own variables win: an application can rely on them.
    #[must_use]
    pub fn with_private(&self, private: &PrivateComponent) -> Self {
        let name_of = |entry: &str| entry.split('=').next().unwrap_or_default().to_owned();
        let own: Vec<String> = self
            .environment
            .iter()
            .map(|entry| name_of(entry))
            .collect();
        let theirs = private
            .environment
            .iter()
            .filter(|entry| !own.contains(&name_of(entry)))
            .map(|entry| entry.to_string());
        Self {
            environment: theirs.chain(self.environment.iter().cloned()).collect(),
            ..self.clone()
        }
    }
}

/// A port of a container on an address of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    pub address: IpAddr,
    pub host: u16,
    pub container: u16,
    pub protocol: Protocol,
}

impl ContainerSpec {
    /// Time it gets to end, where it says so.
    pub fn grace(&self) -> Option<Duration> {
        let seconds = self.labels.get(label::GRACE)?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// Where a port of the container is reached on this machine over TCP.
    pub fn address_of(&self, container: u32) -> Option<SocketAddr> {
        let mut ports = self.ports.iter();
        let port =
            ports.find(|port| u32::from(port.container) == container && port.protocol.has_tcp())?;
        Some(SocketAddr::new(port.address, port.host))
    }
}

/// A directory or file of the machine in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    pub source: PathBuf,
    pub path: String,
    pub file: bool,
    pub read_only: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Billionths of a cpu; 0 for none.
    pub cpu_nanos: u64,
    /// 0 for none.
    pub memory_bytes: u64,
    pub pids: u32,
    pub log_max_mib: u32,
}

/// Capabilities that containers keep: Docker's default set without those that reach beyond an application's own files,
/// users and ports. Ordinary images such as nginx, PostgreSQL and Redis start with it.
///
/// Missing from Docker's set: `NET_RAW` (spoofing on the bridge), `MKNOD` (device files), `AUDIT_WRITE` (the machine's
/// audit log) and `SETFCAP` (capabilities on files that outlive the container in its volume).
pub const CAPABILITIES: [&str; 10] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What is wrong with a component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("component `{component}`: {field} is `{value}`, but {rule}")]
pub struct SpecError {
    component: String,
    field: &'static str,
    value: String,
    rule: String,
}

/// Longest name of a file on Linux.
const MAX_FILE_NAME: usize = 255;

/// Longest name of a component; container names and DNS labels are made of it.
const MAX_COMPONENT_NAME: usize = 63;

/// Bytes per MiB.
const MIB: u64 = 1024 * 1024;

/// Makes the containers of an instance, in the order in which they are started.
pub fn containers(instance: &Instance, host: &Host) -> Result<Vec<ContainerSpec>, SpecError> {
    if instance.components.is_empty() {
        return Err(SpecError {
            component: String::new(),
            field: "components",
            value: "none".to_owned(),
            rule: "an instance has at least one component".to_owned(),
        });
    }
    instance
        .components
        .iter()
        .map(|component| container(instance, component, host))
        .collect()
}

/// What tells the containers of one instance from another's: the last 12 digits of its id. They are random, while the
/// first ones of a UUID version 7 are the time and the same for instances that were made together.
pub fn short_id(instance: InstanceId) -> String {
    let text = instance.uuid().simple().to_string();
    text.chars().skip(text.len().saturating_sub(12)).collect()
}

/// The private network of an instance.
pub fn network_name(instance: InstanceId) -> String {
    format!("fx-{}", short_id(instance))
}

/// The bridge interface behind that network; at most 15 characters (Linux `IFNAMSIZ`).
pub fn bridge_name(instance: InstanceId) -> String {
    format!("fx{}", short_id(instance))
}

pub fn container_name(instance: InstanceId, component: &str) -> String {
    format!("fx-{}-{component}", short_id(instance))
}

/// Folder of an instance's volumes.
pub fn volume_folder(host: &Host, instance: InstanceId) -> PathBuf {
    host.volumes.join(instance.to_string())
}

fn container(
    instance: &Instance,
    component: &Component,
    host: &Host,
) -> Result<ContainerSpec, SpecError> {
    let check = Check {
        component: &component.name,
    };
    check.name(&component.name)?;
    let image = ImageName::parse(&component.image)
        .map_err(|err| check.error("image", &component.image, err.to_string()))?;
    let ports = component
        .ports
        .iter()
        .map(|port| check.port(*port, host.bind_ip))
        .collect::<Result<_, _>>()?;
    let binds = component
        .mounts
        .iter()
        .map(|mount| check.bind(instance, component, mount, host))
        .collect::<Result<_, _>>()?;
    let machine_nanos = u64::from(host.threads) * 1_000_000_000;
    let limits = Limits {
        cpu_nanos: component
            .resources
            .cpu_milli
            .saturating_mul(1_000_000)
            .min(machine_nanos),
        memory_bytes: component.resources.ram_mib.saturating_mul(MIB),
        pids: host.pids_limit,
        log_max_mib: host.log_max_mib,
    };
    Ok(ContainerSpec {
        name: container_name(instance.id, &component.name),
        component: component.name.clone(),
        image,
        network: network_name(instance.id),
        aliases: aliases(instance, component),
        entrypoint: component.entrypoint.clone(),
        command: component.command.clone(),
        environment: environment(instance, component, host),
        ports,
        binds,
        limits,
        restart: component.restart.map(|pauses| {
            let seconds = |seconds: u32| Duration::from_secs(seconds.into());
            (seconds(pauses.first_s), seconds(pauses.longest_s))
        }),
        stop_signal: component
            .stop
            .as_ref()
            .map(|stop| check.signal(&stop.signal))
            .transpose()?,
        probes: component
            .probes
            .as_ref()
            .map(|probes| check.probes(probes, component))
            .transpose()?,
        labels: labels(instance, component, host),
    })
}

/// The component's own name, and the container name FluxOS gives it, which composed applications have in their settings.
fn aliases(instance: &Instance, component: &Component) -> Vec<String> {
    vec![
        component.name.clone(),
        format!("flux{}_{}", component.name, instance.app_name),
    ]
}

/// Our variables.
fn environment(instance: &Instance, component: &Component, host: &Host) -> Vec<String> {
    vec![
        format!("FLUX_NODE_HOST_IP={}", host.ip),
        format!("FLUX_APP_NAME={}", instance.app_name),
        format!("FLUXPLANE_COMPONENT={}", component.name),
        format!("FLUXPLANE_INSTANCE_ID={}", instance.id),
        format!("FLUXPLANE_NODE_ID={}", host.node),
        format!("FLUXPLANE_REVISION_ID={}", instance.revision),
    ]
}

fn labels(instance: &Instance, component: &Component, host: &Host) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        (label::NODE.to_owned(), host.node.to_string()),
        (label::APP.to_owned(), instance.app_name.clone()),
        (label::INSTANCE.to_owned(), instance.id.to_string()),
        (label::REVISION.to_owned(), instance.revision.to_string()),
        (label::COMPONENT.to_owned(), component.name.clone()),
        (
            label::EPOCH.to_owned(),
            instance.assignment_epoch.to_string(),
        ),
        (label::PRIVATE.to_owned(), component.private_version.clone()),
        (label::SPEC.to_owned(), digest(instance, component, host)),
    ]);
    if let Some(stop) = &component.stop {
        labels.insert(label::GRACE.to_owned(), stop.grace_s.to_string());
    }
    labels
}

/// Digest of what was asked for, not of how it is carried out: a new version of the agent does not restart what runs.
fn digest(instance: &Instance, component: &Component, host: &Host) -> String {
    let wish = (
        instance.revision,
        &instance.app_name,
        component,
        host.bind_ip,
    );
    let json = serde_json::to_vec(&wish).expect("plain structs serialise");
    hex::encode(Sha256::digest(json))
}

/// Checks the values of one component.
struct Check<'a> {
    component: &'a str,
}

impl Check<'_> {
    fn error(&self, field: &'static str, value: &str, rule: impl Into<String>) -> SpecError {
        let component = self.component.to_owned();
        SpecError {
            component,
            field,
            value: value.to_owned(),
            rule: rule.into(),
        }
    }

    fn name(&self, name: &str) -> Result<(), SpecError> {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if starts_well && name.len() <= MAX_COMPONENT_NAME && name.chars().all(inner) {
            return Ok(());
        }
        let rule =
            "a name is up to 63 letters, digits, `_`, `-` and `.`, starting with a letter or digit";
        Err(self.error("name", name, rule))
    }

    fn signal(&self, signal: &str) -> Result<String, SpecError> {
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        if signal
            .strip_prefix("SIG")
            .is_some_and(|name| !name.is_empty() && name.chars().all(plain))
        {
            return Ok(signal.to_owned());
        }
        Err(self.error("stop signal", signal, "a signal is written as SIGTERM is"))
    }

    /// Probes ask from outside, so what they ask must be published.
    fn probes(&self, probes: &Probes, component: &Component) -> Result<Probes, SpecError> {
        for probe in probes.iter() {
            let mut ports = component.ports.iter();
            if !ports.any(|port| port.container == probe.port && port.protocol.has_tcp()) {
                let rule = "a probe asks a port that is published on tcp";
                return Err(self.error("probe port", &probe.port.to_string(), rule));
            }
        }
        Ok(probes.clone())
    }

    fn port(&self, port: Port, address: IpAddr) -> Result<Published, SpecError> {
        let number = |field, value: u32| {
            u16::try_from(value)
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| self.error(field, &value.to_string(), "a port is 1 to 65535"))
        };
        Ok(Published {
            address,
            host: number("host port", port.host)?,
            container: number("container port", port.container)?,
            protocol: port.protocol,
        })
    }

    /// A source is one name in the root of a volume. Containers only ever get what is below the root, so none of them can
    /// put a link in its place.
    fn bind(
        &self,
        instance: &Instance,
        component: &Component,
        mount: &Mount,
        host: &Host,
    ) -> Result<Bind, SpecError> {
        let plain = |name: &str| {
            !name.is_empty()
                && name.len() <= MAX_FILE_NAME
                && !matches!(name, "." | "..")
                && !name.contains(['/', '\0'])
        };
        if !plain(&mount.source) {
            let rule = "a source is one plain name of up to 255 bytes";
            return Err(self.error("mount source", &mount.source, rule));
        }
        let absolute = mount.path.starts_with('/') && mount.path != "/";
        if !absolute
            || mount.path.split('/').any(|part| part == "..")
            || mount.path.contains(['\0', ':'])
        {
            let rule = "a mount's path is absolute, not /, and without `..` and `:`";
            return Err(self.error("mount path", &mount.path, rule));
        }
        let owner = if mount.component.is_empty() {
            &component.name
        } else {
            &mount.component
        };
        if !instance.components.iter().any(|other| other.name == *owner) {
            let rule = "a mount's component is one of the instance's own";
            return Err(self.error("mount component", owner, rule));
        }
        let source = volume_folder(host, instance.id)
            .join(owner)
            .join(&mount.source);
        Ok(Bind {
            source,
            path: mount.path.clone(),
            file: mount.file,
            read_only: mount.read_only,
        })
    }
}

#[cfg(test)]
mod tests;
