//! The header: is it the block that was asked for, does it follow its parent, and was its producer entitled.

use fluxplane_flux_chain::{
    Block, ChainParams,
    header::{Header, Seal},
    pon::{
        CompactTarget, EMERGENCY_SIGNATURES_MAX, Target, is_emergency, next_bits, pon_hash_of,
        slot, verify_emergency, verify_signature, wins,
    },
};

use super::{Known, Report};

/// The longest signature of an ordinary block (fluxd `MAX_BLOCK_SIG_SIZE`).
const SIGNATURE_MAX: usize = 73;

/// Whether the difficulty of a height follows from a window of earlier blocks.
pub(super) fn has_window(params: &ChainParams, height: u32) -> bool {
    let rules = &params.pon;
    params.is_pon(height)
        && height >= rules.window
        && i64::from(height) >= rules.activation + i64::from(rules.window)
}

pub(super) fn check(
    params: &ChainParams,
    block: &Block<'_>,
    height: Option<u32>,
    known: &Known,
    report: &mut Report,
) {
    let header = &block.header;
    identity(params, header, height, known, report);
    if height == Some(0) {
        // Nothing comes before the first block, and nobody was entitled to it: its hash is a constant.
        return;
    }
    parent(params, header, known, report);
    let Some(height) = height else {
        return;
    };
    if params.is_pon(height) != header.is_pon() {
        let (wanted, found) = if header.is_pon() {
            ("proof of work", "a proof of node")
        } else {
            ("a proof of node", "proof of work")
        };
        report.failed(
            "seal",
            format!("height {height} needs {wanted}, the header has {found}"),
        );
        return;
    }
    bits(params, header, height, known, report);
    match header.seal {
        Seal::Node { signature, .. } => node(params, header, height, signature, known, report),
        Seal::Work { .. } => work(header, report),
    }
}

/// Whether this is the block that was asked for.
fn identity(
    params: &ChainParams,
    header: &Header<'_>,
    height: Option<u32>,
    known: &Known,
    report: &mut Report,
) {
    let hash = header.hash();
    if let (Some(wanted), Some(height)) = (known.height, height)
        && wanted != height
    {
        report.failed(
            "hash",
            format!("the coinbase is for height {height}, not {wanted}"),
        );
        return;
    }
    let fixed = height.and_then(|height| {
        let genesis = (height == 0).then_some(params.genesis.hash);
        let checkpoint = params.checkpoints.iter().find(|(at, _)| *at == height);
        genesis.or(checkpoint.map(|(_, hash)| *hash))
    });
    if let Some(fixed) = fixed.filter(|fixed| *fixed != hash) {
        report.failed(
            "hash",
            format!("the chain's block at this height is {fixed}"),
        );
        return;
    }
    match (known.hash, fixed) {
        (Some(wanted), _) if wanted != hash => {
            report.failed("hash", format!("this is not block {wanted}"));
        }
        (Some(_), _) => report.passed("hash", "this is the block that was asked for"),
        (None, Some(_)) => {
            report.passed("hash", "this is the block the network's checkpoints name");
        }
        (None, None) => {
            let text = "nobody said which hash it must have; name it to compare";
            report.not_checked("hash", text);
        }
    }
}

/// Whether it follows the block before, and not too early or too late.
fn parent(params: &ChainParams, header: &Header<'_>, known: &Known, report: &mut Report) {
    let Some(parent) = &known.parent else {
        report.not_checked(
            "parent",
            format!("block {} is not at hand", header.previous),
        );
        return;
    };
    if parent.hash != header.previous {
        let (found, wanted) = (parent.hash, header.previous);
        report.failed("parent", format!("follows {wanted}, not {found}"));
        return;
    }
    report.passed("parent", format!("follows {}", parent.hash));
    if !header.is_pon() {
        // Before Proof of Node the rule is about the median of eleven blocks.
        return;
    }
    let ahead = u64::from(known.now) + u64::from(params.pon.max_future_s);
    let gap = i64::from(header.time) - i64::from(parent.time);
    if gap <= 0 {
        report.failed("time", format!("{} s before its parent", -gap));
    } else if u64::from(header.time) > ahead {
        let limit = params.pon.max_future_s;
        report.failed("time", format!("more than {limit} s ahead of this clock"));
    } else {
        report.passed("time", format!("{gap} s after its parent"));
    }
}

