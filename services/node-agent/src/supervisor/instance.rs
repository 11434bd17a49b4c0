//! The life of one instance.

use std::{sync::Arc, time::Duration};

use fluxplane_core::id::InstanceId;
use fluxplane_platform::propagation;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tracing::{Instrument as _, Span};

use super::{
    Shared,
    converge::{self, ConvergeError},
    look::{Probings, Seen, look},
};
use crate::{
    domain::{
        ContainerSpec, Instance, Phase, Private, backoff::Backoff, container, desired::Probes,
        health::Health, probing::Probing, restart::Restarts, usage::Assignment,
    },
    runtime::RuntimeError,
};

/// What shall become of an instance.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    Run(Instance),
    Gone,
}

/// Asks a task to look now.
#[derive(Debug)]
pub(super) enum Call {
    /// And to say when it has.
    Look(oneshot::Sender<()>),
    Nudge,
}

/// Looks after one instance.
#[derive(Debug)]
pub(super) struct InstanceTask {
    pub(super) shared: Arc<Shared>,
    pub(super) instance: Instance,
    wish: watch::Receiver<Wish>,
    calls: mpsc::Receiver<Call>,
    pub(super) specs: Vec<ContainerSpec>,
    /// Of components that have probes of their own.
    probings: Probings,
    /// Of the containers that run now; `None` before they were looked at for the first time.
    pub(super) health: Option<Health>,
    pub(super) restarts: Restarts,
    pub(super) retry: Backoff,
    /// How a container exited, until the instance is healthy again.
    pub(super) crash: Option<String>,
    /// The last attempt failed. Further attempts are not reported until one succeeds: the cause says more.
    pub(super) failing: bool,
    /// Since the instance is being started, and the span of that.
    pub(super) starting: Option<(Instant, Span)>,
}

/// A wait or some work ended because there is a new wish, or nobody is left to wish.
#[derive(Debug)]
pub(super) struct Interrupted;

/// Why watching over the containers ended.
enum Broken {
    Interrupted,
    /// They are not what they shall be any more.
    Differs,
}

impl InstanceTask {
    pub(super) fn new(
        shared: Arc<Shared>,
        instance: Instance,
        wish: watch::Receiver<Wish>,
        calls: mpsc::Receiver<Call>,
    ) -> Self {
        let (restart, retry) = (shared.settings.restart, shared.settings.retry);
        let task = Self {
            shared,
            instance,
            wish,
            calls,
            specs: Vec::new(),
            probings: Probings::new(),
            health: None,
            restarts: Restarts::new(restart.0, restart.1),
            retry: Backoff::new(retry.0, retry.1),
            crash: None,
            failing: false,
            starting: None,
        };
        task.status(Phase::Pulling, "");
        task
    }

    /// Fulfils one wish after the other, until the instance is gone or the agent stops.
    pub(super) async fn run(mut self) -> InstanceId {
        loop {
            let wish = self.wish.borrow_and_update().clone();
            match wish {
                Wish::Run(instance) => {
                    self.become_instance(instance);
                    self.live().await;
                }
                Wish::Gone => {
                    if self.remove().await.is_ok() {
                        return self.instance.id;
                    }
                }
            }
            if self.wish.has_changed().is_err() {
                return self.instance.id;
            }
        }
    }

    fn become_instance(&mut self, instance: Instance) {
        if self.assignment() != assignment(&instance) {
            self.shared.metering.ended(self.assignment());
        }
        let same_containers = self.instance.same_containers(&instance);
        self.instance = instance;
        let now = self.shared.clock.now();
        if !same_containers {
            self.begin_anew();
            self.status(Phase::Pulling, "");
        } else if self
            .health
            .as_ref()
            .is_some_and(|health| health.healthy_for(now).is_some())
        {
            // The status names the assignment.
            self.status(Phase::Healthy, "");
        }
    }

    /// What was seen so far says nothing about the containers to come.
    pub(super) fn begin_anew(&mut self) {
        self.retry.succeeded();
        self.restarts.stable();
        self.health = None;
        self.crash = None;
        self.failing = false;
        self.starting = None;
    }

    /// Makes the instance run and keeps it running. Returns when interrupted.
    async fn live(&mut self) {
        loop {
            match self.converge().await {
                Err(Interrupted) => return,
                Ok(Err(err)) => {
                    let pause = self.failed(&err);
                    if self.pause(pause).await.is_err() {
                        return;
                    }
                }
                Ok(Ok(())) => {
                    self.retry.succeeded();
                    self.failing = false;
                    match self.watch_over().await {
                        Broken::Interrupted => return,
                        Broken::Differs => {}
                    }
                }
            }
        }
    }

