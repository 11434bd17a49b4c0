//! Billing: closed epochs and their leaves.

use fluxplane_core::ErrorKind;
use fluxplane_ledger::settlement::{
    Anchor as Commitment, EpochHeader, Hash32,
    epoch::{EpochError, recompute},
};
use fluxplane_platform::{
    error::{Remote, chain},
    grpc::{Client, client::retry},
};
use fluxplane_proto::billing::v1::{
    EpochState, GetEpochRequest, StreamLeavesRequest, billing_service_client::BillingServiceClient,
};
use tokio::sync::mpsc;
use tonic::Request;

use crate::domain::{anchor::Announced, check::Refusal};

/// Messages in flight between the network and the hashing.
const AHEAD: usize = 4;

/// Asks billing.
#[derive(Debug, Clone)]
pub struct Billing(BillingServiceClient<Client>);

/// Why an epoch could not be recomputed.
#[derive(Debug, thiserror::Error)]
pub enum RecomputeError {
    /// Billing is away or answered with an error; nothing is known about the leaves.
    #[error("read the leaves: {0}")]
    Remote(Remote),
    /// The leaves are there and wrong.
    #[error("{0}")]
    Refused(Refusal),
}

impl Billing {
    pub fn new(client: Client) -> Self {
        Self(BillingServiceClient::new(client))
    }

    /// A closed epoch; `None` when it is open or unknown.
    pub async fn epoch(&self, number: u64) -> Result<Option<Announced>, Remote> {
        let answer = retry(|| {
            let mut client = self.0.clone();
            async move { client.get_epoch(GetEpochRequest { number }).await }
        })
        .await;
        let epoch = match answer.map_err(Remote::from) {
            Ok(response) => response.into_inner().epoch,
            Err(remote) if remote.kind == ErrorKind::NotFound => return Ok(None),
            Err(remote) => return Err(remote),
        };
        Ok(epoch.and_then(|epoch| {
            match epoch.state() {
                EpochState::Closed | EpochState::Anchored | EpochState::Sealed => {}
                EpochState::Open | EpochState::Unspecified => return None,
            }
            let hash = |bytes: Vec<u8>| bytes.try_into().ok().map(Hash32);
            Some(Announced {
                epoch: epoch.number,
                root: hash(epoch.root)?,
                previous_root: hash(epoch.previous_root)?,
                leaf_count: epoch.leaf_count,
            })
        }))
    }

    /// Reads all leaves of an epoch and makes its root again. Leaves are hashed as they come, so a large epoch takes little
    /// memory.
    pub async fn recompute(&self, epoch: u64) -> Result<(EpochHeader, Commitment), RecomputeError> {
        /// Leaves of a million lines take seconds, not minutes.
        const DEADLINE: std::time::Duration = std::time::Duration::from_mins(5);
        let (leaves, mut incoming) = mpsc::channel::<Vec<Vec<u8>>>(AHEAD);
        let hashing = tokio::task::spawn_blocking(move || {
            let batches = std::iter::from_fn(move || incoming.blocking_recv());
            recompute(batches.flatten())
        });
        let mut request = Request::new(StreamLeavesRequest { epoch });
        request.set_timeout(DEADLINE);
        let mut client = self.0.clone();
        let remote = |status: tonic::Status| RecomputeError::Remote(status.into());
        let mut stream = client
            .stream_leaves(request)
            .await
            .map_err(remote)?
            .into_inner();
        let mut next = 0;
        let mut gap = None;
        while let Some(message) = stream.message().await.map_err(remote)? {
            if message.first_index != next {
                gap = Some((message.first_index, next));
                break;
            }
            next += u64::try_from(message.leaves.len()).unwrap_or(u64::MAX);
            // The hashing ends early when a leaf is wrong; the verdict is below.
            if leaves.send(message.leaves).await.is_err() {
                break;
            }
        }
        drop(leaves);
        if let Some((found, expected)) = gap {
            let text = format!("leaf {found} was sent where leaf {expected} was due");
            return Err(RecomputeError::Refused(Refusal::Leaves(text)));
        }
        let verdict: Result<_, EpochError> = hashing.await.map_err(|_| {
            RecomputeError::Refused(Refusal::Leaves("hashing the leaves failed".to_owned()))
        })?;
        verdict.map_err(|err| RecomputeError::Refused(Refusal::Leaves(chain(&err))))
    }
}
