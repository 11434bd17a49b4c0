//! Asking to join, before there is a certificate.

use std::{net::IpAddr, time::Duration};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use fluxplane_core::{Place, id::NodeId};
use fluxplane_flux_chain::outpoint::OutPoint;
use fluxplane_platform::{error::Remote, grpc, tls};
use fluxplane_proto::{
    common::v1 as common,
    node_registry::v1::{self as wire, join_service_client::JoinServiceClient},
};
use prost_types::Timestamp;
use tonic::transport::Channel;

use super::{malformed, time};
use crate::domain::Benchmark;

/// The plane asks the chain before it answers.
const LIMIT: Duration = Duration::from_secs(20);

/// Everything a machine says of itself.
#[derive(Debug)]
pub struct JoinRequest {
    pub token: String,
    pub csr_pem: String,
    pub node_key_signature: String,
    pub collateral: OutPoint,
    pub benchmark: Benchmark,
    pub ip: IpAddr,
    pub place: Place,
    pub static_ip: bool,
    pub probe_port: u16,
}

#[derive(Debug)]
pub struct JoinReply {
    pub node: NodeId,
    pub certificate_pem: String,
    pub expires_at: DateTime<Utc>,
    pub agent_endpoint: String,
}

#[derive(Debug)]
pub struct JoinClient(JoinServiceClient<Channel>);

impl JoinClient {
    /// Connects to the plane, which proves itself with a certificate of `ca_pem`.
    pub async fn connect(endpoint: &str, ca_pem: &str) -> anyhow::Result<Self> {
        let channel = grpc::client::channel(endpoint, tls::anonymous_client(ca_pem))?
            .timeout(LIMIT)
            .connect()
            .await
            .with_context(|| format!("connect to the plane at {endpoint}"))?;
        Ok(Self(JoinServiceClient::new(channel)))
    }

    pub async fn join(mut self, request: JoinRequest) -> Result<JoinReply, Remote> {
        let reply = self.0.join(to_wire(request)).await?.into_inner();
        Ok(JoinReply {
            node: reply.node_id.parse().map_err(|_| malformed("node_id"))?,
            expires_at: time("expires_at", reply.expires_at)?,
            certificate_pem: reply.certificate_pem,
            agent_endpoint: reply.agent_endpoint,
        })
    }
}

fn to_wire(request: JoinRequest) -> wire::JoinRequest {
    let JoinRequest {
        token,
        csr_pem,
        node_key_signature,
        collateral,
        benchmark,
        ip,
        place,
        static_ip,
        probe_port,
    } = request;
    wire::JoinRequest {
        token,
        csr_pem,
        node_key_signature,
        collateral: Some(common::OutPoint {
            txid: collateral.txid.to_string(),
            vout: collateral.n,
        }),
        benchmark: Some(wire::Benchmark {
            threads: benchmark.threads,
            ram_mib: benchmark.ram_mib,
            disk_gib: benchmark.disk_gib,
            hash_mib_s: benchmark.hash_mib_s,
            disk_write_mib_s: benchmark.disk_write_mib_s,
            measured_at: Some(Timestamp {
                seconds: benchmark.measured_at.timestamp(),
                nanos: 0,
            }),
        }),
        ip: ip.to_string(),
        place: Some(common::Place {
            continent: place.continent,
            country: place.country,
            region: place.region,
        }),
        static_ip,
        probe_port: probe_port.into(),
    }
}
