//! The constants of each network as data, from fluxd `src/chainparams.cpp`, `src/consensus/upgrades.cpp` and
//! `src/fluxnode/fluxnode.h`. Every rule in this crate takes its numbers from a [`ChainParams`], so a development chain is just
//! another value.

mod checkpoints;
mod devnet;
mod main_net;
mod nodes;
mod regtest;
mod table;
mod test_net;
mod upgrade;

pub use devnet::Devnet;
pub use nodes::{CollateralTransition, NodeRules};
pub use table::HeightTable;
pub use upgrade::{Upgrade, UpgradeInfo, Upgrades};

use std::fmt;

use fluxplane_core::{Sat, Tier};

use crate::{
    address::{Address, AddressSpace},
    hash::Hash256,
    key::PublicKey,
    outpoint::OutPoint,
    pon::Target,
};

/// Depth a coinbase output needs before it can be spent (fluxd `COINBASE_MATURITY`).
pub const COINBASE_MATURITY: u32 = 100;

/// Blocks a reorganisation may undo; one less is the deepest that is accepted (fluxd `src/main.h`, `MAX_REORG_LENGTH`).
pub const MAX_REORG_LENGTH: u32 = 40;

/// Blocks a transaction stays valid for when its maker asks for nothing else, and the fewest that must remain for a node to
/// take it (fluxd `DEFAULT_TX_EXPIRY_DELTA`, `TX_EXPIRING_SOON_THRESHOLD`).
pub const DEFAULT_EXPIRY_DELTA: u32 = 20;
pub const EXPIRING_SOON: u32 = 3;

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    Main,
    Test,
    Regtest,
    /// A chain of ours: regtest's genesis and prefixes, all upgrades from height 1.
    Devnet,
}

impl Network {
    /// The name fluxd gives the chain. A devnet says `regtest`, because to a client it is one.
    pub const fn chain_name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Test => "test",
            Self::Regtest | Self::Devnet => "regtest",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Main => "main",
            Self::Test => "test",
            Self::Regtest => "regtest",
            Self::Devnet => "devnet",
        })
    }
}

/// Everything that tells one chain from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainParams {
    pub network: Network,
    /// Name of the coin in the daemon's messages.
    pub currency: &'static str,
    pub bip44_coin_type: u32,
    /// First bytes of each message between nodes.
    pub message_start: [u8; 4],
    pub p2p_port: u16,
    pub rpc_port: u16,
    pub genesis: Genesis,
    pub addresses: AddressSpace,
    pub upgrades: Upgrades,
    pub pow: PowRules,
    pub pon: PonRules,
    pub funds: Funds,
    pub nodes: NodeRules,
    pub emergency: EmergencyRules,
    /// Blocks whose hash is fixed, ascending.
    pub checkpoints: Vec<(u32, Hash256)>,
    /// Whether nodes relay standard transactions only.
    pub require_standard: bool,
}

/// The first block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    pub hash: Hash256,
    pub merkle_root: Hash256,
    pub time: u32,
    pub bits: u32,
}

/// Rules of the years of mining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowRules {
    /// Seconds between blocks.
    pub spacing_s: u32,
    pub limit: Target,
    /// Heights over which the subsidy ramped up.
    pub slow_start_interval: u32,
    /// Heights between halvings.
    pub halving_interval: u32,
}

/// Rules of Proof of Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PonRules {
    /// First height, as the daemon compares it. Stock regtest has -1 here: the daemon means "never" by it but compares it like
    /// a height, so every block is a proof-of-node block.
    pub activation: i64,
    /// Seconds of a slot, and between blocks.
    pub spacing_s: u32,
    /// Blocks over which the difficulty looks back.
    pub window: u32,
    /// Easiest target, and the target of the first window.
    pub limit: Target,
    pub start_limit: Target,
    /// Seconds a header may be ahead of the clock.
    pub max_future_s: u32,
    /// Whether lots must win. Regtest does not ask.
    pub check_lots: bool,
    /// A collateral that produces blocks without being a node.
    pub test_bypass: Option<OutPoint>,
    pub initial_subsidy: Sat,
    /// Heights between cuts of the subsidy by a tenth, and how many cuts there are.
    pub reduction_interval: u32,
    pub max_reductions: u32,
}

/// Payments a coinbase owes beside those of the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funds {
    pub exchange: OneTimeFund,
    pub foundation: OneTimeFund,
    pub swap_pool: SwapPool,
    /// Gets what the nodes do not get, since Proof of Node.
    pub dev_fund: Address,
}

/// Paid at one height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneTimeFund {
    pub address: Address,
    pub height: u32,
    pub amount: Sat,
}

