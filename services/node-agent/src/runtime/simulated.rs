//! Containers that exist only on paper: for scale tests and for tests without an engine. Deterministic.
//!
//! Clones share one engine, so that a test can break things while an agent runs on it, and a second agent can find what
//! the first one left.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fluxplane_core::id::{InstanceId, NodeId};
use futures::{StreamExt as _, stream, stream::BoxStream};
use tokio::sync::broadcast;

use super::{
    Channel, Container, ContainerState, Found, ImageOrigin, LogQuery, LogStream, OutputLine,
    Runtime, RuntimeError, Stats, Unreachable,
};
use crate::domain::{
    ContainerSpec, ImageName, container::network_name, label, private::Credentials,
};

/// Exits that a slow listener may fall behind.
const EXITS: usize = 256;

/// Memory a simulated container claims to use, as a share of its limit.
const MEMORY_SHARE: u64 = 2;

/// An engine on paper.
#[derive(Debug, Clone)]
pub struct Simulated {
    delay: Duration,
    world: Arc<Mutex<World>>,
    exits: broadcast::Sender<InstanceId>,
}

#[derive(Debug, Default)]
struct World {
    containers: BTreeMap<String, Paper>,
    networks: BTreeSet<String>,
    images: BTreeSet<String>,
    missing_images: BTreeSet<String>,
    private_images: BTreeMap<String, Credentials>,
    unreachable: BTreeSet<SocketAddr>,
    away: bool,
    starts: u64,
}

#[derive(Debug)]
struct Paper {
    spec: ContainerSpec,
    state: ContainerState,
    output: Vec<String>,
}

impl Simulated {
    /// Every pull and every start takes `delay`.
    pub fn new(delay: Duration) -> Self {
        let exits = broadcast::Sender::new(EXITS);
        Self {
            delay,
            world: Arc::default(),
            exits,
        }
    }

    /// A container exits with a code.
    pub fn exit(&self, name: &str, code: i64) {
        let mut world = self.lock();
        if let Some(paper) = world.containers.get_mut(name) {
            paper.state = ContainerState::Exited {
                code,
                out_of_memory: false,
            };
            if let Some(instance) = instance_of(&paper.spec) {
                // Nobody listening is nobody to tell.
                self.exits.send(instance).ok();
            }
        }
    }

    /// The registry has no such image from now on, or has it again.
    pub fn set_missing(&self, image: &ImageName, missing: bool) {
        let mut world = self.lock();
        if missing {
            world.missing_images.insert(image.to_string());
        } else {
            world.missing_images.remove(image.as_str());
        }
    }

    /// The registry gives the image to those with these credentials alone.
    pub fn set_private(&self, image: &ImageName, credentials: Credentials) {
        let mut world = self.lock();
        world.private_images.insert(image.to_string(), credentials);
    }

    /// A port stops or begins to answer.
    pub fn set_reachable(&self, address: SocketAddr, reachable: bool) {
        let mut world = self.lock();
        if reachable {
            world.unreachable.remove(&address);
        } else {
            world.unreachable.insert(address);
        }
    }

    /// The engine stops or begins to answer.
    pub fn set_away(&self, away: bool) {
        self.lock().away = away;
    }

    /// Names of the containers that run.
    pub fn running(&self) -> Vec<String> {
        let world = self.lock();
        let running = world
            .containers
            .iter()
            .filter(|(_, p)| p.state == ContainerState::Running);
        running.map(|(name, _)| name.clone()).collect()
    }

    /// What a container was made from.
    pub fn spec(&self, name: &str) -> Option<ContainerSpec> {
        self.lock()
            .containers
            .get(name)
            .map(|paper| paper.spec.clone())
    }

    /// Networks that exist.
    pub fn networks(&self) -> Vec<String> {
        self.lock().networks.iter().cloned().collect()
    }

    /// How often a container was started.
    pub fn starts(&self) -> u64 {
        self.lock().starts
    }

    fn open(&self) -> Result<MutexGuard<'_, World>, RuntimeError> {
        let world = self.lock();
        if world.away {
            return Err(RuntimeError::Unavailable(
                "it is simulated to be away".to_owned(),
            ));
        }
        Ok(world)
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        // Every change is complete before anything can panic.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn instance_of(spec: &ContainerSpec) -> Option<InstanceId> {
    spec.labels.get(label::INSTANCE)?.parse().ok()
}

fn no_container(action: &str, name: &str) -> RuntimeError {
    RuntimeError::Refused {
        action: action.to_owned(),
        cause: format!("no container {name}"),
    }
}

