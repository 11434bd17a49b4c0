//! Makes the containers of this machine be what the plane wants, and keeps them so.
//!
//! One task per instance: a pull that takes minutes holds up nobody else. A task knows only its wish, looks at what is
//! there, and moves on from that; so it can be interrupted by a new wish at any point, and a restarted agent adopts what
//! runs. When the agent stops, the tasks end and the containers stay.

mod board;
mod converge;
mod findings;
mod instance;
mod look;
mod orphans;
mod removal;
mod volumes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use fluxplane_core::{Clock, id::InstanceId};
use futures::StreamExt as _;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::Span;

pub use board::{Board, Overview};
pub use orphans::Orphans;

use self::instance::{Call, InstanceTask, Wish};
use crate::{
    app::{metering::Metering, private_parts::PrivateParts},
    domain::{Desired, Host, Instance, desired, health::Pace},
    metrics::AgentMetrics,
    runtime::Runtime,
};

/// Commands that may wait; each is handled in microseconds.
const COMMANDS: usize = 16;

/// Pause before the engine's stream of exits is opened again.
const EXITS_PAUSE: Duration = Duration::from_secs(5);

/// How containers are looked after.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub pace: Pace,
    /// Time a probe gets.
    pub probe_timeout: Duration,
    /// Time a container gets to end by itself.
    pub stop_grace: Duration,
    /// First and longest pause before a container that exited is started again.
    pub restart: (Duration, Duration),
    /// First and longest pause before a failed attempt is repeated.
    pub retry: (Duration, Duration),
}

/// What every instance's task works with.
#[derive(Debug)]
pub struct Shared {
    pub runtime: Arc<dyn Runtime>,
    pub host: Host,
    pub clock: Arc<dyn Clock>,
    pub board: Board,
    pub metering: Metering,
    pub private: PrivateParts,
    pub metrics: AgentMetrics,
    pub settings: Settings,
}

/// Talks to the supervisor. Clones talk to the same one.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
}

#[derive(Debug)]
enum Command {
    /// With the span that led to it.
    Apply(Desired, Span),
    LookAtAll(oneshot::Sender<()>),
    LookAtHealthy(oneshot::Sender<()>),
    /// The instances that have a task; `None` before any desired state is known.
    Known(oneshot::Sender<Option<BTreeSet<InstanceId>>>),
}

impl Handle {
    /// Makes this what runs. Returns once the tasks know.
    pub async fn apply(&self, desired: Desired) {
        // The supervisor is gone only while the process ends.
        self.commands
            .send(Command::Apply(desired, Span::current()))
            .await
            .ok();
    }

    /// Completes when every instance was looked at, or after `limit`.
    pub async fn look_at_all(&self, limit: Duration) {
        self.ask(limit, Command::LookAtAll).await;
    }

    /// Completes when every healthy instance was looked at, or after `limit`.
    pub async fn look_at_healthy(&self, limit: Duration) {
        self.ask(limit, Command::LookAtHealthy).await;
    }

    async fn known(&self) -> Option<BTreeSet<InstanceId>> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::Known(answer)).await.ok()?;
        answered.await.ok()?
    }

    async fn ask(&self, limit: Duration, command: fn(oneshot::Sender<()>) -> Command) {
        let (answer, answered) = oneshot::channel();
        if self.commands.send(command(answer)).await.is_ok() {
            // Late is as good as never: the caller goes on with what is known.
            tokio::time::timeout(limit, answered).await.ok();
        }
    }
}

/// Owns the tasks.
#[derive(Debug)]
pub struct Supervisor {
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    tasks: JoinSet<InstanceId>,
    members: BTreeMap<InstanceId, Member>,
    looks: JoinSet<()>,
    desired_known: bool,
}

#[derive(Debug)]
struct Member {
    instance: Instance,
    /// It is being removed.
    ending: bool,
    wish: watch::Sender<Wish>,
    calls: mpsc::Sender<Call>,
}

impl Supervisor {
    pub fn new(shared: Arc<Shared>) -> (Self, Handle) {
        let (sender, commands) = mpsc::channel(COMMANDS);
        let supervisor = Self {
            shared,
            commands,
            tasks: JoinSet::new(),
            members: BTreeMap::new(),
            looks: JoinSet::new(),
            desired_known: false,
        };
        (supervisor, Handle { commands: sender })
    }