/// Paid `times` times, `interval` heights apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwapPool {
    pub address: Address,
    pub start_height: u32,
    pub amount: Sat,
    pub interval: u32,
    pub times: u32,
}

impl SwapPool {
    pub fn is_due(&self, height: u32) -> bool {
        height
            .checked_sub(self.start_height)
            .is_some_and(|since| since % self.interval == 0 && since / self.interval < self.times)
    }
}

/// Who may make blocks when the nodes cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyRules {
    pub collateral: OutPoint,
    pub min_signatures: usize,
    pub keys: Vec<PublicKey>,
    /// Whether any signatures will do. Regtest takes them.
    pub any_key: bool,
}

/// A key and the moment from which it counts, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedKey {
    pub key: PublicKey,
    pub valid_from: u32,
}

impl ChainParams {
    /// The parameters of a public network.
    pub fn of(network: Network) -> Self {
        match network {
            Network::Main => Self::main(),
            Network::Test => Self::test(),
            Network::Regtest => Self::regtest(),
            Network::Devnet => Devnet::default().params(),
        }
    }

    /// Whether an upgrade is active in the block at `height`.
    pub fn is_active(&self, upgrade: Upgrade, height: u32) -> bool {
        self.upgrades.is_active(upgrade, height)
    }

    /// Whether the block at `height` is a proof-of-node block.
    pub fn is_pon(&self, height: u32) -> bool {
        i64::from(height) >= self.pon.activation
    }

    /// The branch a signature of a transaction mined at `height` commits to.
    pub fn branch_id(&self, height: u32) -> u32 {
        self.upgrades.branch_id(height)
    }

    /// The benchmark key that signs for a moment: the last that was valid by then.
    pub fn benchmark_key(&self, time: u32) -> Option<PublicKey> {
        key_at(&self.nodes.benchmark_keys, time)
    }

    /// The foundation's key for starting nodes with P2SH collateral before version 6 existed.
    pub fn foundation_start_key(&self, time: u32) -> Option<PublicKey> {
        key_at(&self.nodes.foundation_start_keys, time)
    }

    /// Amounts that count as collateral of a tier at a height.
    pub fn collateral_amounts(&self, tier: Tier, height: u32) -> impl Iterator<Item = Sat> {
        self.nodes.transition(tier).amounts(height)
    }

    /// The tier an amount is collateral for at a height. The later tier wins should two share an amount, as in fluxd's map.
    pub fn tier_of_amount(&self, amount: Sat, height: u32) -> Option<Tier> {
        Tier::ALL.into_iter().rev().find(|tier| {
            self.collateral_amounts(*tier, height)
                .any(|valid| valid == amount)
        })
    }
}

/// fluxd takes the only key whatever its date, and the first when all are in the future.
fn key_at(keys: &[TimedKey], time: u32) -> Option<PublicKey> {
    keys.iter()
        .rev()
        .find(|entry| entry.valid_from <= time)
        .or_else(|| keys.first())
        .map(|entry| entry.key)
}

/// Constants below are checked by the tests, every one of them is read there.
const KNOWN: &str = "a constant of the network, read by the tests";

fn address(text: &str) -> Address {
    text.parse().expect(KNOWN)
}

fn hash(text: &str) -> Hash256 {
    text.parse().expect(KNOWN)
}

fn key(text: &str) -> PublicKey {
    text.parse().expect(KNOWN)
}

fn timed_keys(keys: &[(&str, u32)]) -> Vec<TimedKey> {
    keys.iter()
        .map(|(text, valid_from)| TimedKey {
            key: key(text),
            valid_from: *valid_from,
        })
        .collect()
}

/// The collateral of emergency blocks on every network.
fn emergency_collateral() -> OutPoint {
    OutPoint::new(Hash256::from_wire([0x11; 32]), 0)
}

/// The bypass of the test networks: `TESTNOD` in the highest bytes of the id.
fn test_bypass() -> OutPoint {
    let mut wire = [0; 32];
    if let Some(tail) = wire.last_chunk_mut::<7>() {
        *tail = *b"DONTSET";
    }
    OutPoint::new(Hash256::from_wire(wire), 0)
}

/// The merkle root of the genesis block is the same everywhere: one coinbase, no reward.
const GENESIS_MERKLE_ROOT: &str =
    "94c7aed6b2c67f1718006684bfc3b92081a2f19d59075691b189160d6f3aa13a";

/// A target with `top` in its first bytes and `fill` in the rest.
const fn target(top: [u8; 2], fill: u8) -> Target {
    let mut bytes = [fill; 32];
    bytes[0] = top[0];
    bytes[1] = top[1];
    Target::from_be_bytes(bytes)
}
