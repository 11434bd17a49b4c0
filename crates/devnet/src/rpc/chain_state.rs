//! The chain as a whole: its tip, its branches, its difficulty, its upgrades.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Hash256,
    describe::{Amount, Significant},
    params::{ChainParams, Upgrade},
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{
    chain::{BlockEntry, BlockStatus},
    daemon::Daemon,
    rpc::{
        Answer, Method, Params, RpcError, answer,
        blocks::{chain_work, find},
        params::Param,
        read, write,
    },
};

/// Root of the empty Sprout commitment tree, which the daemon shows as the anchor of every block.
pub(super) const EMPTY_SPROUT_ROOT: &str =
    "59d2cde5e65c1414c32ba54f0fe4bdb3d67618125286e6a191317917c812c6d7";

/// Blocks the daemon looks back over for the old soft forks, and how many must agree (fluxd `src/chainparams.cpp`, regtest).
const MAJORITY_WINDOW: u32 = 1_000;
const MAJORITY_ENFORCE: u32 = 750;
const MAJORITY_REJECT: u32 = 950;

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "getblockchaininfo",
            "",
            0..=0,
            "The state of the chain.",
            getblockchaininfo,
        ),
        read(
            "getblockcount",
            "",
            0..=0,
            "The height of the best chain.",
            |daemon, _| answer(&daemon.chain.height()),
        ),
        read(
            "getbestblockhash",
            "",
            0..=0,
            "The hash of the tip.",
            |daemon, _| answer(&daemon.chain.tip().hash),
        ),
        read(
            "getdifficulty",
            "",
            0..=0,
            "The difficulty of the next block.",
            |daemon, _| answer(&network_difficulty(daemon)),
        ),
        read(
            "getchaintips",
            "( blockheight )",
            0..=1,
            "All leaves of the tree of blocks, from a height on.",
            getchaintips,
        ),
        read(
            "verifychain",
            "( checklevel numblocks )",
            0..=2,
            "True: every block was validated when it came.",
            |_, _| answer(&true),
        ),
        write(
            "invalidateblock",
            "\"hash\"",
            1..=1,
            "Marks a block and what is built on it as invalid.",
            invalidateblock,
        ),
        write(
            "reconsiderblock",
            "\"hash\"",
            1..=1,
            "Takes the mark of invalidity off.",
            reconsiderblock,
        ),
    ]
}

/// The difficulty the next block must have.
pub(super) fn network_difficulty(daemon: &Daemon) -> Significant {
    let bits = daemon.chain.bits_after(daemon.chain.tip());
    Significant::difficulty(daemon.chain.params(), bits)
}

/// A shielded pool. Both are empty on these chains for ever.
#[derive(Debug, Serialize)]
pub(super) struct Pool {
    pub(super) id: &'static str,
    pub(super) monitored: bool,
    #[serde(rename = "chainValue")]
    pub(super) chain_value: Amount,
    #[serde(rename = "chainValueZat")]
    pub(super) chain_value_zat: Sat,
}

pub(super) fn empty_pools() -> [Pool; 2] {
    ["sprout", "sapling"].map(|id| Pool {
        id,
        monitored: true,
        chain_value: Amount(Sat::ZERO),
        chain_value_zat: Sat::ZERO,
    })
}

#[derive(Serialize)]
struct ChainInfo {
    chain: &'static str,
    blocks: u32,
    headers: u32,
    bestblockhash: Hash256,
    difficulty: Significant,
    verificationprogress: u8,
    chainwork: String,
    pruned: bool,
    size_on_disk: u64,
    commitments: u64,
    #[serde(rename = "valuePools")]
    value_pools: [Pool; 2],
    softforks: [SoftFork; 3],
    upgrades: UpgradeList,
    consensus: Consensus,
}

#[derive(Serialize)]
struct SoftFork {
    id: &'static str,
    version: u8,
    enforce: Majority,
    reject: Majority,
}

#[derive(Serialize)]
struct Majority {
    status: bool,
    found: u32,
    required: u32,
    window: u32,
}

#[derive(Serialize)]
struct Consensus {
    chaintip: String,
    nextblock: String,
}

/// The upgrades by branch id. All share one, so the object repeats its key, as the daemon's does.
struct UpgradeList(Vec<(String, UpgradeView)>);

#[derive(Serialize)]
struct UpgradeView {
    name: &'static str,
    activationheight: u32,
    status: &'static str,
    info: &'static str,
}

impl Serialize for UpgradeList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (branch, upgrade) in &self.0 {
            map.serialize_entry(branch, upgrade)?;
        }
        map.end()
    }
}

