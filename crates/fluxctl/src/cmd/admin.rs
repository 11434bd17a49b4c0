//! `admin pki init | root-keys | close-epoch | override-rate | status`

use std::{collections::BTreeMap, time::Duration};

use fluxplane_platform::{http, tls::development};
use futures::future::join_all;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::{Context, rate, root_keys};
use crate::{
    cli::admin::{Command, PkiCommand, PkiInit, Status},
    error::Error,
    exit::Exit,
    render::{Paint, Table, billing, paint::plain},
};

/// The services of a plane that have an identity of their own.
const SERVICES: &[&str] = &[
    "billing",
    "chain-indexer",
    "gateway",
    "node-registry",
    "scheduler",
    "validator",
];

/// Longest an admin listener may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn run(context: &Context<'_>, command: Command) -> Result<Exit, Error> {
    match command {
        Command::Pki(pki) => {
            let PkiCommand::Init(args) = pki.command;
            init(context, &args)
        }
        Command::RootKeys(keys) => root_keys::run(context, keys.command),
        Command::CloseEpoch(_) => {
            let epoch = context.client()?.close_epoch().await?;
            context
                .ui
                .show(&epoch, |paint| billing::epoch(&epoch, None, paint))?;
            Ok(Exit::Success)
        }
        Command::OverrideRate(args) => rate::set(context, args).await,
        Command::Status(args) => status(context, args).await,
    }
}

fn init(context: &Context<'_>, args: &PkiInit) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct Made {
        dir: String,
        /// Authority of the services, and of the nodes.
        authorities: [String; 2],
        services: Vec<String>,
    }
    let named: Vec<&str> = args.service.iter().map(String::as_str).collect();
    let services = if named.is_empty() { SERVICES } else { &named };
    development::ensure(&args.dir, services, context.settings.clock.now())
        .map_err(|err| Error::failed("pki", format!("{err:#}")))?;
    let made = Made {
        dir: args.dir.display().to_string(),
        authorities: ["ca.pem", "node-ca.pem"].map(str::to_owned),
        services: services.iter().map(|name| (*name).to_owned()).collect(),
    };
    context.ui.show(&made, |_| {
        format!(
            "{} holds ca, node-ca, and certificates of {}\n",
            made.dir,
            made.services.join(", ")
        )
    })?;
    Ok(Exit::Success)
}

/// What `/readyz` answers.
#[derive(Debug, Deserialize)]
struct Report {
    ready: bool,
    #[serde(default)]
    shutting_down: bool,
    #[serde(default)]
    components: BTreeMap<String, ComponentState>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ComponentState {
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Version {
    service: String,
    version: String,
}

/// One service as seen from here.
#[derive(Debug, Serialize)]
struct Seen {
    url: String,
    service: Option<String>,
    version: Option<String>,
    /// `ready`, `not_ready`, `shutting_down` or `unreachable`.
    state: &'static str,
    /// Why it cannot be reached.
    reason: Option<String>,
    components: BTreeMap<String, ComponentState>,
}

async fn status(context: &Context<'_>, args: Status) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct All {
        ready: bool,
        services: Vec<Seen>,
    }
    let client =
        http::client(ANSWER_TIMEOUT).map_err(|err| Error::failed("client", format!("{err:#}")))?;
    let looking = join_all(args.urls.iter().map(|url| look(&client, url)));
    let services = context
        .ui
        .progress()
        .during("asking the services", looking)
        .await;
    let all = All {
        ready: services.iter().all(|seen| seen.state == "ready"),
        services,
    };
    context.ui.show(&all, |paint| text(&all.services, paint))?;
    Ok(if all.ready {
        Exit::Success
    } else {
        Exit::Unavailable
    })
}

async fn look(client: &reqwest::Client, base: &Url) -> Seen {
    let at = |path: &str| {
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(path);
        }
        url
    };
    let ready = async {
        client
            .get(at("readyz"))
            .send()
            .await?
            .json::<Report>()
            .await
    };
    let version = async {
        client
            .get(at("version"))
            .send()
            .await?
            .json::<Version>()
            .await
    };
    let (ready, version): (Result<_, reqwest::Error>, Result<_, reqwest::Error>) =
        tokio::join!(ready, version);
    let version = version.ok();
    let url = base.as_str().trim_end_matches('/').to_owned();
    let (service, version) = version.map(|v| (v.service, v.version)).unzip();
    match ready {
        Ok(report) => Seen {
            url,
            service,
            version,
            state: match (report.ready, report.shutting_down) {
                (_, true) => "shutting_down",
                (true, false) => "ready",
                (false, false) => "not_ready",
            },
            reason: None,
            components: report.components,
        },
        Err(err) => Seen {
            url,
            service,
            version,
            state: "unreachable",
            reason: Some(if err.is_decode() {
                "what answers there is no admin listener".to_owned()
            } else {
                "does not answer".to_owned()
            }),
            components: BTreeMap::new(),
        },
    }
}

fn text(services: &[Seen], paint: Paint) -> String {
    let mut table = Table::new(&["SERVICE", "STATE", "VERSION", "URL", "WHAT"]);
    for seen in services {
        let troubled = seen
            .components
            .iter()
            .filter(|(_, state)| state.state != "ready");
        let mut what: Vec<String> = troubled
            .map(|(name, state)| {
                let reason = state.reason.as_deref().unwrap_or(&state.state);
                format!("{}: {}", plain(name), plain(reason))
            })
            .collect();
        what.extend(seen.reason.clone());
        table.row([
            seen.service.as_deref().map(plain).unwrap_or_default(),
            paint.state(seen.state),
            seen.version.as_deref().map(plain).unwrap_or_default(),
            seen.url.clone(),
            what.join("; "),
        ]);
    }
    table.text(paint, "no services")
}
