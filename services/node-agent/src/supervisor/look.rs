//! One look at an instance: do its containers run, do its ports answer.

use std::{net::SocketAddr, time::Duration};

use crate::{
    domain::{ContainerSpec, health::Look},
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
    /// A container is not there, or was never started.
    Missing,
}

/// Looks at every container, then at the first port of each component that has one.
///
/// An engine that does not answer leaves the ports to tell: what answers, runs.
pub(super) async fn look(runtime: &dyn Runtime, specs: &[ContainerSpec], limit: Duration) -> Seen {
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
    for port in specs.iter().filter_map(|spec| spec.ports.first()) {
        let address = SocketAddr::new(port.address, port.host);
        if let Err(unreachable) = runtime.reach(address, limit).await {
            return Seen::Running(Look::Ill(unreachable.to_string()));
        }
        answered = true;
    }
    Seen::Running(match unknown {
        Some(reason) if !answered => Look::Unknown(reason),
        Some(_) | None => Look::Well,
    })
}
