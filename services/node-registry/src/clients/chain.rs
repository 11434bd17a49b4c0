//! The chain indexer: what the chain says about a collateral.

use fluxplane_core::Tier;
use fluxplane_platform::{
    error::Remote,
    grpc::{Client, client::retry},
};
use fluxplane_proto::{
    chain_indexer::v1::{
        FluxnodeStatus, GetFluxnodeRequest, chain_service_client::ChainServiceClient,
    },
    common::v1::{self as common, OutPoint},
};
use tonic::Code;

use crate::domain::{Collateral, join::ChainNode};

/// Asks the chain indexer.
#[derive(Debug, Clone)]
pub struct Chain(ChainServiceClient<Client>);

impl Chain {
    pub fn new(client: Client) -> Self {
        Self(ChainServiceClient::new(client))
    }

    /// The fluxnode of a collateral; `None` when the list does not have it.
    pub async fn fluxnode(&self, collateral: &Collateral) -> Result<Option<ChainNode>, Remote> {
        let answer = retry(|| {
            let mut client = self.0.clone();
            let outpoint = OutPoint {
                txid: collateral.txid.clone(),
                vout: collateral.vout,
            };
            let request = GetFluxnodeRequest {
                collateral: Some(outpoint),
            };
            async move { client.get_fluxnode(request).await }
        })
        .await;
        let fluxnode = match answer {
            Ok(response) => response.into_inner().fluxnode,
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(status.into()),
        };
        Ok(fluxnode.and_then(|node| {
            let tier = match node.tier() {
                common::Tier::Cumulus => Tier::Cumulus,
                common::Tier::Nimbus => Tier::Nimbus,
                common::Tier::Stratus => Tier::Stratus,
                common::Tier::Unspecified => return None,
            };
            let confirmed = match node.status() {
                FluxnodeStatus::Confirmed => true,
                FluxnodeStatus::Started | FluxnodeStatus::Dos | FluxnodeStatus::Unspecified => {
                    false
                }
            };
            Some(ChainNode {
                tier,
                confirmed,
                node_pubkey: node.node_pubkey,
                ip: node.ip,
            })
        }))
    }
}
