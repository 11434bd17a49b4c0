//! What the daemon says about itself. A development chain has no peers.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    build::MIN_RELAY_FEE,
    describe::{Amount, Significant},
};
use serde::Serialize;

use crate::{
    daemon::Daemon,
    rpc::{Answer, Method, Params, answer, read},
};

/// The daemon whose behaviour this is (RunOnFlux/fluxd, 9.0.6).
const VERSION: u32 = 9_000_650;
const PROTOCOL_VERSION: u32 = 170_021;
const WALLET_VERSION: u32 = 60_000;
const SUBVERSION: &str = "/MagicBean:9.0.6(fluxplane-devnet)/";

/// Keys are derived, so there is no pool of them; the daemon's default size is told.
const KEY_POOL: u32 = 101;

pub(super) fn methods() -> Vec<Method> {
    vec![
        read("getinfo", "", 0..=0, "Various figures.", getinfo),
        read(
            "getnetworkinfo",
            "",
            0..=0,
            "The state of the network layer.",
            getnetworkinfo,
        ),
        read("getpeerinfo", "", 0..=0, "There are no peers.", |_, _| {
            answer(&Vec::<()>::new())
        }),
        read(
            "getconnectioncount",
            "",
            0..=0,
            "There are no peers.",
            |_, _| answer(&0),
        ),
    ]
}

fn relay_fee() -> Amount {
    Amount(Sat::new(i64::from(MIN_RELAY_FEE.0)))
}

#[derive(Serialize)]
struct Info {
    version: u32,
    protocolversion: u32,
    walletversion: u32,
    balance: Amount,
    blocks: u32,
    timeoffset: i32,
    connections: u32,
    proxy: &'static str,
    difficulty: Significant,
    testnet: bool,
    keypoololdest: u32,
    keypoolsize: u32,
    paytxfee: Amount,
    relayfee: Amount,
    errors: &'static str,
}

fn getinfo(daemon: &Daemon, _: &Params) -> Answer {
    let tip = daemon.chain.tip();
    answer(&Info {
        version: VERSION,
        protocolversion: PROTOCOL_VERSION,
        walletversion: WALLET_VERSION,
        balance: Amount(daemon.wallet.balance(&daemon.chain, &daemon.mempool)),
        blocks: tip.height,
        timeoffset: 0,
        connections: 0,
        proxy: "",
        difficulty: Significant::difficulty(daemon.chain.params(), tip.bits),
        testnet: false,
        keypoololdest: daemon.started_at(),
        keypoolsize: KEY_POOL,
        paytxfee: Amount(Sat::ZERO),
        relayfee: relay_fee(),
        errors: "",
    })
}

#[derive(Serialize)]
struct NetworkInfo {
    version: u32,
    subversion: &'static str,
    protocolversion: u32,
    localservices: &'static str,
    timeoffset: i32,
    connections: u32,
    networks: [Network; 3],
    relayfee: Amount,
    localaddresses: [(); 0],
    warnings: &'static str,
}

#[derive(Serialize)]
struct Network {
    name: &'static str,
    limited: bool,
    reachable: bool,
    proxy: &'static str,
    proxy_randomize_credentials: bool,
}

fn getnetworkinfo(_: &Daemon, _: &Params) -> Answer {
    let network = |name, reachable: bool| Network {
        name,
        limited: !reachable,
        reachable,
        proxy: "",
        proxy_randomize_credentials: false,
    };
    answer(&NetworkInfo {
        version: VERSION,
        subversion: SUBVERSION,
        protocolversion: PROTOCOL_VERSION,
        localservices: "0000000000000005",
        timeoffset: 0,
        connections: 0,
        networks: [
            network("ipv4", true),
            network("ipv6", true),
            network("onion", false),
        ],
        relayfee: relay_fee(),
        localaddresses: [],
        warnings: "",
    })
}