#[tonic::async_trait]
impl Runtime for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }

    async fn version(&self) -> Result<String, RuntimeError> {
        self.open().map(|_| "simulated".to_owned())
    }

    async fn ensure_image(
        &self,
        image: &ImageName,
        credentials: Option<&Credentials>,
    ) -> Result<ImageOrigin, RuntimeError> {
        if self.open()?.images.contains(image.as_str()) {
            return Ok(ImageOrigin::Local);
        }
        tokio::time::sleep(self.delay).await;
        let mut world = self.open()?;
        if world.missing_images.contains(image.as_str()) {
            let cause = "the simulated registry does not have it".to_owned();
            return Err(RuntimeError::ImageNotFound {
                image: image.clone(),
                cause,
            });
        }
        let wanted = world.private_images.get(image.as_str());
        if wanted.is_some_and(|wanted| Some(wanted) != credentials) {
            let cause = "the simulated registry wants other credentials".to_owned();
            return Err(RuntimeError::ImageNotFound {
                image: image.clone(),
                cause,
            });
        }
        world.images.insert(image.to_string());
        Ok(ImageOrigin::Pulled)
    }

    async fn ensure_network(&self, instance: InstanceId, _: NodeId) -> Result<(), RuntimeError> {
        self.open()?.networks.insert(network_name(instance));
        Ok(())
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<(), RuntimeError> {
        let mut world = self.open()?;
        if world.containers.contains_key(&spec.name) {
            let (action, cause) = (
                "create container".to_owned(),
                "the name is taken".to_owned(),
            );
            return Err(RuntimeError::Refused { action, cause });
        }
        let (state, output) = (ContainerState::Created, Vec::new());
        world.containers.insert(
            spec.name.clone(),
            Paper {
                spec: spec.clone(),
                state,
                output,
            },
        );
        Ok(())
    }

    async fn start(&self, name: &str) -> Result<(), RuntimeError> {
        tokio::time::sleep(self.delay).await;
        let mut world = self.open()?;
        world.starts += 1;
        let start = world.starts;
        let paper = world
            .containers
            .get_mut(name)
            .ok_or_else(|| no_container("start container", name))?;
        paper.state = ContainerState::Running;
        paper
            .output
            .push(format!("started, start {start} of this engine"));
        Ok(())
    }

    async fn stop(&self, name: &str, _: Duration) -> Result<(), RuntimeError> {
        if let Some(paper) = self.open()?.containers.get_mut(name)
            && paper.state == ContainerState::Running
        {
            paper.state = ContainerState::Exited {
                code: 0,
                out_of_memory: false,
            };
        }
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), RuntimeError> {
        self.open()?.containers.remove(name);
        Ok(())
    }

    async fn remove_network(&self, instance: InstanceId) -> Result<(), RuntimeError> {
        self.open()?.networks.remove(&network_name(instance));
        Ok(())
    }

    async fn list(&self, node: NodeId) -> Result<Vec<Found>, RuntimeError> {
        let (world, node) = (self.open()?, node.to_string());
        let own = |paper: &&Paper| paper.spec.labels.get(label::NODE) == Some(&node);
        let found = world.containers.values().filter(own).map(|paper| Found {
            name: paper.spec.name.clone(),
            instance: instance_of(&paper.spec),
            component: paper.spec.component.clone(),
            grace: None,
        });
        Ok(found.collect())
    }

    async fn inspect(&self, name: &str) -> Result<Option<Container>, RuntimeError> {
        Ok(self.open()?.containers.get(name).map(|paper| Container {
            spec_digest: paper
                .spec
                .labels
                .get(label::SPEC)
                .cloned()
                .unwrap_or_default(),
            revision: paper
                .spec
                .labels
                .get(label::REVISION)
                .cloned()
                .unwrap_or_default(),
            private_version: paper.spec.labels.get(label::PRIVATE).cloned(),
            state: paper.state.clone(),
        }))
    }

    async fn logs(&self, name: &str, query: LogQuery) -> Result<LogStream, RuntimeError> {
        let world = self.open()?;
        let paper = world
            .containers
            .get(name)
            .ok_or_else(|| no_container("read output", name))?;
        let tail = usize::try_from(query.tail).unwrap_or(usize::MAX);
        let skipped = paper.output.len().saturating_sub(tail);
        let lines: Vec<_> = paper.output.iter().skip(skipped).cloned().collect();
        let lines = stream::iter(lines).map(|text| {
            Ok(OutputLine {
                at: None,
                channel: Channel::Stdout,
                text,
            })
        });
        // Nothing more is ever written; a follower waits.
        Ok(if query.follow {
            lines.chain(stream::pending()).boxed()
        } else {
            lines.boxed()
        })
    }

    async fn stats(&self, name: &str) -> Result<Stats, RuntimeError> {
        let world = self.open()?;
        let paper = world
            .containers
            .get(name)
            .ok_or_else(|| no_container("measure", name))?;
        Ok(Stats {
            cpu_nanos: 0,
            memory_bytes: paper.spec.limits.memory_bytes / MEMORY_SHARE,
        })
    }

    async fn exits(&self, _: NodeId) -> Result<BoxStream<'static, InstanceId>, RuntimeError> {
        let receiver = self.exits.subscribe();
        let next = |mut receiver: broadcast::Receiver<InstanceId>| async {
            loop {
                match receiver.recv().await {
                    Ok(instance) => return Some((instance, receiver)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        };
        Ok(stream::unfold(receiver, next).boxed())
    }

    async fn reach(
        &self,
        address: SocketAddr,
        _: Option<&str>,
        _: Duration,
    ) -> Result<(), Unreachable> {
        let world = self.lock();
        let listens = world.containers.values().any(|paper| {
            let publishes = |port: &crate::domain::container::Published| {
                port.address == address.ip() && port.host == address.port()
            };
            paper.state == ContainerState::Running && paper.spec.ports.iter().any(publishes)
        });
        if listens && !world.unreachable.contains(&address) {
            Ok(())
        } else {
            Err(Unreachable {
                address,
                cause: "nothing listens".to_owned(),
            })
        }
    }
}
