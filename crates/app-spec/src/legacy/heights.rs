//! Rules that changed at a height of the Flux chain (`ZelBack/config/default.js`, `fluxapps`).
//!
//! A verdict is always relative to a height, because nodes replay the whole message history.

use std::ops::RangeInclusive;

use super::spec::LegacyVersion;

/// The PON fork, October 2025: blocks every 30 seconds instead of 120 (`daemonPONFork`).
pub const PON_FORK: u64 = 2_020_000;

/// How many times faster the chain is from the fork on.
pub(crate) const PON_SPEEDUP: u64 = 4;

/// Blocks of one paid period before the fork, about a month (`blocksLasting`).
const DEFAULT_TERM: u64 = 22_000;

/// A change of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// The first height at which the rule holds.
    pub height: u64,
    /// The name of the constant in `default.js`.
    pub name: &'static str,
    pub rule: &'static str,
}

/// Every gate that a verdict depends on, ascending.
pub const GATES: [Gate; 14] = [
    Gate::new(983_000, "appSpecsEnforcementHeights[3]", "v3 is accepted"),
    Gate::new(1_004_000, "appSpecsEnforcementHeights[4]", "v4 is accepted"),
    Gate::new(1_142_000, "appSpecsEnforcementHeights[5]", "v5 is accepted"),
    Gate::new(
        1_300_000,
        "appSpecsEnforcementHeights[6]",
        "v6 is accepted; 10 components instead of 5",
    ),
    Gate::new(1_420_000, "appSpecsEnforcementHeights[7]", "v7 is accepted"),
    Gate::new(
        PORTS_OPEN,
        "portBlockheightChange",
        "ports 1..65535 instead of 31000..39999",
    ),
    Gate::new(
        TERM_STEP_REMOVED,
        "removeBlocksAllowanceIntervalBlock",
        "the term need not be a multiple of 1000 blocks",
    ),
    Gate::new(
        TERM_FROM_100,
        "newMinBlocksAllowanceBlock",
        "a term of 100 blocks is enough, 5000 before",
    ),
    Gate::new(
        SUPPORT_ADDRESS_HEIGHT,
        "teamSupportAddress",
        "the support team may sign updates of marketplace applications",
    ),
    Gate::new(1_932_380, "appSpecsEnforcementHeights[8]", "v8 is accepted"),
    Gate::new(
        TERM_FROM_1,
        "cancel1BlockMinBlocksAllowanceBlock",
        "a term of 1 block is enough, which cancels",
    ),
    Gate::new(
        2_000_000,
        "(in code)",
        "an update signed by an owner who was replaced meanwhile is no longer taken",
    ),
    Gate::new(
        PON_FORK,
        "daemonPONFork",
        "blocks are four times faster; terms up to 1056000 blocks instead of 264000",
    ),
    Gate::new(
        SINGLE_INSTANCE,
        "minimumInstancesV8Block",
        "v8 may have 1 instance, 3 before",
    ),
];

const PORTS_OPEN: u64 = 1_420_000;
const TERM_STEP_REMOVED: u64 = 1_625_000;
const TERM_FROM_100: u64 = 1_630_040;
const TERM_FROM_1: u64 = 1_964_447;
const SINGLE_INSTANCE: u64 = 2_176_519;

/// From this height the support team may sign updates (`teamSupportAddress`).
pub(crate) const SUPPORT_ADDRESS_HEIGHT: u64 = 1_851_659;

impl Gate {
    const fn new(height: u64, name: &'static str, rule: &'static str) -> Self {
        Self { height, name, rule }
    }
}

/// The rules in force at one height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeightRules {
    /// Ports an application may publish.
    pub ports: RangeInclusive<u32>,
    /// Most components of one application.
    pub max_components: usize,
    /// Fewest instances of a v8 application; older versions always need 3.
    pub min_instances_v8: u32,
    pub min_term: MinimumTerm,
    /// Longest term in blocks, one year.
    pub max_term: u32,
    /// The term must be a multiple of this many blocks.
    pub term_step: Option<u32>,
}

/// The shortest term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimumTerm {
    pub blocks: u32,
    /// How FluxOS' error text explains it.
    pub note: &'static str,
}

impl HeightRules {
    pub fn at(height: u64) -> Self {
        let term = |blocks, note| MinimumTerm { blocks, note };
        Self {
            ports: if height >= PORTS_OPEN {
                1..=65_535
            } else {
                31_000..=39_999
            },
            max_components: if height < enforcement_height(LegacyVersion::V6) {
                5
            } else {
                10
            },
            min_instances_v8: if height >= SINGLE_INSTANCE { 1 } else { 3 },
            min_term: if height < TERM_FROM_100 {
                term(5_000, " ~ 1 week")
            } else if height < TERM_FROM_1 {
                term(100, " ~ 3 hours")
            } else {
                term(1, "")
            },
            max_term: if height >= PON_FORK {
                1_056_000
            } else {
                264_000
            },
            term_step: (height < TERM_STEP_REMOVED).then_some(1_000),
        }
    }
}

/// The first height at which a version is accepted (`appSpecsEnforcementHeights`).
pub(super) const fn enforcement_height(version: LegacyVersion) -> u64 {
    match version {
        LegacyVersion::V1 | LegacyVersion::V2 => 0,
        LegacyVersion::V3 => 983_000,
        LegacyVersion::V4 => 1_004_000,
        LegacyVersion::V5 => 1_142_000,
        LegacyVersion::V6 => 1_300_000,
        LegacyVersion::V7 => 1_420_000,
        LegacyVersion::V8 => 1_932_380,
    }
}

/// The height whose rules hold for new submissions. A chain that is younger than FluxOS' newest rule is a development chain,
/// and is judged by the newest rules: nobody deploys under those of 2021.
pub fn rules_height(chain: Option<u32>) -> u64 {
    let newest = GATES
        .iter()
        .map(|gate| gate.height)
        .max()
        .unwrap_or_default();
    chain.map_or(newest, |height| newest.max(height.into()))
}

/// The term, in blocks, of an application that names none, registered at `height`.
pub const fn default_term(height: u64) -> u64 {
    if height >= PON_FORK {
        DEFAULT_TERM * PON_SPEEDUP
    } else {
        DEFAULT_TERM
    }
}

/// The height at which a term of `blocks` that began at `height` ends. The part that falls behind the fork is
/// stretched, when the term began before it.
pub const fn expiry_height(height: u64, blocks: u64) -> u64 {
    let end = height.saturating_add(blocks);
    if height < PON_FORK && end > PON_FORK {
        PON_FORK + (end - PON_FORK).saturating_mul(PON_SPEEDUP)
    } else {
        end
    }
}
