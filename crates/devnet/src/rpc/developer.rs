//! Methods of ours, for developers: coins, reorganisations, snapshots, nodes, the pace of blocks, and recordings.

use std::{path::PathBuf, time::Duration};

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    Address, Hash256, OutPoint, PrivateKey, PublicKey, describe::Amount, fluxnode::NodeEntry,
};
use serde::{Deserialize, Serialize};

use crate::{
    chain::BlockRef,
    daemon::{Daemon, NewNode, NodeView, Reorganisation, Schedule, Source},
    rpc::{Answer, Method, Params, RpcError, answer, params::Param, read, write},
    wallet::SPACE,
};

/// The longest time between blocks: beyond it, make them on demand.
const MOST_INTERVAL_MS: i64 = 3_600_000;

pub(super) fn methods() -> Vec<Method> {
    let mut all = chain_methods();
    all.extend(node_methods());
    all.extend(pace_methods());
    all
}

fn chain_methods() -> Vec<Method> {
    vec![
        write(
            "devnet_faucet",
            "\"address\" amount",
            2..=2,
            "Sends coins of the faucet; the next block holds the payment.",
            faucet,
        ),
        write(
            "devnet_reorg",
            "depth ( blocks )",
            1..=2,
            "Replaces the last blocks by a branch one longer, or as long as asked; transactions wait again.",
            reorganise,
        ),
        write(
            "devnet_snapshot",
            "( \"file\" )",
            0..=1,
            "Writes the chain to a file.",
            snapshot,
        ),
        write(
            "devnet_restore",
            "\"file\"",
            1..=1,
            "Goes back to what a snapshot holds.",
            restore,
        ),
        read(
            "devnet_accounts",
            "",
            0..=0,
            "The developer's keys, addresses and balances.",
            accounts,
        ),
        read(
            "devnet_params",
            "",
            0..=0,
            "What a follower of this chain must configure.",
            chain_parameters,
        ),
    ]
}

fn node_methods() -> Vec<Method> {
    vec![
        write(
            "devnet_addnode",
            "{\"tier\":\"CUMULUS|NIMBUS|STRATUS\",\"ip\":\"host:port\",\"collateral_key\":\"wif\",\"node_key\":\"wif\",\"fast\":true|false}",
            1..=1,
            "Funds a node, starts and confirms it, and keeps it confirmed; fast makes the blocks this takes.",
            add_node,
        ),
        write(
            "devnet_removenode",
            "\"txid:n\"",
            1..=1,
            "Spends the collateral of a node back to the faucet, which ends it.",
            remove_node,
        ),
        write(
            "devnet_stopnode",
            "\"txid:n\"",
            1..=1,
            "Stops confirming a node; it expires.",
            |daemon, params| set_running(daemon, params, false),
        ),
        write(
            "devnet_startnode",
            "\"txid:n\"",
            1..=1,
            "Resumes confirming a node.",
            |daemon, params| set_running(daemon, params, true),
        ),
        write(
            "devnet_setnodeip",
            "\"txid:n\" \"host:port\"",
            2..=2,
            "Gives a node another address; it tells the chain as soon as the rules allow.",
            set_node_ip,
        ),
        read(
            "devnet_nodes",
            "",
            0..=0,
            "The developer's nodes, with their keys.",
            nodes,
        ),
    ]
}

fn pace_methods() -> Vec<Method> {
    vec![
        write(
            "devnet_setinterval",
            "milliseconds",
            1..=1,
            "Sets the time between blocks; 0 makes them on demand only.",
            set_interval,
        ),
        write(
            "devnet_mine",
            "on",
            1..=1,
            "Turns making blocks by the clock on or off.",
            set_mining,
        ),
        write(
            "devnet_step",
            "( blocks )",
            0..=1,
            "Shows the next blocks of a recording.",
            step,
        ),
        read(
            "devnet_height",
            "",
            0..=0,
            "How far the chain is, and where a recording ends.",
            height,
        ),
    ]
}

#[derive(Serialize)]
struct Paid {
    txid: Hash256,
    vout: u32,
}

fn faucet(daemon: &mut Daemon, params: &Params) -> Answer {
    let text = params.required(0)?.text()?;
    let address = Address::parse_in(&text, SPACE)
        .map_err(|error| RpcError::address(format!("address: {error}")))?;
    let amount: Sat = params.required(1)?.amount()?;
    let txid = daemon.faucet(&address, amount)?.txid;
    answer(&Paid { txid, vout: 0 })
}

#[derive(Serialize)]
struct BlockRefView {
    hash: Hash256,
    height: u32,
}

impl From<BlockRef> for BlockRefView {
    fn from(block: BlockRef) -> Self {
        Self {
            hash: block.hash,
            height: block.height,
        }
    }
}

#[derive(Serialize)]
struct ReorganisationView {
    old: BlockRefView,
    new: BlockRefView,
    fork: BlockRefView,
    disconnected: Vec<Hash256>,
    connected: Vec<Hash256>,
}

