//! `logs`: what all copies write, interleaved.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at},
};
use uuid::Uuid;

use super::Context;
use crate::{
    api::{
        App, Client, Error as ApiError, Instance, LogLine, follow::LogQuery, instances::LogStream,
    },
    cli::app::Logs,
    error::Error,
    exit::Exit,
    render::{
        Paint,
        paint::{Tone, log_text, plain},
        time::exact,
    },
};

/// How often copies that were added are looked for.
const LOOK: Duration = Duration::from_secs(5);

/// Lines that may wait for the screen.
const WAITING: usize = 1_024;

/// Who writes: one component of one copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    slot: u32,
    instance: Uuid,
    component: Option<String>,
}

/// A line with its writer.
#[derive(Debug, Serialize)]
struct Said<'a> {
    instance_id: Uuid,
    slot: u32,
    #[serde(flatten)]
    line: &'a LogLine,
}

type Heard = (Source, Result<LogLine, ApiError>);

pub(super) async fn run(context: &Context<'_>, args: Logs) -> Result<Exit, Error> {
    let client = context.client()?;
    let app = client.app(args.name.as_str()).await?;
    let components = match &args.component {
        Some(component) => vec![Some(component.clone())],
        None => components(&app),
    };
    let mut listeners = Listeners {
        client,
        args,
        components,
        known: BTreeSet::new(),
        tasks: JoinSet::new(),
    };
    listeners.look(context).await?;
    if listeners.args.follow {
        listeners.follow(context).await
    } else {
        listeners.past(context).await
    }
}

/// The components whose logs are asked for one by one; `None` where there is only one.
fn components(app: &App) -> Vec<Option<String>> {
    #[derive(serde::Deserialize)]
    struct Named {
        name: String,
    }
    #[derive(serde::Deserialize)]
    struct Composed {
        #[serde(default)]
        compose: Vec<Named>,
    }
    let spec = app
        .current
        .as_ref()
        .and_then(|revision| revision.spec.as_deref());
    let composed =
        spec.and_then(|spec: &RawValue| serde_json::from_str::<Composed>(spec.get()).ok());
    match composed {
        Some(Composed { compose }) if compose.len() > 1 => compose
            .into_iter()
            .map(|component| Some(component.name))
            .collect(),
        Some(_) | None => vec![None],
    }
}

struct Listeners {
    client: Client,
    args: Logs,
    components: Vec<Option<String>>,
    known: BTreeSet<Source>,
    tasks: JoinSet<Vec<Heard>>,
}

impl Listeners {
    /// Sources that were not known before.
    async fn look(&mut self, context: &Context<'_>) -> Result<Vec<Source>, Error> {
        let instances = self
            .client
            .instances(self.args.name.as_str(), false)
            .await?;
        let wanted = |instance: &&Instance| {
            self.args.instance.is_empty() || self.args.instance.contains(&instance.instance_id)
        };
        let mut fresh = Vec::new();
        for instance in instances.iter().filter(wanted) {
            if instance.node_id.is_none() {
                if !self.args.follow {
                    context.ui.note(format!(
                        "copy {} has no node yet, so it wrote nothing",
                        instance.slot
                    ));
                }
                continue;
            }
            for component in &self.components {
                let source = Source {
                    slot: instance.slot,
                    instance: instance.instance_id,
                    component: component.clone(),
                };
                if !self.known.contains(&source) {
                    fresh.push(source);
                }
            }
        }
        self.known.extend(fresh.iter().cloned());
        Ok(fresh)
    }

    fn query(&self, source: &Source) -> LogQuery {
        LogQuery {
            app: self.args.name.to_string(),
            instance: source.instance,
            component: source.component.clone(),
            tail: self.args.tail,
            follow: self.args.follow,
        }
    }

