//! One look at an instance: do its containers run, do its ports and probes answer.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use chrono::{DateTime, Utc};

use crate::{
    domain::{
        ContainerSpec,
        health::Look,
        probing::{Probing, State},
    },
    runtime::{ContainerState, Runtime},
};

/// What a look found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// All containers run, as far as is known.
    Running(Look),
    /// A container exited.
    Exited {
        component: String,
        code: i64,
        out_of_memory: bool,
    },
    /// A container runs and its own probes say that it must be started again.
    Broken { component: String, cause: String },
    /// A container is not there, or was never started.
    Missing,
}

/// The probes of components that have some, by component.
pub(super) type Probings = BTreeMap<String, Probing>;

/// Looks at every container, then asks the probes of each component, or its first TCP port where it has none.
///
/// An engine that does not answer leaves the ports to tell: what answers, runs.
pub(super) async fn look(
    runtime: &dyn Runtime,
    specs: &[ContainerSpec],
    probings: &mut Probings,
    at: DateTime<Utc>,
    limit: Duration,
) -> Seen {
    let mut unknown = None;
    for spec in specs {
        match runtime.inspect(&spec.name).await {
            Ok(Some(container)) => match container.state {
                ContainerState::Running => {}
                ContainerState::Created => return Seen::Missing,
                ContainerState::Exited {
                    code,
                    out_of_memory,
                } => {
                    return Seen::Exited {
                        component: spec.component.clone(),
                        code,
                        out_of_memory,
                    };
                }
            },
            Ok(None) => return Seen::Missing,
            Err(err) => unknown = Some(err.to_string()),
        }
    }
    let mut answered = false;
    let mut waiting = None;
    for spec in specs {
        let Some(probing) = probings.get_mut(&spec.component) else {
            let first = spec.ports.iter().find(|port| port.protocol.has_tcp());
            let Some(port) = first else { continue };
            let address = SocketAddr::new(port.address, port.host);
            if let Err(unreachable) = runtime.reach(address, None, limit).await {
                return Seen::Running(Look::Ill(unreachable.to_string()));
            }
            answered = true;
            continue;
        };
        match ask(runtime, spec, probing, at).await {
            State::Ready => answered = true,
            State::Waiting(reason) => waiting = waiting.or(Some(reason)),
            State::NotReady(reason) => return Seen::Running(Look::Down(reason)),
            State::Broken(cause) => {
                return Seen::Broken {
                    component: spec.component.clone(),
                    cause,
                };
            }
        }
    }
    Seen::Running(match (waiting, unknown) {
        (Some(reason), _) => Look::Unknown(reason),
        (None, Some(reason)) if !answered => Look::Unknown(reason),
        (None, Some(_) | None) => Look::Well,
    })
}

/// Asks what is due of one component. The worst answer counts.
async fn ask(
    runtime: &dyn Runtime,
    spec: &ContainerSpec,
    probing: &mut Probing,
    at: DateTime<Utc>,
) -> State {
    let due: Vec<_> = probing
        .due(at)
        .into_iter()
        .map(|(which, probe)| (which, probe.clone()))
        .collect();
    let mut worst = None;
    for (which, probe) in due {
        // Checked when the container was made.
        let Some(address) = spec.address_of(probe.port) else {
            continue;
        };
        let limit = Duration::from_secs(probe.timeout_s.max(1).into());
        let path = probe.http_path.as_deref();
        let answer = runtime.reach(address, path, limit).await;
        let state = probing.answered(which, answer.map_err(|err| err.to_string()), at);
        worst = Some(match (worst, state) {
            (None | Some(State::Ready), state) => state,
            (Some(worst), State::Ready) => worst,
            (Some(State::Waiting(_)), state) => state,
            (Some(worst), _) => worst,
        });
        if matches!(worst, Some(State::Broken(_))) {
            break;
        }
    }
    worst.unwrap_or_else(|| probing.idle())
}
