//! `/flux/…`: what a node says of itself. The plane is no node; it says which FluxOS it speaks and how far its chain is.

use axum::extract::State;
use fluxplane_proto::chain_indexer::v1::GetStatusRequest;
use serde::Serialize;

use super::envelope::{Data, Refused};
use crate::rest::Gateway;

/// The release of FluxOS whose names and answers this surface has.
const FLUXOS_VERSION: &str = "8.17.0";

/// The main network, as the chain indexer calls it.
const MAIN: &str = "main";

/// `GET /flux/version`
pub async fn version() -> Data<&'static str> {
    Data(FLUXOS_VERSION)
}

/// The parts of FluxOS' answer that mean something for a plane.
#[derive(Debug, Serialize)]
pub struct Info {
    daemon: Daemon,
    flux: Flux,
    /// Tells a client that asks that no single node answers.
    fluxplane: Plane,
}

#[derive(Debug, Serialize)]
struct Daemon {
    info: DaemonInfo,
}

#[derive(Debug, Serialize)]
struct DaemonInfo {
    blocks: u32,
    testnet: bool,
    errors: String,
}

#[derive(Debug, Serialize)]
struct Flux {
    name: &'static str,
    version: &'static str,
    development: bool,
}

#[derive(Debug, Serialize)]
struct Plane {
    version: &'static str,
}

/// `GET /flux/info`
pub async fn info(State(gateway): State<Gateway>) -> Result<Data<Info>, Refused> {
    let status = gateway.peers.chain.get_status(GetStatusRequest {}).await?;
    Ok(Data(Info {
        daemon: Daemon {
            info: DaemonInfo {
                blocks: status.height,
                testnet: status.network != MAIN,
                errors: status.halted_reason,
            },
        },
        flux: Flux {
            name: "flux",
            version: FLUXOS_VERSION,
            development: false,
        },
        fluxplane: Plane {
            version: env!("CARGO_PKG_VERSION"),
        },
    }))
}
