//! The verdict on a proof-of-node header whose parent is known.

use crate::{
    hash::Hash256,
    header::{Header, Seal},
    key::PublicKey,
    params::ChainParams,
    pon::{
        CompactTarget, EMERGENCY_SIGNATURES_MAX, is_emergency, pon_hash_of, verify_emergency, wins,
    },
};

/// The longest signature of an ordinary block (fluxd `MAX_BLOCK_SIG_SIZE`).
const SIGNATURE_MAX: usize = 73;

/// What must be known about the block before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pub hash: Hash256,
    pub time: u32,
}

/// Who the checker knows to be behind the collateral of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Producer {
    /// The node list of the parent is at hand and has this key for the node.
    Node(PublicKey),
    /// The node list of the parent is at hand and does not have the node.
    Stranger,
    /// The node list of the parent is not at hand, as on a side branch; the signature is left for later.
    NotChecked,
}

/// Why a header is refused. The reasons of fluxd stand in [`HeaderFault::reason`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    #[error("height {height} needs a proof of node; the header has version {version}")]
    NotPon { height: u32, version: i32 },
    #[error("Proof of Node starts later than height {height}")]
    Premature { height: u32 },
    #[error("the parent is {found}, the tip is {expected}")]
    WrongParent { found: Hash256, expected: Hash256 },
    #[error("bits are {found:08x}; the rule gives {expected:08x}")]
    WrongBits { found: u32, expected: u32 },
    #[error("time {time} is not after the parent's {parent}")]
    TooOld { time: u32, parent: u32 },
    #[error("time {time} is more than {ahead_s} s after {now}")]
    TooNew { time: u32, now: u32, ahead_s: u32 },
    #[error("the signature field has {length} bytes, at most {limit} are allowed")]
    SignatureTooLong { length: usize, limit: usize },
    #[error("the lot of the node does not win at {bits:08x} in this slot")]
    NotEligible { bits: u32 },
    #[error("the producing collateral is not on the list of nodes")]
    UnknownProducer,
    #[error("the block is not signed by the node that produced it")]
    BadSignature,
    #[error("too few of the emergency keys signed the block")]
    BadEmergencySignatures,
}

impl HeaderFault {
    /// fluxd's reject reason.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotPon { .. } => "not-pon-block",
            Self::Premature { .. } => "premature-pon-block",
            Self::WrongParent { .. } => "bad-prevblk",
            Self::WrongBits { .. } => "bad-pon-diffbits",
            Self::TooOld { .. } => "time-too-old",
            Self::TooNew { .. } => "time-too-new",
            Self::SignatureTooLong { .. } => "bad-pon-sig-size",
            Self::NotEligible { .. } => "high-hash",
            Self::UnknownProducer | Self::BadSignature => "bad-pon-block",
            Self::BadEmergencySignatures => "bad-pon-header",
        }
    }
}

/// Judges a header for the block at `height`. `expected_bits` comes from [`next_bits`](crate::pon::next_bits); `now` is the
/// time the future limit is measured against, in Unix seconds.
pub fn check_header(
    params: &ChainParams,
    header: &Header<'_>,
    height: u32,
    parent: &Parent,
    expected_bits: u32,
    now: u32,
    producer: Producer,
) -> Result<(), HeaderFault> {
    let Seal::Node { signature, .. } = header.seal else {
        let version = header.version;
        return Err(HeaderFault::NotPon { height, version });
    };
    if !params.is_pon(height) {
        return Err(HeaderFault::Premature { height });
    }
    if header.previous != parent.hash {
        let (found, expected) = (header.previous, parent.hash);
        return Err(HeaderFault::WrongParent { found, expected });
    }
    check_time(params, header.time, parent.time, now)?;
    if header.bits != expected_bits {
        let (found, expected) = (header.bits, expected_bits);
        return Err(HeaderFault::WrongBits { found, expected });
    }
    let emergency = is_emergency(params, header);
    let limit = if emergency {
        EMERGENCY_SIGNATURES_MAX
    } else {
        SIGNATURE_MAX
    };
    if signature.len() > limit {
        let length = signature.len();
        return Err(HeaderFault::SignatureTooLong { length, limit });
    }
    if emergency {
        let signed = verify_emergency(params, header, &header.hash());
        return signed
            .then_some(())
            .ok_or(HeaderFault::BadEmergencySignatures);
    }
    check_lot(params, header, height)?;
    if header.producer() == params.pon.test_bypass {
        return Ok(());
    }
    match producer {
        Producer::Node(key) if verify_signature(header, &key) => Ok(()),
        Producer::Node(_) => Err(HeaderFault::BadSignature),
        Producer::Stranger => Err(HeaderFault::UnknownProducer),
        Producer::NotChecked => Ok(()),
    }
}

/// Whether the key signed the block hash. fluxd signs the 32 bytes as they stand on the wire.
pub fn verify_signature(header: &Header<'_>, key: &PublicKey) -> bool {
    match header.seal {
        Seal::Node { signature, .. } => key.verify_der(&header.hash(), signature),
        Seal::Work { .. } => false,
    }
}

fn check_time(params: &ChainParams, time: u32, parent: u32, now: u32) -> Result<(), HeaderFault> {
    if time <= parent {
        return Err(HeaderFault::TooOld { time, parent });
    }
    let ahead_s = params.pon.max_future_s;
    if u64::from(time) > u64::from(now) + u64::from(ahead_s) {
        return Err(HeaderFault::TooNew { time, now, ahead_s });
    }
    Ok(())
}

/// The claimed target must be within the limit of the height, and the lot must win. Regtest asks for neither.
fn check_lot(params: &ChainParams, header: &Header<'_>, height: u32) -> Result<(), HeaderFault> {
    let rules = &params.pon;
    if !rules.check_lots {
        return Ok(());
    }
    let bits = header.bits;
    let past_start = i64::from(height) >= rules.activation + i64::from(rules.window);
    let limit = if past_start {
        rules.limit
    } else {
        rules.start_limit
    };
    let within = CompactTarget(bits)
        .target()
        .is_some_and(|target| target <= limit);
    let winner = pon_hash_of(params, header).is_some_and(|lot| wins(&lot, bits));
    if within && winner {
        Ok(())
    } else {
        Err(HeaderFault::NotEligible { bits })
    }
}
