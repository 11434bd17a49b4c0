//! Any engine that speaks Docker's API over a Unix socket: Docker, or Podman's compatible service.
//!
//! The connection is made when it is first needed and again after it failed, so that the agent outlives a restart of the
//! engine.

mod container;
mod image;
mod logs;
mod network;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use bollard::{
    API_DEFAULT_VERSION,
    errors::Error as Failure,
    query_parameters::{
        EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
        RemoveContainerOptionsBuilder, StartContainerOptions, StatsOptionsBuilder,
        StopContainerOptionsBuilder,
    },
};
use fluxplane_core::id::{InstanceId, NodeId};
use futures::{StreamExt as _, stream::BoxStream};
use tokio::sync::Mutex;

use super::{Container, Found, ImageOrigin, LogQuery, LogStream, Runtime, RuntimeError, Stats};
use crate::domain::{ContainerSpec, ImageName, label, private::Credentials};

/// Longest wait for one answer of the engine; stopping a container may take its grace on top.
const ANSWER_LIMIT_S: u64 = 120;

/// Where engines listen, in the order of preference.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/podman/podman.sock"];

/// The socket of an engine on this machine, if there is one.
pub fn find_socket() -> Option<PathBuf> {
    SOCKETS.iter().map(PathBuf::from).find(|path| path.exists())
}

/// An engine that speaks Docker's API.
#[derive(Debug)]
pub struct Docker {
    socket: PathBuf,
    pull_timeout: Duration,
    client: Mutex<Option<bollard::Docker>>,
}

impl Docker {
    pub fn new(socket: &Path, pull_timeout: Duration) -> Self {
        Self {
            socket: socket.to_owned(),
            pull_timeout,
            client: Mutex::default(),
        }
    }

    /// The connection, with the newest version of the API that both sides speak.
    async fn client(&self) -> Result<bollard::Docker, RuntimeError> {
        let mut slot = self.client.lock().await;
        if let Some(client) = slot.as_ref() {
            return Ok(client.clone());
        }
        let path = self.socket.to_string_lossy();
        let away = |err: Failure| {
            RuntimeError::Unavailable(format!("{}: {}", self.socket.display(), words(&err)))
        };
        let client = bollard::Docker::connect_with_unix(&path, ANSWER_LIMIT_S, API_DEFAULT_VERSION)
            .map_err(away)?
            .negotiate_version()
            .await
            .map_err(away)?;
        *slot = Some(client.clone());
        Ok(client)
    }
}

