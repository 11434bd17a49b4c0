//! `/daemon/…`: what fluxd would answer, as far as the chain indexer knows it.

pub mod blocks;
pub mod fluxnodes;
pub mod transactions;

use fluxplane_core::{ErrorKind, error::Reason};
use fluxplane_flux_chain::address::AddressSpace;
use fluxplane_platform::error::Remote;
use fluxplane_proto::chain_indexer::v1::{GetStatusRequest, GetStatusResponse};

use super::envelope::Refused;
use crate::rest::Gateway;

/// fluxd's codes (`src/rpc/protocol.h`).
const INVALID_ADDRESS_OR_KEY: i64 = -5;
const INVALID_PARAMETER: i64 = -8;

/// The main network, as the chain indexer calls it.
const MAIN: &str = "main";

async fn status(gateway: &Gateway) -> Result<GetStatusResponse, Refused> {
    let status = gateway.peers.chain.get_status(GetStatusRequest {}).await?;
    Ok(status)
}

fn address_space(status: &GetStatusResponse) -> AddressSpace {
    if status.network == MAIN {
        AddressSpace::Main
    } else {
        AddressSpace::Test
    }
}

/// What fluxd says of a thing that is not there, or not a name of one.
fn unknown(remote: Remote, code: i64, message: &str) -> Refused {
    let unknown = remote.reason == Reason::NotFound || remote.kind == ErrorKind::Invalid;
    if unknown {
        Refused::daemon(code, message)
    } else {
        remote.into()
    }
}