    /// Supervises until cancelled. What runs, goes on running.
    pub async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let (exited, mut exits) = mpsc::channel(COMMANDS);
        let shared = Arc::clone(&self.shared);
        let listening = listen(shared, exited);
        tokio::pin!(listening);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(command) = self.commands.recv() => self.handle(command),
                Some(instance) = exits.recv() => self.call(instance, Call::Nudge),
                Some(ended) = self.tasks.join_next() => self.ended(ended)?,
                Some(_) = self.looks.join_next() => {}
                () = &mut listening => {}
            }
        }
        // Without a wish the tasks end where they are.
        self.members.clear();
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(())
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Apply(desired, span) => span.in_scope(|| self.apply(&desired)),
            Command::LookAtAll(answer) => {
                let all = self.members.keys().copied().collect();
                self.look(all, answer);
            }
            Command::LookAtHealthy(answer) => self.look(self.shared.board.healthy(), answer),
            Command::Known(answer) => {
                let known = self
                    .desired_known
                    .then(|| self.members.keys().copied().collect());
                // Whoever asked may have gone.
                answer.send(known).ok();
            }
        }
    }

    fn apply(&mut self, desired: &Desired) {
        self.desired_known = true;
        let staying = self.members.iter().filter(|(_, member)| !member.ending);
        let running = staying
            .map(|(id, member)| (*id, member.instance.clone()))
            .collect();
        let changes = desired::changes(&running, &desired.instances);
        for id in changes.end {
            if let Some(member) = self.members.get_mut(&id) {
                member.ending = true;
                member.wish.send_replace(Wish::Gone);
            }
        }
        for instance in changes.begin.into_iter().chain(changes.alter) {
            match self.members.get_mut(&instance.id) {
                Some(member) => {
                    member.ending = false;
                    member.instance = instance.clone();
                    member.wish.send_replace(Wish::Run(instance));
                }
                None => self.begin(instance),
            }
        }
        self.shared.board.set_desired_version(desired.version);
    }

    fn begin(&mut self, instance: Instance) {
        let (wish, wished) = watch::channel(Wish::Run(instance.clone()));
        let (calls, called) = mpsc::channel(COMMANDS);
        let task = InstanceTask::new(Arc::clone(&self.shared), instance.clone(), wished, called);
        self.tasks.spawn(task.run());
        let ending = false;
        self.members.insert(
            instance.id,
            Member {
                instance,
                ending,
                wish,
                calls,
            },
        );
    }

    /// A task ended. Unless its instance is wanted again in the meantime, that was the last of it.
    fn ended(&mut self, ended: Result<InstanceId, JoinError>) -> anyhow::Result<()> {
        let id = ended?;
        let again = self.members.remove(&id).filter(|member| !member.ending);
        if let Some(member) = again {
            self.begin(member.instance);
        }
        Ok(())
    }

    fn call(&self, instance: InstanceId, call: Call) {
        if let Some(member) = self.members.get(&instance) {
            // A task that has many calls waiting looks anyway.
            member.calls.try_send(call).ok();
        }
    }

    /// Has instances looked at, and answers when the last is done. A dropped call counts as done.
    fn look(&mut self, instances: Vec<InstanceId>, answer: oneshot::Sender<()>) {
        let mut waiting = Vec::with_capacity(instances.len());
        for instance in instances {
            let (done, looked) = oneshot::channel();
            self.call(instance, Call::Look(done));
            waiting.push(looked);
        }
        self.looks.spawn(async move {
            futures::future::join_all(waiting).await;
            // Whoever asked may have stopped waiting.
            answer.send(()).ok();
        });
    }
}

/// Passes the engine's exits on, for as long as there is someone to pass them to.
async fn listen(shared: Arc<Shared>, exited: mpsc::Sender<InstanceId>) {
    loop {
        if let Ok(mut exits) = shared.runtime.exits(shared.host.node).await {
            while let Some(instance) = exits.next().await {
                if exited.send(instance).await.is_err() {
                    return;
                }
            }
        }
        tokio::time::sleep(EXITS_PAUSE).await;
    }
}
