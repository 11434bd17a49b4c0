//! 256-bit targets and their compact form, with the arithmetic of fluxd's `src/arith_uint256.cpp`.

use std::fmt;

use crate::hash::Hash256;

/// A number of 256 bits that a hash is compared with.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Target {
    /// Least significant limb first.
    limbs: [u64; 4],
}

impl Target {
    pub const ZERO: Self = Self { limbs: [0; 4] };

    /// Reads a hash as a number: the first byte on the wire is the least significant.
    pub fn from_hash(hash: &Hash256) -> Self {
        let (chunks, _) = hash.as_wire().as_chunks::<8>();
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(chunks) {
            *limb = u64::from_le_bytes(*chunk);
        }
        Self { limbs }
    }

    /// Makes a target from 32 bytes, most significant first, as parameters are written.
    pub const fn from_be_bytes(bytes: [u8; 32]) -> Self {
        let mut limbs = [0_u64; 4];
        let mut index = 0;
        while index < 32 {
            let limb = 3 - index / 8;
            // Widening; `u64::from` is not const.
            limbs[limb] = (limbs[limb] << 8) | bytes[index] as u64;
            index += 1;
        }
        Self { limbs }
    }

    pub const fn is_zero(&self) -> bool {
        matches!(self.limbs, [0, 0, 0, 0])
    }

    /// Integer division.
    #[must_use]
    pub fn divided_by(self, divisor: u32) -> Self {
        let divisor = u128::from(divisor.max(1));
        let mut limbs = [0; 4];
        let mut remainder = 0;
        for (out, limb) in limbs.iter_mut().zip(self.limbs).rev() {
            let part = (remainder << 64) | u128::from(limb);
            *out = u64::try_from(part / divisor).expect("the remainder is below the divisor");
            remainder = part % divisor;
        }
        Self { limbs }
    }

    /// Multiplication modulo 2^256.
    #[must_use]
    pub fn wrapping_mul(self, factor: u32) -> Self {
        let mut limbs = [0; 4];
        let mut carry = 0;
        for (out, limb) in limbs.iter_mut().zip(self.limbs) {
            let part = u128::from(limb) * u128::from(factor) + carry;
            *out = u64::try_from(part & u128::from(u64::MAX)).expect("masked to 64 bits");
            carry = part >> 64;
        }
        Self { limbs }
    }

    /// The shortest compact form; low digits beyond three bytes are lost.
    pub fn compact(&self) -> CompactTarget {
        let bits = 256 - self.leading_zeros();
        let mut size = bits.div_ceil(8);
        let mut mantissa = if size <= 3 {
            let low = self.limbs[0] << (8 * (3 - size));
            u32::try_from(low & 0xff_ffff).unwrap_or_default()
        } else {
            self.three_bytes_below(size)
        };
        // The top bit of the mantissa is a sign; a digit moves over when it would be set.
        if mantissa & 0x80_0000 != 0 {
            mantissa >>= 8;
            size += 1;
        }
        CompactTarget((size << 24) | mantissa)
    }

    /// The three bytes whose highest is byte number `size`, counted from 1.
    fn three_bytes_below(self, size: u32) -> u32 {
        (1..=3).fold(0, |mantissa, step| {
            (mantissa << 8) | u32::from(self.byte(size - step))
        })
    }

    /// Byte number `index`, the least significant being 0.
    fn byte(self, index: u32) -> u8 {
        let limb = self.limbs.get(usize::try_from(index / 8).unwrap_or(4));
        let bytes = limb.copied().unwrap_or_default().to_le_bytes();
        let inside = usize::try_from(index % 8).unwrap_or_default();
        bytes.get(inside).copied().unwrap_or_default()
    }

    fn leading_zeros(&self) -> u32 {
        let mut zeros = 0;
        for limb in self.limbs.iter().rev() {
            zeros += limb.leading_zeros();
            if *limb != 0 {
                break;
            }
        }
        zeros
    }
}

