//! Why a block or a fluxnode transaction is refused, with the reason fluxd gives.

use fluxplane_core::{Sat, Tier};

use crate::{address::Address, subsidy::Fund};

/// A refused block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("block {found} cannot follow block {tip}; the next is {expected}")]
    WrongHeight { tip: u32, expected: u32, found: u32 },
    #[error("the block has no coinbase")]
    NoCoinbase,
    #[error("the coinbase must pay {amount} FLUX to {address} ({fund:?} fund)")]
    FundMissing {
        fund: Fund,
        address: Address,
        amount: Sat,
    },
    #[error("the coinbase must pay at least {amount} FLUX to the dev fund {address} in one output")]
    DevFundMissing { address: Address, amount: Sat },
    #[error(
        "the coinbase must pay at least {amount} FLUX, what the nodes leave, to the dev fund {address} in one output"
    )]
    DevFundShort { address: Address, amount: Sat },
    #[error("the coinbase must pay {amount} FLUX to the {tier} node {collateral}")]
    PayeeMissing {
        tier: Tier,
        collateral: crate::outpoint::OutPoint,
        amount: Sat,
    },
    #[error("transaction {index}: {fault}")]
    Transaction { index: usize, fault: NodeFault },
}

impl Rejection {
    /// fluxd's reject reason.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::WrongHeight { .. } => "bad-prevblk",
            Self::NoCoinbase => "bad-cb-missing",
            Self::FundMissing { fund, .. } => match fund {
                Fund::Exchange => "tx-coinbase-missing-exchange-funding",
                Fund::Foundation => "tx-coinbase-missing-foundation-funding",
                Fund::SwapPool => "tx-coinbase-missing-swappool-funding",
            },
            Self::DevFundMissing { .. } => "tx-coinbase-missing-dev-funding",
            Self::DevFundShort { .. } | Self::PayeeMissing { .. } => {
                "bad-txns-not-paying-correct-fluxnodes"
            }
            Self::Transaction { fault, .. } => fault.reason(),
        }
    }
}

/// A refused fluxnode transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeFault {
    #[error("the block already holds a transaction for this collateral")]
    Duplicate,
    #[error("type {0} is neither a start (2) nor a confirm (4)")]
    UnknownType(i8),
    #[error("it names no collateral")]
    NoCollateral,
    #[error("the redeem script has {length} bytes, at most {limit} are allowed")]
    RedeemScriptTooLong { length: usize, limit: usize },
    #[error("the redeem script is not a multisig script")]
    RedeemScriptNotMultisig,
    #[error("the delegates part is invalid: it updates with up to 4 compressed keys, or signs")]
    DelegatesInvalid,
    #[error("the signature is not by a key that may sign")]
    BadSignature,
    #[error("the benchmark did not sign")]
    BadBenchmarkSignature,
    #[error("benchmark tier {0} does not exist")]
    BenchmarkTierUnknown(i8),
    #[error("the IP has {length} bytes, at most {limit} are allowed")]
    IpTooLong { length: usize, limit: usize },
    #[error("update type {0} is neither initial (0) nor update (1)")]
    UpdateTypeUnknown(i8),
    #[error("fluxnode transactions are not active at this height")]
    NotActive,
    #[error("version 6 is not active at this height")]
    UpgradedNotActive,
    #[error("flux version {0:#x} is not active at this height; 1 and 2 are")]
    FeaturesNotActive(i32),
    #[error("the collateral is started already, or waits for the end of its DoS time")]
    AlreadyListed,
    #[error("the node is confirmed already")]
    AlreadyConfirmed,
    #[error("the collateral does not exist or is spent")]
    CollateralMissing,
    #[error("the collateral pays to no single owner")]
    CollateralUnowned,
    #[error("a normal version 6 start needs collateral that pays to a key hash")]
    CollateralNotKeyHash,
    #[error("a P2SH start needs collateral that pays to a script hash")]
    CollateralNotScriptHash,
    #[error("the redeem script is not the one the collateral pays to")]
    RedeemScriptMismatch,
    #[error("collateral that pays to a script needs a P2SH start")]
    FoundationKeyMismatch,
    #[error("the collateral pays to another key")]
    CollateralKeyMismatch,
    #[error("the collateral is {depth} blocks deep, {needed} are needed")]
    CollateralTooYoung { depth: u32, needed: u32 },
    #[error("{0} FLUX is not the collateral of any tier at this height")]
    NotCollateral(Sat),
    #[error("the foundation's key cannot start nodes yet")]
    FoundationKeyTooEarly,
    #[error("the foundation's key can no longer start nodes; use version 6")]
    FoundationKeyRetired,
    #[error("the benchmark says tier {benchmark}, the collateral is for {tier}")]
    BenchmarkTierTooLow { benchmark: i8, tier: Tier },
    #[error("the node is not started")]
    NotStarted,
    #[error("the node is not confirmed")]
    NotConfirmed,
    #[error("{distance} blocks since the last confirm are too few; {rule}")]
    TooSoon { distance: u32, rule: SpacingRule },
}