/// Whether the difficulty is the one the blocks before give.
fn bits(
    params: &ChainParams,
    header: &Header<'_>,
    height: u32,
    known: &Known,
    report: &mut Report,
) {
    if !header.is_pon() {
        let text = "the difficulty of proof of work is not recomputed";
        report.not_checked("bits", text);
        return;
    }
    let window = params.pon.window;
    let ancestors = (known.parent, known.window_start);
    let result = next_bits(
        params,
        height,
        known.parent.map_or(0, |parent| parent.bits),
        |at| {
            if at + 1 == height {
                ancestors.0.map(|parent| parent.time)
            } else if at + window == height {
                ancestors.1.map(|first| first.time)
            } else {
                None
            }
        },
    );
    match result {
        Ok(expected) if expected == header.bits => {
            report.passed(
                "bits",
                format!("difficulty {expected:08x} follows from the rule"),
            );
        }
        Ok(expected) => report.failed(
            "bits",
            format!(
                "difficulty {:08x}; the rule gives {expected:08x}",
                header.bits
            ),
        ),
        Err(_) => {
            let text = format!(
                "needs the headers of blocks {} and {}",
                height - window,
                height - 1
            );
            report.not_checked("bits", text);
        }
    }
}

/// Whether the producer's lot won, and whether it signed.
fn node(
    params: &ChainParams,
    header: &Header<'_>,
    height: u32,
    signature: &[u8],
    known: &Known,
    report: &mut Report,
) {
    if is_emergency(params, header) {
        let signed = signature.len() <= EMERGENCY_SIGNATURES_MAX
            && verify_emergency(params, header, &header.hash());
        let needed = params.emergency.min_signatures;
        report.judged(
            "signature",
            if signed {
                Ok(format!(
                    "an emergency block, signed by at least {needed} of the emergency keys"
                ))
            } else {
                Err(format!(
                    "an emergency block without {needed} valid emergency signatures"
                ))
            },
        );
        return;
    }
    report.judged("lot", lot(params, header, height));
    if header.producer() == params.pon.test_bypass {
        let text = "made with the bypass collateral of a test network, which nobody signs for";
        report.passed("signature", text);
        return;
    }
    if signature.len() > SIGNATURE_MAX {
        let length = signature.len();
        report.failed(
            "signature",
            format!("{length} bytes; at most {SIGNATURE_MAX} are allowed"),
        );
        return;
    }
    let producer = header
        .producer()
        .map_or_else(String::new, |out| out.to_string());
    match &known.producer {
        Some(key) if verify_signature(header, key) => {
            report.passed("signature", format!("by the node {producer}"));
        }
        Some(key) => {
            report.failed(
                "signature",
                format!("key {key} of node {producer} did not sign this block"),
            );
        }
        None => report.not_checked(
            "signature",
            format!("the key of node {producer} is not at hand"),
        ),
    }
}

fn lot(params: &ChainParams, header: &Header<'_>, height: u32) -> Result<String, String> {
    let rules = &params.pon;
    if !rules.check_lots {
        return Ok("this network asks for no lot".to_owned());
    }
    let past_start = i64::from(height) >= rules.activation + i64::from(rules.window);
    let limit = if past_start {
        rules.limit
    } else {
        rules.start_limit
    };
    let bits = header.bits;
    let target = CompactTarget(bits).target();
    if target.is_none_or(|target| target > limit) {
        return Err(format!(
            "difficulty {bits:08x} is easier than the network allows"
        ));
    }
    let lot = pon_hash_of(params, header).ok_or("the header names no producer")?;
    let slot = slot(params, header.time);
    if wins(&lot, bits) {
        Ok(format!("{lot} wins in slot {slot} at {bits:08x}"))
    } else {
        Err(format!("{lot} does not win in slot {slot} at {bits:08x}"))
    }
}

/// The hash must be at most the target; the solution behind it is not looked at.
fn work(header: &Header<'_>, report: &mut Report) {
    let target = CompactTarget(header.bits).target();
    let hash = header.hash();
    let enough = target.is_some_and(|target| Target::from_hash(&hash) <= target);
    report.judged(
        "work",
        if enough {
            Ok(format!("the hash is below the target {:08x}", header.bits))
        } else {
            Err(format!("the hash is above the target {:08x}", header.bits))
        },
    );
    report.not_checked("solution", "Equihash solutions are not verified");
}