#[tonic::async_trait]
impl Runtime for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn version(&self) -> Result<String, RuntimeError> {
        let version = self
            .client()
            .await?
            .version()
            .await
            .map_err(|err| failed("version", &err))?;
        let engine = version.components.unwrap_or_default().into_iter().next();
        let (name, number) = engine.map_or_else(
            || ("engine".to_owned(), version.version.unwrap_or_default()),
            |engine| (engine.name, engine.version),
        );
        Ok(format!("{name} {number}"))
    }

    async fn ensure_image(
        &self,
        image: &ImageName,
        credentials: Option<&Credentials>,
    ) -> Result<ImageOrigin, RuntimeError> {
        let client = self.client().await?;
        image::ensure(&client, image, credentials, self.pull_timeout).await
    }

    async fn ensure_network(&self, instance: InstanceId, node: NodeId) -> Result<(), RuntimeError> {
        network::ensure(&self.client().await?, instance, node).await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<(), RuntimeError> {
        container::create(&self.client().await?, spec).await
    }

    async fn start(&self, name: &str) -> Result<(), RuntimeError> {
        let client = self.client().await?;
        let started = client
            .start_container(name, None::<StartContainerOptions>)
            .await;
        unless(started, &[304], "start container")
    }

    async fn stop(&self, name: &str, grace: Duration) -> Result<(), RuntimeError> {
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let stopped = self
            .client()
            .await?
            .stop_container(name, Some(options))
            .await;
        unless(stopped, &[304, 404], "stop container")
    }

    async fn remove(&self, name: &str) -> Result<(), RuntimeError> {
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        let removed = self
            .client()
            .await?
            .remove_container(name, Some(options))
            .await;
        unless(removed, &[404], "remove container")
    }

    async fn remove_network(&self, instance: InstanceId) -> Result<(), RuntimeError> {
        network::remove(&self.client().await?, instance).await
    }

    async fn list(&self, node: NodeId) -> Result<Vec<Found>, RuntimeError> {
        let filters = HashMap::from([("label", vec![format!("{}={node}", label::NODE)])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let listed = self.client().await?.list_containers(Some(options)).await;
        let listed = listed.map_err(|err| failed("list containers", &err))?;
        Ok(listed.into_iter().filter_map(container::found).collect())
    }

    async fn inspect(&self, name: &str) -> Result<Option<Container>, RuntimeError> {
        let client = self.client().await?;
        match client
            .inspect_container(name, None::<InspectContainerOptions>)
            .await
        {
            Ok(container) => container::inspected(container).map(Some),
            Err(Failure::DockerResponseServerError {
                status_code: 404, ..
            }) => Ok(None),
            Err(err) => Err(failed("inspect container", &err)),
        }
    }

    async fn logs(&self, name: &str, query: LogQuery) -> Result<LogStream, RuntimeError> {
        Ok(logs::open(&self.client().await?, name, query))
    }

    async fn stats(&self, name: &str) -> Result<Stats, RuntimeError> {
        let options = StatsOptionsBuilder::new()
            .stream(false)
            .one_shot(true)
            .build();
        let mut answers = Box::pin(self.client().await?.stats(name, Some(options)));
        match answers.next().await {
            Some(Ok(stats)) => Ok(container::used(&stats)),
            Some(Err(err)) => Err(failed("measure container", &err)),
            None => Err(RuntimeError::Unavailable("no measurement".to_owned())),
        }
    }

    async fn exits(&self, node: NodeId) -> Result<BoxStream<'static, InstanceId>, RuntimeError> {
        let filters = HashMap::from([
            ("type", vec!["container".to_owned()]),
            // Docker calls it die; Podman filters by its own word and then reports Docker's.
            ("event", vec!["die".to_owned(), "died".to_owned()]),
            ("label", vec![format!("{}={node}", label::NODE)]),
        ]);
        let options = EventsOptionsBuilder::new().filters(&filters).build();
        let events = self.client().await?.events(Some(options));
        let instances = events
            .take_while(|event| std::future::ready(event.is_ok()))
            .filter_map(|event| std::future::ready(event.ok().and_then(container::exited)));
        Ok(instances.boxed())
    }
}

/// Success also when the engine answers that it was done already.
fn unless(
    result: Result<(), Failure>,
    done_already: &[u16],
    action: &str,
) -> Result<(), RuntimeError> {
    match result {
        Err(Failure::DockerResponseServerError { status_code, .. })
            if done_already.contains(&status_code) =>
        {
            Ok(())
        }
        Err(err) => Err(failed(action, &err)),
        Ok(()) => Ok(()),
    }
}

/// An answer is a refusal; no answer, or one that cannot be read, says nothing.
fn failed(action: &str, err: &Failure) -> RuntimeError {
    match err {
        Failure::DockerResponseServerError { .. } | Failure::DockerStreamError { .. } => {
            RuntimeError::Refused {
                action: action.to_owned(),
                cause: words(err),
            }
        }
        _ => RuntimeError::Unavailable(format!("{action}: {}", words(err))),
    }
}

/// The engine's own words, without the client's.
fn words(err: &Failure) -> String {
    match err {
        Failure::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Failure::DockerStreamError { error } => error.trim().to_owned(),
        _ => fluxplane_platform::error::chain(err),
    }
}
