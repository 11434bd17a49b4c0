//! From what containers there are to what containers there shall be.
//!
//! Every step looks first and can be interrupted after: the next attempt finds what was done.

use fluxplane_core::id::InstanceId;
use futures::future::try_join_all;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{Shared, volumes};
use crate::{
    app::private_parts::PrivateError,
    domain::{
        ContainerSpec, ImageName, Private, container::SpecError, label, private::Credentials,
    },
    runtime::{Container, ContainerState, ImageOrigin, RuntimeError},
};

/// Why the containers could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConvergeError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Private(#[from] PrivateError),
    #[error(transparent)]
    Volume(#[from] volumes::VolumeError),
}

impl ConvergeError {
    /// Whether only the absence of the engine or of the plane stands in the way.
    pub(super) const fn away(&self) -> bool {
        match self {
            Self::Runtime(err) => err.engine_away(),
            Self::Private(err) => err.plane_away(),
            Self::Spec(_) | Self::Volume(_) => false,
        }
    }
}

impl ConvergeError {
    /// Whether the private part is waited for, which comes before everything else.
    pub(super) const fn plane_away(&self) -> bool {
        match self {
            Self::Private(err) => err.plane_away(),
            Self::Runtime(_) | Self::Spec(_) | Self::Volume(_) => false,
        }
    }
}

/// How a container compares with its specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Present {
    Running,
    /// The right one, made but never started.
    Created,
    /// The right one, and it exited.
    Exited,
    /// None, or one that was made for something else.
    Wrong,
}

/// What has to be done.
#[derive(Debug)]
pub(super) struct Work<'a> {
    steps: Vec<(&'a ContainerSpec, Present)>,
}

/// Compares the containers of an instance with what they shall be.
pub(super) async fn compare<'a>(
    shared: &Shared,
    specs: &'a [ContainerSpec],
) -> Result<Work<'a>, RuntimeError> {
    let mut steps = Vec::with_capacity(specs.len());
    for spec in specs {
        let wanted = spec.labels.get(label::SPEC).cloned().unwrap_or_default();
        let present = match shared.runtime.inspect(&spec.name).await? {
            Some(container) if is_right(&container, spec, &wanted) => match container.state {
                ContainerState::Running => Present::Running,
                ContainerState::Created => Present::Created,
                ContainerState::Exited { .. } => Present::Exited,
            },
            Some(_) | None => Present::Wrong,
        };
        steps.push((spec, present));
    }
    Ok(Work { steps })
}

/// Whether a container was made for this. One from before there were private parts is told by its revision: its digest was
/// over what is private, too.
fn is_right(container: &Container, spec: &ContainerSpec, digest: &str) -> bool {
    let before = container.private_version.is_none();
    let revision = spec.labels.get(label::REVISION);
    container.spec_digest == digest || (before && revision == Some(&container.revision))
}

impl Work<'_> {
    /// Nothing to do.
    pub(super) fn done(&self) -> bool {
        self.steps
            .iter()
            .all(|(_, present)| *present == Present::Running)
    }

    /// Whether containers have to be made.
    pub(super) fn makes(&self) -> bool {
        self.wrong().next().is_some()
    }

    fn wrong(&self) -> impl Iterator<Item = &ContainerSpec> {
        let wrong = |(spec, present): &(_, Present)| (*present == Present::Wrong).then_some(*spec);
        self.steps.iter().filter_map(wrong)
    }

    /// Containers that ran and have to be started again.
    pub(super) fn exited(&self) -> usize {
        self.steps
            .iter()
            .filter(|(_, present)| *present == Present::Exited)
            .count()
    }

    /// Fetches what is not here.
    pub(super) async fn pull(
        &self,
        shared: &Shared,
        private: &Private,
    ) -> Result<(), RuntimeError> {
        let pulls = self.wrong().map(|spec| {
            let private = private.of(&spec.component);
            let credentials = private.and_then(|private| private.credentials.as_ref());
            pull(shared, &spec.image, credentials)
        });
        try_join_all(pulls).await?;
        Ok(())
    }

    /// Removes what is wrong, makes what is missing, starts what does not run.
    pub(super) async fn carry_out(
        &self,
        shared: &Shared,
        instance: InstanceId,
        private: &Private,
    ) -> Result<(), ConvergeError> {
        let runtime = shared.runtime.as_ref();
        let right = |name: &str| {
            let kept = |(spec, present): &(&ContainerSpec, Present)| {
                spec.name == name && *present != Present::Wrong
            };
            self.steps.iter().any(kept)
        };
        for found in runtime.list(shared.host.node).await? {
            if found.instance == Some(instance) && !right(&found.name) {
                runtime
                    .stop(
                        &found.name,
                        found.grace.unwrap_or(shared.settings.stop_grace),
                    )
                    .await?;
                runtime.remove(&found.name).await?;
            }
        }
        runtime.ensure_network(instance, shared.host.node).await?;
        let specs: Vec<ContainerSpec> =
            self.steps.iter().map(|(spec, _)| (*spec).clone()).collect();
        volumes::prepare(&specs).await?;
        for (spec, present) in &self.steps {
            let span = tracing::info_span!("start container", container.name = spec.name);
            async {
                match present {
                    Present::Running => Ok(()),
                    Present::Created | Present::Exited => runtime.start(&spec.name).await,
                    Present::Wrong => {
                        match private.of(&spec.component) {
                            Some(private) => runtime.create(&spec.with_private(private)).await?,
                            None => runtime.create(spec).await?,
                        }
                        runtime.start(&spec.name).await
                    }
                }
            }
            .instrument(span)
            .await?;
        }
        Ok(())
    }
}

async fn pull(
    shared: &Shared,
    image: &ImageName,
    credentials: Option<&Credentials>,
) -> Result<(), RuntimeError> {
    let started = Instant::now();
    let span = tracing::info_span!("ensure image", image.name = %image);
    let ensuring = shared.runtime.ensure_image(image, credentials);
    match ensuring.instrument(span).await {
        Ok(ImageOrigin::Local) => Ok(()),
        Ok(ImageOrigin::Pulled) => {
            shared.metrics.pulled("pulled", started.elapsed());
            tracing::info!(image.name = %image, "image pulled");
            Ok(())
        }
        Err(err) => {
            shared.metrics.pulled("failed", started.elapsed());
            Err(err)
        }
    }
}
