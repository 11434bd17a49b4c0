//! Who this machine is to the plane.

use std::{fmt, net::IpAddr};

use chrono::{DateTime, Utc};
use fluxplane_core::{Place, id::NodeId};
use serde::{Deserialize, Serialize};

use super::{DataDir, StoreError};
use crate::domain::Benchmark;

/// Everything that joining gave. One file, so that key and certificate always belong together.
#[derive(Clone, Serialize, Deserialize)]
pub struct Identity {
    pub node: NodeId,
    /// Where the plane listens for agents, `https://host:port`.
    pub agent_endpoint: String,
    /// The agent's Ed25519 key, PKCS#8, PEM. Secret.
    pub key_pem: String,
    pub certificate_pem: String,
    /// Authority behind the endpoint.
    pub ca_pem: String,
    pub certificate_issued_at: DateTime<Utc>,
    pub certificate_expires_at: DateTime<Utc>,
    /// `txid:vout`.
    pub collateral: String,
    /// Address at which instances are reached.
    pub ip: IpAddr,
    pub static_ip: bool,
    pub place: Place,
    /// Port at which the plane's own probe is answered.
    pub probe_port: u16,
    /// As told to the plane when joining.
    pub benchmark: Benchmark,
    pub joined_at: DateTime<Utc>,
    /// Nodes this machine was before; what they left running is removed.
    #[serde(default)]
    pub former_nodes: Vec<NodeId>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

const FILE: &str = "identity.json";

impl Identity {
    /// When the certificate is to be renewed: at half its life.
    pub fn renew_at(&self) -> DateTime<Utc> {
        let life = self.certificate_expires_at - self.certificate_issued_at;
        self.certificate_issued_at + life / 2
    }
}

impl DataDir {
    /// The identity, once the machine has joined.
    pub fn identity(&self) -> Result<Option<Identity>, StoreError> {
        self.read(FILE, "restore it from a copy, or join again with --force")
    }

    /// Stores an identity. What belongs to another node's life is forgotten.
    pub fn put_identity(&self, identity: &Identity) -> Result<(), StoreError> {
        let former = self.identity().ok().flatten().map(|former| former.node);
        if former.is_some_and(|former| former != identity.node) {
            self.forget_desired()?;
            self.forget_all_private()?;
            self.forget_heartbeats()?;
            self.forget_usage()?;
        }
        self.write(FILE, identity)
    }
}