    /// Lines of the past, in the order of time.
    async fn past(mut self, context: &Context<'_>) -> Result<Exit, Error> {
        for source in self.known.clone() {
            let (client, query) = (self.client.clone(), self.query(&source));
            self.tasks.spawn(async move {
                match client.past_logs(query).await {
                    Ok(lines) => lines
                        .into_iter()
                        .map(|line| (source.clone(), Ok(line)))
                        .collect(),
                    Err(err) => vec![(source, Err(err))],
                }
            });
        }
        let tasks = self.tasks;
        let reading = tasks.join_all();
        let heard = context.ui.progress().during("reading logs", reading).await;
        let (mut lines, mut faults) = (Vec::new(), Vec::new());
        for (source, heard) in heard.into_iter().flatten() {
            match heard {
                Ok(line) => lines.push((source, line)),
                Err(err) => faults.push((source, err)),
            }
        }
        lines.sort_by_key(|(_, line)| line.at);
        for (source, line) in &lines {
            print(context, &self.args, source, line)?;
        }
        conclude(context, lines.is_empty(), faults)
    }

    /// Lines as they are written, also by copies that are added.
    async fn follow(mut self, context: &Context<'_>) -> Result<Exit, Error> {
        let (sender, mut heard) = mpsc::channel::<Heard>(WAITING);
        for source in self.known.clone() {
            self.listen(source, &sender);
        }
        let mut looks = interval_at(Instant::now() + LOOK, LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some((source, said)) = heard.recv() => match said {
                    Ok(line) => print(context, &self.args, &source, &line)?,
                    Err(err) => complain(context, &source, &err),
                },
                _ = looks.tick() => {
                    for source in self.look(context).await? {
                        self.listen(source, &sender);
                    }
                }
            }
        }
    }

    fn listen(&mut self, source: Source, sender: &mpsc::Sender<Heard>) {
        let (mut logs, sender) = (self.client.logs(self.query(&source)), sender.clone());
        self.tasks.spawn(async move {
            loop {
                let said = match logs.next().await {
                    Ok(Some(line)) => Ok(line),
                    Ok(None) => return Vec::new(),
                    Err(err) => Err(err),
                };
                let failed = said.is_err();
                if sender.send((source.clone(), said)).await.is_err() || failed {
                    return Vec::new();
                }
            }
        });
    }
}

/// One copy's fault is not another's; but when nothing was read at all, the fault is the answer.
fn conclude(
    context: &Context<'_>,
    nothing: bool,
    faults: Vec<(Source, ApiError)>,
) -> Result<Exit, Error> {
    let mut faults = faults.into_iter();
    if nothing && let Some((_, err)) = faults.next() {
        return Err(err.into());
    }
    let mut exit = Exit::Success;
    for (source, err) in faults {
        complain(context, &source, &err);
        exit = Exit::Failed;
    }
    Ok(exit)
}

fn complain(context: &Context<'_>, source: &Source, err: &ApiError) {
    context
        .ui
        .note(format!("copy {} ({}): {err}", source.slot, source.instance));
}

fn print(context: &Context<'_>, args: &Logs, source: &Source, line: &LogLine) -> Result<(), Error> {
    let said = Said {
        instance_id: source.instance,
        slot: source.slot,
        line,
    };
    let terminal = context.ui.stdout_is_terminal();
    context
        .ui
        .line(&said, |paint| text(args, source, line, terminal, paint))
}

fn text(args: &Logs, source: &Source, line: &LogLine, terminal: bool, paint: Paint) -> String {
    let component = if line.component.is_empty() {
        args.name.to_string()
    } else {
        plain(&line.component)
    };
    let mark = match line.stream {
        LogStream::Stderr => "!",
        LogStream::Stdout | LogStream::Other(_) => "|",
    };
    let prefix = format!("{component}.{} {} {mark}", source.slot, exact(line.at));
    let slot = usize::try_from(source.slot).unwrap_or(0);
    // A file or a pipe gets what was written.
    let written = if terminal {
        log_text(&line.text, paint.is_colored())
    } else {
        line.text.clone()
    };
    format!("{} {written}", paint.tone(Tone::Source(slot), &prefix))
}