impl Ord for Target {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.limbs.iter().rev().cmp(other.limbs.iter().rev())
    }
}

impl PartialOrd for Target {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [lowest, low, high, highest] = self.limbs;
        write!(f, "{highest:016x}{high:016x}{low:016x}{lowest:016x}")
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The form a header holds: a length in the first byte, the three highest bytes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactTarget(pub u32);

impl CompactTarget {
    /// The target; `None` when the form is negative, too large or zero, none of which a header may claim.
    pub fn target(self) -> Option<Target> {
        let size = self.0 >> 24;
        let negative = self.0 & 0x80_0000 != 0;
        let mantissa = self.0 & 0x7f_ffff;
        let overflow = mantissa != 0
            && (size > 34 || (mantissa > 0xff && size > 33) || (mantissa > 0xffff && size > 32));
        if negative || overflow {
            return None;
        }
        let mut bytes = [0; 32];
        let [_, digits @ ..] = mantissa.to_be_bytes();
        for (step, digit) in (1..).zip(digits) {
            // Digits below the first byte are cut off.
            let Some(index) = size.checked_sub(step) else {
                continue;
            };
            let place = usize::try_from(index)
                .ok()
                .and_then(|index| 31_usize.checked_sub(index));
            if let Some(place) = place.and_then(|place| bytes.get_mut(place)) {
                *place = digit;
            }
        }
        let target = Target::from_be_bytes(bytes);
        (!target.is_zero()).then_some(target)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(text: &str) -> Target {
        Target::from_be_bytes(hex::decode(text).unwrap().try_into().unwrap())
    }

    #[test]
    fn compact_forms_of_the_networks() {
        for (bits, text) in [
            (0x1f0b_ffff, format!("000bffff{}", "00".repeat(28))),
            (0x1f53_f10d, format!("0053f10d{}", "00".repeat(28))),
            (0x2007_ffff, format!("07ffff{}", "00".repeat(29))),
            (0x200f_0f0f, format!("0f0f0f{}", "00".repeat(29))),
        ] {
            assert_eq!(
                CompactTarget(bits).target(),
                Some(target(&text)),
                "{bits:08x}"
            );
            assert_eq!(target(&text).compact(), CompactTarget(bits));
        }
        assert_eq!(
            target(&"7f".repeat(32)).compact(),
            CompactTarget(0x207f_7f7f)
        );
        // A mantissa whose top bit is set gets another byte.
        assert_eq!(
            target(&format!("{}80", "00".repeat(31))).compact(),
            CompactTarget(0x0200_8000)
        );
    }

    #[test]
    fn impossible_forms_are_refused() {
        for bits in [
            0,
            0x0100_0000,
            0x0180_0001,
            0x2380_0000,
            0x2300_0001,
            0x2200_0100,
            0x2101_0000,
        ] {
            assert_eq!(CompactTarget(bits).target(), None, "{bits:08x}");
        }
        assert!(CompactTarget(0x2200_0001).target().is_some());
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_128_bits(value: u64, by in 1_u32..) {
            let wide = Target { limbs: [value, 0, 0, 0] };
            prop_assert_eq!(wide.divided_by(by).limbs[0], value / u64::from(by));
            let product = u128::from(value) * u128::from(by);
            let got = wide.wrapping_mul(by).limbs;
            prop_assert_eq!(u128::from(got[0]) | (u128::from(got[1]) << 64), product);
        }

        #[test]
        fn a_compact_form_names_one_target(bits: u32) {
            if let Some(target) = CompactTarget(bits).target() {
                prop_assert_eq!(target.compact().target(), Some(target));
            }
        }

        #[test]
        fn order_is_that_of_the_digits(a: [u8; 32], b: [u8; 32]) {
            prop_assert_eq!(
                Target::from_be_bytes(a).cmp(&Target::from_be_bytes(b)),
                a.cmp(&b)
            );
        }
    }
}