fn getblockchaininfo(daemon: &Daemon, _: &Params) -> Answer {
    let chain = &daemon.chain;
    let (tip, params) = (chain.tip(), chain.params());
    let branch = |height| format!("{:08x}", params.branch_id(height));
    answer(&ChainInfo {
        chain: params.network.chain_name(),
        blocks: tip.height,
        headers: chain
            .index()
            .leaves()
            .map(|leaf| leaf.height)
            .max()
            .unwrap_or(tip.height),
        bestblockhash: tip.hash,
        difficulty: network_difficulty(daemon),
        verificationprogress: 1,
        chainwork: chain_work(tip),
        pruned: false,
        size_on_disk: chain.index().bytes(),
        commitments: 0,
        value_pools: empty_pools(),
        softforks: [("bip34", 2), ("bip66", 3), ("bip65", 4)]
            .map(|(id, version)| soft_fork(id, version, tip)),
        upgrades: upgrade_list(params, tip.height),
        consensus: Consensus {
            chaintip: branch(tip.height),
            nextblock: branch(tip.height + 1),
        },
    })
}

/// Every block has a version high enough, so all in the window count.
fn soft_fork(id: &'static str, version: u8, tip: &BlockEntry) -> SoftFork {
    let found = (tip.height + 1).min(MAJORITY_WINDOW);
    let majority = |required| Majority {
        status: found >= required,
        found,
        required,
        window: MAJORITY_WINDOW,
    };
    SoftFork {
        id,
        version,
        enforce: majority(MAJORITY_ENFORCE),
        reject: majority(MAJORITY_REJECT),
    }
}

fn upgrade_list(params: &ChainParams, height: u32) -> UpgradeList {
    let listed = Upgrade::ALL
        .into_iter()
        .filter(|upgrade| *upgrade >= Upgrade::Acadia)
        .filter_map(|upgrade| {
            let activationheight = params.upgrades.get(upgrade).activation_height?;
            let (name, info) = upgrade_text(upgrade);
            let status = if height >= activationheight {
                "active"
            } else {
                "pending"
            };
            let view = UpgradeView {
                name,
                activationheight,
                status,
                info,
            };
            Some((format!("{:08x}", upgrade.branch_id()), view))
        })
        .collect();
    UpgradeList(listed)
}

const fn upgrade_text(upgrade: Upgrade) -> (&'static str, &'static str) {
    match upgrade {
        Upgrade::BaseSprout => ("Sprout", "The first rules"),
        Upgrade::TestDummy => ("Test dummy", "Test dummy info"),
        Upgrade::Lwma => ("LWMA", "Difficulty algorithm"),
        Upgrade::Equi144_5 => ("Equihash 144,5", "Proof of work"),
        Upgrade::Acadia => ("Acadia", "Sapling transactions"),
        Upgrade::Kamiooka => ("Kamiooka", "ZelHash"),
        Upgrade::Kamata => ("Kamata", "Deterministic fluxnodes"),
        Upgrade::Flux => ("Flux", "Flux rebranding, funds, doubled node shares"),
        Upgrade::Halving => ("Halving", "New collateral amounts"),
        Upgrade::P2shNodes => ("P2SHNodes", "Fluxnodes with P2SH collateral"),
        Upgrade::Pon => ("PON", "Proof of Node"),
    }
}

#[derive(Serialize)]
struct Tip {
    height: u32,
    hash: Hash256,
    branchlen: u32,
    status: &'static str,
}

fn getchaintips(daemon: &Daemon, params: &Params) -> Answer {
    let chain = &daemon.chain;
    let from = match params.get(0).map(Param::integer).transpose()? {
        Some(height) => u32::try_from(height)
            .ok()
            .filter(|height| *height <= chain.height())
            .unwrap_or(0),
        None => 0,
    };
    let mut tips: Vec<&BlockEntry> = chain
        .index()
        .leaves()
        .filter(|leaf| leaf.height >= from)
        .collect();
    // The tip may have invalid blocks above it.
    if !tips.iter().any(|tip| tip.hash == chain.tip().hash) {
        tips.push(chain.tip());
    }
    tips.sort_by_key(|tip| (std::cmp::Reverse(tip.height), tip.sequence));
    let shown: Vec<Tip> = tips
        .into_iter()
        .map(|tip| Tip {
            height: tip.height,
            hash: tip.hash,
            branchlen: chain.branch_length(tip),
            status: match tip.status {
                _ if chain.is_active(tip) => "active",
                BlockStatus::Invalid => "invalid",
                BlockStatus::Validated => "valid-fork",
                BlockStatus::Stored => "valid-headers",
            },
        })
        .collect();
    answer(&shown)
}

fn invalidateblock(daemon: &mut Daemon, params: &Params) -> Answer {
    let hash = find(daemon, params.required(0)?)?.hash;
    daemon.invalidate(&hash).map_err(RpcError::from)?;
    answer(&())
}

fn reconsiderblock(daemon: &mut Daemon, params: &Params) -> Answer {
    let hash = find(daemon, params.required(0)?)?.hash;
    daemon.reconsider(&hash).map_err(RpcError::from)?;
    answer(&())
}
