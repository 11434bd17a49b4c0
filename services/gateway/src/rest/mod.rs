//! HTTP: the only place that speaks it, and with `clients` the only one that knows other services' messages.
//!
//! | module | what |
//! |---|---|
//! | [`v1`] | one file per operation: handler, request and answer, documentation |
//! | [`fluxos`] | the same for clients of FluxOS, with its names and answers |
//! | [`access`] | who may call what; what is not listed is refused |
//! | [`router`] | all routes, and the layers around them in order |
//! | [`layers`] | identity, limits, audit, and how every answer looks |
//! | [`extract`] | bodies, queries and paths, refused by field |
//! | [`failure`] | every refusal as a problem document |
//! | [`sse`] | event streams that end in time |
//! | [`openapi`], [`pages`] | the documents |
//! | [`listener`] | connections, plain or TLS |

pub mod access;
pub mod amount;
pub mod etag;
pub mod extract;
pub mod failure;
pub mod fluxos;
pub mod layers;
pub mod limits;
pub mod listener;
pub mod openapi;
pub mod page;
pub mod pages;
pub mod router;
pub mod sse;
pub mod v1;
pub mod wire;

use std::{ops::Deref, sync::Arc};

use fluxplane_platform::metrics::Metrics;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use failure::Failure;

use crate::{
    app::{self, audit_log::AuditLog},
    clients::{Peers, node_count::NodeCount},
    config::Rest,
    metrics::GatewayMetrics,
};

/// What handlers and layers work with. Clones share everything.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Parts>);

#[derive(Debug)]
pub struct Parts {
    pub ctx: app::Context,
    pub audit: AuditLog,
    pub peers: Peers,
    pub limits: limits::Limits,
    pub metrics: GatewayMetrics,
    pub platform_metrics: Metrics,
    pub config: Rest,
    /// Nodes by state, as of a moment ago; `None` until first counted.
    pub node_count: watch::Receiver<Option<NodeCount>>,
    /// Changing calls in flight, which go on when their client leaves.
    pub calls: TaskTracker,
    /// Cancelled when streams must end.
    pub stop: CancellationToken,
}

impl Gateway {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Gateway {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
