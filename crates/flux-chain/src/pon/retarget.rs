//! The difficulty of the next block. It moves with every block, by at most a quarter, and divides before it multiplies, so that
//! a perfectly paced chain drifts to lower targets by rounding (fluxd `GetNextPONWorkRequired`).

use crate::{
    params::ChainParams,
    pon::{CompactTarget, Target},
};

/// Why no difficulty can be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetargetError {
    #[error(
        "height {0} is before Proof of Node; its difficulty follows the rules of proof of work"
    )]
    BeforePon(u32),
    #[error("the time of block {0} is needed and was not given")]
    TimeMissing(u32),
}

/// The compact target of the block at `height`.
///
/// `parent_bits` belongs to the block before; `time_of` answers with the header time of an earlier block and is asked for the
/// parent and for the first block of the window.
pub fn next_bits(
    params: &ChainParams,
    height: u32,
    parent_bits: u32,
    time_of: impl Fn(u32) -> Option<u32>,
) -> Result<u32, RetargetError> {
    let rules = &params.pon;
    if !params.is_pon(height) {
        return Err(RetargetError::BeforePon(height));
    }
    let window = rules.window;
    if i64::from(height) < rules.activation + i64::from(window) {
        return Ok(rules.start_limit.compact().0);
    }
    let ideal = i64::from(window.saturating_sub(1)) * i64::from(rules.spacing_s);
    if ideal <= 0 {
        return Ok(rules.limit.compact().0);
    }
    // A window never reaches back before its own first block, so the subtraction holds for every height that comes here.
    let last = height.saturating_sub(1);
    let first = height.saturating_sub(window);
    let time = |height| time_of(height).ok_or(RetargetError::TimeMissing(height));
    let span = i64::from(time(last)?) - i64::from(time(first)?);
    let span = span.clamp(ideal * 4 / 5, ideal * 5 / 4);

    let Some(old) = CompactTarget(parent_bits).target() else {
        return Ok(rules.limit.compact().0);
    };
    let narrow = |seconds: i64| u32::try_from(seconds).unwrap_or(u32::MAX);
    let new = old.divided_by(narrow(ideal)).wrapping_mul(narrow(span));
    let new = if new > rules.limit || new == Target::ZERO {
        rules.limit
    } else {
        new
    };
    Ok(new.compact().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_window_keeps_the_start_target() {
        let params = ChainParams::main();
        for height in [2_020_000, 2_020_029] {
            let bits = next_bits(&params, height, 0x1d2e_e03b, |_| None);
            assert_eq!(bits, Ok(0x1f0b_ffff));
        }
        assert_eq!(
            next_bits(&params, 2_020_030, 0x1f0b_ffff, |_| None),
            Err(RetargetError::TimeMissing(2_020_029))
        );
        assert_eq!(
            next_bits(&params, 2_019_999, 0, |_| None),
            Err(RetargetError::BeforePon(2_019_999))
        );
    }

    #[test]
    fn the_target_moves_by_a_quarter_at_most() {
        let params = ChainParams::main();
        let after = |span: u32| {
            let time = |height| {
                Some(if height == 2_020_029 {
                    1_000_000 + span
                } else {
                    1_000_000
                })
            };
            next_bits(&params, 2_020_030, 0x1f0b_ffff, time).unwrap()
        };
        let old = CompactTarget(0x1f0b_ffff).target().unwrap();
        let expected = |span| old.divided_by(870).wrapping_mul(span).compact().0;
        assert_eq!(after(0), expected(696));
        assert_eq!(after(695), expected(696));
        assert_eq!(after(1_000), expected(1_000));
        assert_eq!(after(5_000), expected(1_087));
        // Paced perfectly, the target still shrinks by what the division drops.
        assert!(CompactTarget(after(870)).target().unwrap() <= old);
    }

    #[test]
    fn the_limit_caps_the_target() {
        let params = ChainParams::main();
        let time = |height| Some(if height == 2_020_029 { 9_000 } else { 1_000 });
        let easiest = params.pon.limit.compact().0;
        assert_eq!(next_bits(&params, 2_020_030, easiest, time), Ok(easiest));
        assert_eq!(next_bits(&params, 2_020_030, 0, time), Ok(easiest));
    }
}