fn small(param: &Param, name: &str) -> Result<u32, RpcError> {
    let value = param.integer()?;
    u32::try_from(value)
        .map_err(|_| RpcError::parameter(format!("{name} {value}: write a number from 0 on")))
}

fn reorganise(daemon: &mut Daemon, params: &Params) -> Answer {
    let depth = small(params.required(0)?, "depth")?;
    let blocks = params.get(1).map(|blocks| small(blocks, "blocks"));
    let Reorganisation {
        old,
        new,
        fork,
        disconnected,
        connected,
    } = daemon.reorganise(depth, blocks.transpose()?)?;
    answer(&ReorganisationView {
        old: old.into(),
        new: new.into(),
        fork: fork.into(),
        disconnected,
        connected,
    })
}

#[derive(Serialize)]
struct SnapshotView {
    file: PathBuf,
    height: u32,
    hash: Hash256,
}

fn snapshot(daemon: &mut Daemon, params: &Params) -> Answer {
    let file = params.get(0).map(Param::text).transpose()?;
    let file = daemon.snapshot(file.map(PathBuf::from))?;
    let tip = daemon.chain.tip_ref();
    answer(&SnapshotView {
        file,
        height: tip.height,
        hash: tip.hash,
    })
}

fn restore(daemon: &mut Daemon, params: &Params) -> Answer {
    let file = PathBuf::from(params.required(0)?.text()?);
    answer(&BlockRefView::from(daemon.restore(&file)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeRequest {
    tier: String,
    ip: String,
    collateral_key: Option<String>,
    node_key: Option<String>,
    #[serde(default)]
    fast: bool,
}

fn private_key(name: &str, text: Option<String>) -> Result<Option<PrivateKey>, RpcError> {
    text.map(|text| PrivateKey::from_wif(&text, SPACE))
        .transpose()
        .map_err(|error| {
            let text = format!("{name}: {error}; write a private key of regtest (WIF, prefix ef)");
            RpcError::address(text)
        })
}

fn add_node(daemon: &mut Daemon, params: &Params) -> Answer {
    let request: NodeRequest = params.required(0)?.value("node")?;
    let tier: Tier = request
        .tier
        .parse()
        .map_err(|error| RpcError::parameter(format!("tier: {error}")))?;
    let new = NewNode {
        tier,
        ip: request.ip,
        collateral_key: private_key("collateral_key", request.collateral_key)?,
        node_key: private_key("node_key", request.node_key)?,
        fast: request.fast,
    };
    let collateral = daemon.add_node(new)?;
    answer(&managed(&daemon.node_view(&collateral)?))
}

/// A node of the developer, keys and all.
#[derive(Serialize)]
struct Managed {
    number: u32,
    tier: Tier,
    collateral: String,
    txhash: Hash256,
    outidx: u32,
    collateral_key: String,
    collateral_pubkey: PublicKey,
    node_key: String,
    node_pubkey: PublicKey,
    payment_address: Address,
    ip: String,
    running: bool,
    stage: &'static str,
    confirmed_height: u32,
    last_confirmed_height: u32,
    last_paid_height: u32,
}

fn managed(node: &NodeView) -> Managed {
    let height = |of: fn(&NodeEntry) -> u32| node.listed.as_ref().map_or(0, of);
    Managed {
        number: node.number,
        tier: node.tier,
        collateral: node.collateral.to_string(),
        txhash: node.collateral.txid,
        outidx: node.collateral.n,
        collateral_key: node.collateral_key.to_wif(SPACE),
        collateral_pubkey: node.collateral_key.public_key(),
        node_key: node.node_key.to_wif(SPACE),
        node_pubkey: node.node_key.public_key(),
        payment_address: node.payment_address,
        ip: node.ip.clone(),
        running: node.running,
        stage: node.stage,
        confirmed_height: height(|listed| listed.confirmed_height),
        last_confirmed_height: height(|listed| listed.last_confirmed_height),
        last_paid_height: height(|listed| listed.last_paid_height),
    }
}

fn nodes(daemon: &Daemon, _: &Params) -> Answer {
    let views: Vec<Managed> = daemon.node_views().iter().map(managed).collect();
    answer(&views)
}

fn outpoint(param: &Param) -> Result<OutPoint, RpcError> {
    let text = param.text()?;
    text.parse()
        .map_err(|error| RpcError::parameter(format!("collateral: {error}")))
}

#[derive(Serialize)]
struct Removed {
    collateral: String,
    /// The transaction that spends the collateral; null when it was spent before.
    spent_by: Option<Hash256>,
}

fn remove_node(daemon: &mut Daemon, params: &Params) -> Answer {
    let collateral = outpoint(params.required(0)?)?;
    let spent_by = daemon.remove_node(&collateral)?;
    answer(&Removed {
        collateral: collateral.to_string(),
        spent_by,
    })
}

fn set_running(daemon: &mut Daemon, params: &Params, running: bool) -> Answer {
    let collateral = outpoint(params.required(0)?)?;
    daemon.set_node_running(&collateral, running)?;
    answer(&managed(&daemon.node_view(&collateral)?))
}

fn set_node_ip(daemon: &mut Daemon, params: &Params) -> Answer {
    let collateral = outpoint(params.required(0)?)?;
    daemon.set_node_ip(&collateral, params.required(1)?.text()?)?;
    answer(&managed(&daemon.node_view(&collateral)?))
}

#[derive(Serialize)]
struct AccountView {
    name: String,
    address: Address,
    wif: String,
    pubkey: PublicKey,
    /// What can be spent now.
    balance: Amount,
}

fn accounts(daemon: &Daemon, _: &Params) -> Answer {
    let accounts = daemon.accounts().into_iter();
    let views: Vec<AccountView> = accounts
        .map(|account| AccountView {
            name: account.name,
            address: account.address,
            wif: account.key.to_wif(SPACE),
            pubkey: account.key.public_key(),
            balance: Amount(account.balance),
        })
        .collect();
    answer(&views)
}

/// The fields of `fluxplane_flux_chain::params::Devnet`, and the genesis block.
#[derive(Serialize)]
struct ChainParameters {
    network: String,
    genesis_hash: Hash256,
    benchmark_key: PublicKey,
    dev_fund: Address,
    exchange_fund: Address,
    reduction_interval: u32,
    max_reductions: u32,
    spacing_s: u32,
    payments_from: u32,
    collateral_depth: u32,
    start_expires_after: Option<u32>,
    dos_leaves_after: Option<u32>,
    confirm_expires_after: Option<u32>,
    update_distance: Option<u32>,
    check_lots: bool,
}

fn chain_parameters(daemon: &Daemon, _: &Params) -> Answer {
    let params = daemon.chain.params();
    let key = params.benchmark_key(daemon.now());
    answer(&ChainParameters {
        network: params.network.to_string(),
        genesis_hash: params.genesis.hash,
        benchmark_key: key.unwrap_or(PublicKey::NONE),
        dev_fund: params.funds.dev_fund,
        exchange_fund: params.funds.exchange.address,
        reduction_interval: params.pon.reduction_interval,
        max_reductions: params.pon.max_reductions,
        spacing_s: params.pon.spacing_s,
        payments_from: params.nodes.payments_from,
        collateral_depth: params.nodes.collateral_depth,
        start_expires_after: daemon.rules.start_expires_after,
        dos_leaves_after: daemon.rules.dos_leaves_after,
        confirm_expires_after: daemon.rules.confirm_expires_after,
        update_distance: daemon.rules.update_distance,
        check_lots: params.pon.check_lots,
    })
}

#[derive(Serialize)]
struct ScheduleView {
    on: bool,
    interval_ms: u64,
}

fn schedule_view(schedule: Schedule) -> ScheduleView {
    ScheduleView {
        on: schedule.on,
        interval_ms: u64::try_from(schedule.interval.as_millis()).unwrap_or(u64::MAX),
    }
}

fn set_interval(daemon: &mut Daemon, params: &Params) -> Answer {
    let value = params.required(0)?.integer()?;
    let interval = Some(value)
        .filter(|value| (0..=MOST_INTERVAL_MS).contains(value))
        .and_then(|value| u64::try_from(value).ok())
        .ok_or_else(|| {
            RpcError::parameter(format!(
                "milliseconds {value}: write 0 to {MOST_INTERVAL_MS}"
            ))
        })?;
    let schedule = &daemon.controls.schedule;
    schedule.send_modify(|schedule| schedule.interval = Duration::from_millis(interval));
    let schedule = *schedule.borrow();
    answer(&schedule_view(schedule))
}

fn set_mining(daemon: &mut Daemon, params: &Params) -> Answer {
    let on = params.required(0)?.boolean()?;
    let schedule = &daemon.controls.schedule;
    schedule.send_modify(|schedule| schedule.on = on);
    let schedule = *schedule.borrow();
    answer(&schedule_view(schedule))
}

#[derive(Serialize)]
struct HeightView {
    height: u32,
    hash: Hash256,
    /// Height of the last block of a recording; null on a chain that grows.
    until: Option<u32>,
}

fn height_view(daemon: &Daemon) -> HeightView {
    let tip = daemon.chain.tip_ref();
    HeightView {
        height: tip.height,
        hash: tip.hash,
        until: match &daemon.source {
            Source::Recorded(recording) => Some(recording.last()),
            Source::Grown => None,
        },
    }
}

fn step(daemon: &mut Daemon, params: &Params) -> Answer {
    let blocks = params
        .get(0)
        .map_or(Ok(1), |blocks| small(blocks, "blocks"))?;
    daemon.step(blocks)?;
    answer(&height_view(daemon))
}

fn height(daemon: &Daemon, _: &Params) -> Answer {
    answer(&height_view(daemon))
}
