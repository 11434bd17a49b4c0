//! A machine becomes a node.

use std::net::IpAddr;

use fluxplane_core::{Clock, Place, attest, id::NodeId};
use fluxplane_flux_chain::{
    address::AddressSpace,
    key::PrivateKey,
    message::{CompactSignature, Magic},
    outpoint::OutPoint,
};
use fluxplane_platform::{error::Remote, tls::authority};

use crate::{
    clients::{JoinClient, JoinRequest},
    domain::Benchmark,
    store::{DataDir, Identity, StoreError, blocking},
};

/// What an operator says when joining.
#[derive(Debug)]
pub struct Join {
    pub token: String,
    /// Where the plane takes new machines, `https://host:port`.
    pub plane: String,
    /// Authority the plane proves itself with.
    pub ca_pem: String,
    pub collateral: OutPoint,
    /// Node key of the start transaction, wallet import format.
    pub node_key_wif: String,
    pub ip: IpAddr,
    pub static_ip: bool,
    pub place: Place,
    pub probe_port: u16,
    /// Join again although the data folder has an identity.
    pub force: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error(
        "the data folder belongs to node {0} already; to replace that node by a new one, which ends what it runs here, \
         repeat with --force"
    )]
    Joined(NodeId),
    #[error(
        "the token is no join token; a token is `fxj_` and 64 hexadecimal digits, as the plane gave it to the operator"
    )]
    Token,
    #[error(
        "the node key file holds no private key; it is the wallet import format that fluxd has as `zelnodeprivkey`"
    )]
    NodeKey,
    #[error("make the certificate request")]
    Request(#[source] anyhow::Error),
    #[error("reach the plane")]
    Connect(#[source] anyhow::Error),
    #[error("the plane refused")]
    Refused(#[source] Remote),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refuses early what would be refused after a benchmark.
pub fn check(dir: &DataDir, join: &Join) -> Result<(), JoinError> {
    if let Some(identity) = dir.identity()?
        && !join.force
    {
        return Err(JoinError::Joined(identity.node));
    }
    if !is_token(&join.token) {
        return Err(JoinError::Token);
    }
    node_key(&join.node_key_wif)?;
    Ok(())
}

/// Asks the plane to take this machine, and keeps what it answers.
pub async fn join(
    dir: &DataDir,
    clock: &dyn Clock,
    join: Join,
    benchmark: Benchmark,
) -> Result<Identity, JoinError> {
    check(dir, &join)?;
    let (key, csr_pem) = authority::request("fluxplane-node").map_err(JoinError::Request)?;
    let digest = authority::csr_digest(&csr_pem).map_err(JoinError::Request)?;
    let message = attest::join_message(&join.token, &digest);
    let signature = CompactSignature::sign(
        &node_key(&join.node_key_wif)?,
        Magic::FLUX,
        message.as_bytes(),
    );

    let client = JoinClient::connect(&join.plane, &join.ca_pem)
        .await
        .map_err(JoinError::Connect)?;
    let request = JoinRequest {
        token: join.token,
        csr_pem,
        node_key_signature: signature.to_base64(),
        collateral: join.collateral,
        benchmark: benchmark.clone(),
        ip: join.ip,
        place: join.place.clone(),
        static_ip: join.static_ip,
        probe_port: join.probe_port,
    };
    let reply = client.join(request).await.map_err(JoinError::Refused)?;

    let now = clock.now();
    // A damaged identity names no former node; what it ran is found by nobody else.
    let former = dir.identity().ok().flatten();
    let former_nodes = former
        .into_iter()
        .flat_map(|former| former.former_nodes.into_iter().chain([former.node]))
        .collect();
    let identity = Identity {
        node: reply.node,
        agent_endpoint: reply.agent_endpoint,
        key_pem: key.serialize_pem(),
        certificate_pem: reply.certificate_pem,
        ca_pem: join.ca_pem,
        certificate_issued_at: now,
        certificate_expires_at: reply.expires_at,
        collateral: join.collateral.to_string(),
        ip: join.ip,
        static_ip: join.static_ip,
        place: join.place,
        probe_port: join.probe_port,
        benchmark,
        joined_at: now,
        former_nodes,
    };
    let (folder, written) = (dir.clone(), identity.clone());
    blocking(move || folder.put_identity(&written)).await?;
    Ok(identity)
}

/// A text that was cut off when it was copied is better refused here than spent as a try.
fn is_token(text: &str) -> bool {
    let secret = text.strip_prefix("fxj_").unwrap_or_default();
    secret.len() == 64 && secret.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Reads a node key of whichever network: what it signs is the same on all.
fn node_key(wif: &str) -> Result<PrivateKey, JoinError> {
    [AddressSpace::Main, AddressSpace::Test]
        .into_iter()
        .find_map(|space| PrivateKey::from_wif(wif.trim(), space).ok())
        .ok_or(JoinError::NodeKey)
}