    /// Brings the containers to what they shall be.
    async fn converge(&mut self) -> Result<Result<(), ConvergeError>, Interrupted> {
        self.specs = match container::containers(&self.instance, &self.shared.host) {
            Ok(specs) => specs,
            Err(err) => return Ok(Err(err.into())),
        };
        let (shared, specs) = (Arc::clone(&self.shared), self.specs.clone());
        let work = match self
            .unless_interrupted(converge::compare(&shared, &specs))
            .await?
        {
            Ok(work) => work,
            Err(err) => return Ok(Err(err.into())),
        };
        if work.done() {
            let now = shared.clock.now();
            let pace = shared.settings.pace;
            if self.health.is_none() {
                self.health = Some(Health::starting(pace, now));
                self.probings = self.probings_of(Probing::adopted);
            }
            return Ok(Ok(()));
        }

        self.health = None;
        shared.metering.ended(self.assignment());
        let span = self.start_span();
        let mut private = Private::default();
        if work.makes() {
            let instance = self.instance.clone();
            let fetching = shared.private.of(&instance).instrument(span.clone());
            private = match self.unless_interrupted(fetching).await? {
                Ok(private) => private,
                Err(err) => return Ok(Err(err.into())),
            };
            span.in_scope(|| self.phase_of_start(Phase::Pulling));
            let pulling = work.pull(&shared, &private).instrument(span.clone());
            match self.unless_interrupted(pulling).await? {
                Ok(()) => {}
                Err(err) => return Ok(Err(err.into())),
            }
        }
        span.in_scope(|| self.phase_of_start(Phase::Starting));
        let carrying_out = work
            .carry_out(&shared, self.instance.id, &private)
            .instrument(span.clone());
        match self.unless_interrupted(carrying_out).await? {
            Ok(()) => {}
            Err(err) => return Ok(Err(err)),
        }
        for _ in 0..work.exited() {
            self.restarts.restarted();
            shared.metrics.restarts.inc();
        }
        let now = shared.clock.now();
        self.health = Some(Health::starting(shared.settings.pace, now));
        self.probings = self.probings_of(|probes| Probing::starting(probes, now));
        Ok(Ok(()))
    }

    fn probings_of(&self, begin: impl Fn(Probes) -> Probing) -> Probings {
        let specs = self.specs.iter();
        let probed = specs.filter_map(|spec| Some((spec, spec.probes.clone()?)));
        probed
            .map(|(spec, probes)| (spec.component.clone(), begin(probes)))
            .collect()
    }

    /// The span of a start: part of the deployment's trace, unless a running instance is only being revived.
    fn start_span(&mut self) -> Span {
        if let Some((_, span)) = &self.starting {
            return span.clone();
        }
        let span = tracing::info_span!(
            "start instance",
            instance.id = %self.instance.id,
            app.name = self.instance.app_name,
        );
        if self.crash.is_none() {
            propagation::set_parent_text(&span, &self.instance.traceparent);
        }
        self.starting = Some((Instant::now(), span.clone()));
        span
    }

    /// Looks again and again. Returns when the containers are not what they shall be.
    async fn watch_over(&mut self) -> Broken {
        let mut waiting = Vec::new();
        loop {
            let (shared, specs) = (Arc::clone(&self.shared), self.specs.clone());
            let limit = shared.settings.probe_timeout;
            let mut probings = std::mem::take(&mut self.probings);
            let now = shared.clock.now();
            let looking = look(shared.runtime.as_ref(), &specs, &mut probings, now, limit);
            let seen = self.unless_interrupted(looking).await;
            self.probings = probings;
            let Ok(seen) = seen else {
                return Broken::Interrupted;
            };
            match seen {
                Seen::Running(look) => self.observed(look),
                Seen::Missing => {
                    shared.metering.ended(self.assignment());
                    return Broken::Differs;
                }
                Seen::Exited {
                    component,
                    code,
                    out_of_memory,
                } => {
                    let pause = self.exited(&component, code, out_of_memory);
                    waiting.clear();
                    return self.rest(pause).await;
                }
                Seen::Broken { component, cause } => {
                    waiting.clear();
                    let Ok(stopped) = self.end(&component).await else {
                        return Broken::Interrupted;
                    };
                    let pause = self.gave_up(&component, &cause);
                    if let Err(err) = stopped {
                        tracing::warn!(instance.id = %self.instance.id, error = %err, "cannot be stopped");
                    }
                    return self.rest(pause).await;
                }
            }
            // Dropping their senders tells all who asked for a look.
            waiting.clear();
            let pause = self.health.as_ref().map_or(limit, Health::next_look);
            let paces = self.probings.values().filter_map(Probing::pace);
            let pause = paces.fold(pause, Duration::min);
            tokio::select! {
                _ = self.wish.changed() => return Broken::Interrupted,
                Some(call) = self.calls.recv() => match call {
                    Call::Look(done) => waiting.push(done),
                    Call::Nudge => {}
                },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Stops the container of a component that its own probes gave up.
    async fn end(&mut self, component: &str) -> Result<Result<(), RuntimeError>, Interrupted> {
        let shared = Arc::clone(&self.shared);
        let spec = self.specs.iter().find(|spec| spec.component == component);
        let Some((name, grace)) = spec.map(|spec| (spec.name.clone(), spec.grace())) else {
            return Ok(Ok(()));
        };
        let grace = grace.unwrap_or(shared.settings.stop_grace);
        self.unless_interrupted(async { shared.runtime.stop(&name, grace).await })
            .await
    }

    /// Waits before what ended is started again.
    async fn rest(&mut self, pause: Duration) -> Broken {
        match self.pause(pause).await {
            Ok(()) => Broken::Differs,
            Err(Interrupted) => Broken::Interrupted,
        }
    }

    pub(super) const fn assignment(&self) -> Assignment {
        assignment(&self.instance)
    }

    /// Runs `work` unless there is a new wish first; then `work` is dropped where it is.
    pub(super) async fn unless_interrupted<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Interrupted> {
        tokio::select! {
            biased;
            _ = self.wish.changed() => Err(Interrupted),
            result = work => Ok(result),
        }
    }

    pub(super) async fn pause(&mut self, pause: Duration) -> Result<(), Interrupted> {
        self.unless_interrupted(tokio::time::sleep(pause)).await
    }
}

const fn assignment(instance: &Instance) -> Assignment {
    Assignment {
        instance: instance.id,
        epoch: instance.assignment_epoch,
    }
}
