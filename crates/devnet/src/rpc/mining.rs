//! Making and taking blocks.

use fluxplane_flux_chain::{
    describe::{Amount, Significant},
    subsidy::block_subsidy,
};
use serde::Serialize;

use crate::{
    daemon::{Daemon, Submission},
    rpc::{Answer, Method, Params, RpcError, answer, chain_state::network_difficulty, read, write},
};

/// Blocks over which the daemon measures the work per second.
const LOOK_BACK: u32 = 120;

/// The most blocks one call makes: at a millisecond each the caller still waits.
const MOST_AT_ONCE: i64 = 100_000;

pub(super) fn methods() -> Vec<Method> {
    vec![
        write(
            "generate",
            "numblocks",
            1..=1,
            "Makes blocks now and tells their hashes.",
            generate,
        ),
        write(
            "submitblock",
            "\"hexdata\" ( parameters )",
            1..=2,
            "Takes a block: null when it is the new tip, else \"inconclusive\", \"duplicate\" or the reason why it is refused.",
            submitblock,
        ),
        read(
            "getblocksubsidy",
            "( height )",
            0..=1,
            "The new coins of a block, all of them in one field.",
            getblocksubsidy,
        ),
        read(
            "getmininginfo",
            "",
            0..=0,
            "Figures of block production.",
            getmininginfo,
        ),
        read(
            "getnetworksolps",
            "",
            0..=2,
            "Work per second.",
            |daemon, _| answer(&work_per_second(daemon)),
        )
        .also(&["getnetworkhashps"]),
        read(
            "getlocalsolps",
            "",
            0..=0,
            "No work is done here.",
            |_, _| answer(&0),
        ),
        read(
            "getgenerate",
            "",
            0..=0,
            "Whether blocks are made by the clock.",
            |daemon, _| answer(&daemon.makes_blocks()),
        ),
    ]
}

fn generate(daemon: &mut Daemon, params: &Params) -> Answer {
    let count = params.required(0)?.integer()?;
    let count = Some(count)
        .filter(|count| (0..=MOST_AT_ONCE).contains(count))
        .and_then(|count| u32::try_from(count).ok())
        .ok_or_else(|| {
            RpcError::parameter(format!("numblocks {count}: write 0 to {MOST_AT_ONCE}"))
        })?;
    answer(&daemon.mine(count)?)
}

fn submitblock(daemon: &mut Daemon, params: &Params) -> Answer {
    daemon.require_grown("submitblock")?;
    let bytes =
        hex::decode(params.required(0)?.text()?).map_err(|_| RpcError::undecodable_block())?;
    let submission = daemon
        .submit(&bytes)
        .map_err(|_| RpcError::undecodable_block())?;
    match submission {
        Submission::Connected(_) => answer(&()),
        Submission::Beside(_) => answer(&"inconclusive"),
        Submission::Known(_, word) => answer(&word),
        Submission::Rejected(reject) => answer(&reject.reason),
    }
}

#[derive(Serialize)]
struct Subsidy {
    miner: Amount,
}

fn getblocksubsidy(daemon: &Daemon, params: &Params) -> Answer {
    let height = match params.get(0) {
        Some(height) => u32::try_from(height.integer()?)
            .map_err(|_| RpcError::parameter("Block height out of range"))?,
        None => daemon.chain.height(),
    };
    let miner = Amount(block_subsidy(daemon.chain.params(), height));
    answer(&Subsidy { miner })
}

#[derive(Serialize)]
struct MiningInfo {
    blocks: u32,
    currentblocksize: usize,
    currentblocktx: usize,
    difficulty: Significant,
    errors: &'static str,
    genproclimit: i32,
    localsolps: u32,
    networksolps: i64,
    networkhashps: i64,
    pooledtx: usize,
    testnet: bool,
    chain: &'static str,
    generate: bool,
    ponminter: bool,
}

fn getmininginfo(daemon: &Daemon, _: &Params) -> Answer {
    let work = work_per_second(daemon);
    answer(&MiningInfo {
        blocks: daemon.chain.height(),
        currentblocksize: daemon.last_assembly.bytes,
        currentblocktx: daemon.last_assembly.transactions,
        difficulty: network_difficulty(daemon),
        errors: "",
        genproclimit: -1,
        localsolps: 0,
        networksolps: work,
        networkhashps: work,
        pooledtx: daemon.mempool.len(),
        testnet: false,
        chain: daemon.chain.params().network.chain_name(),
        generate: daemon.makes_blocks(),
        ponminter: false,
    })
}

fn work_per_second(daemon: &Daemon) -> i64 {
    let tip = daemon.chain.tip();
    let first = daemon.chain.at(tip.height.saturating_sub(LOOK_BACK));
    let Some(first) = first.filter(|first| first.time < tip.time) else {
        return 0;
    };
    let work = tip.chain_work() - first.chain_work();
    i64::try_from(work / u128::from(tip.time - first.time)).unwrap_or(i64::MAX)
}

impl Daemon {
    /// Whether blocks are made by the clock.
    fn makes_blocks(&self) -> bool {
        let schedule = *self.controls.schedule.borrow();
        schedule.on && !schedule.interval.is_zero()
    }
}