/// The distance an update needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpacingRule {
    #[error("more than {0} are needed")]
    SameIp(u32),
    #[error("at least {0} are needed for a new IP")]
    NewIp(u32),
}

/// The reason fluxd gives when the collateral of a transaction does not fit, and what follows it.
macro_rules! input_reason {
    ($why:literal) => {
        concat!("bad-txns-fluxnode-inputs-invalid-spent-or-bad-value-", $why)
    };
}

impl NodeFault {
    /// fluxd's reject reason.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Duplicate => "bad-fluxnode-tx-multiple",
            Self::UnknownType(_) => "bad-txns-fluxnode-tx-invalid-type",
            Self::NoCollateral => "bad-txns-fluxnode-tx-null-prevout",
            Self::RedeemScriptTooLong { .. } => "bad-txns-fluxnode-tx-redeemscript-to-large",
            Self::RedeemScriptNotMultisig => "bad-txns-fluxnode-tx-redeemscript-not-multisig",
            Self::DelegatesInvalid => "bad-txns-fluxnode-tx-delegate-data-invalid",
            Self::BadSignature | Self::BadBenchmarkSignature => {
                "bad-txns-fluxnode-tx-invalid-signature"
            }
            Self::BenchmarkTierUnknown(_) => "bad-txns-fluxnode-tx-invalid-benchmark-tier",
            Self::IpTooLong { .. } => "bad-txns-fluxnode-tx-ip-address-to-large",
            Self::UpdateTypeUnknown(_) => "bad-txns-fluxnode-tx-invalid-update-type",
            Self::NotActive => "tx-fluxnodes-not-active",
            Self::UpgradedNotActive => "tx-p2shnodes-not-active",
            Self::FeaturesNotActive(_) => "tx-bit-features-not-active",
            Self::AlreadyListed => "fluxnode-tx-already-in-chain-or-waiting-for-dos-unban",
            Self::AlreadyConfirmed => "fluxnode-tx-already-in-confirm-chain",
            Self::CollateralMissing => "fluxnode-tx-coins-not-available",
            Self::CollateralUnowned => "fluxnode-tx-failed-to-extract-destination",
            Self::CollateralNotKeyHash => "fluxnode-tx-normal-version-not-p2pkh-script",
            Self::CollateralNotScriptHash => "fluxnode-tx-p2sh-version-not-p2sh-script",
            Self::RedeemScriptMismatch => "fluxnode-tx-p2shnodes-destinations-didn't-match",
            Self::FoundationKeyMismatch => "fluxnode-tx-p2sh-publickeys-didn't-match",
            Self::CollateralKeyMismatch => "fluxnode-tx-destinations-didn't-match",
            Self::CollateralTooYoung { .. } => {
                input_reason!("Minimum height requirement not met")
            }
            Self::NotCollateral(_) => input_reason!("Couldn't get coin tier from amount"),
            Self::FoundationKeyTooEarly => {
                input_reason!("Using P2SH collateral key before it is active")
            }
            Self::FoundationKeyRetired => input_reason!(
                "Old Style P2SH Nodes is no longer available. Please use new transaction version 6 style."
            ),
            Self::BenchmarkTierTooLow { .. } => "fluxnode-tx-benchmark-tier-to-low-for-collateral",
            Self::NotStarted => "fluxnode-tx-invalid-confirm-outpoint-not-started",
            Self::NotConfirmed => "fluxnode-tx-invalid-update-confirm-outpoint-not-confirmed",
            Self::TooSoon { .. } => {
                "fluxnode-tx-invalid-update-confirm-outpoint-not-confirmed-or-too-soon"
            }
        }
    }
}
