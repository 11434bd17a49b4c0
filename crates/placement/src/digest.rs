//! Fingerprints: of one value, and of a whole state that changes piece by piece.
//!
//! A state's fingerprint must not depend on the order of the changes that led to it, and one reservation must not
//! cost a pass over all nodes. So it is the sum, modulo 2^256, of the SHA-256 of every item; taking an item away
//! subtracts it. Items carry unique ids, so none counts twice. The sum guards against mistakes and lost updates, not
//! against somebody who may choose hundreds of thousands of items freely to forge a second state with the same sum.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::canonical::Canonical;

/// A 32-byte fingerprint, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    pub(crate) fn of(form: Canonical) -> Self {
        Self(Sha256::digest(form.bytes()).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// A text that is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest; write 64 hexadecimal digits")]
pub struct ParseDigestError(String);

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseDigestError(text.to_owned()))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = ParseDigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The running sum over the items of a state. Limbs in little-endian order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SetDigest {
    sum: [u64; 4],
    items: u64,
}

fn limbs(item: Digest) -> [u64; 4] {
    let (chunks, _) = item.0.as_chunks::<8>();
    [0, 1, 2, 3].map(|limb| u64::from_le_bytes(chunks[limb]))
}

impl SetDigest {
    pub(crate) fn add(&mut self, item: Digest) {
        let mut carry = false;
        for (limb, addend) in self.sum.iter_mut().zip(limbs(item)) {
            let (partial, first) = limb.overflowing_add(addend);
            let (total, second) = partial.overflowing_add(u64::from(carry));
            *limb = total;
            carry = first || second;
        }
        self.items += 1;
    }

    pub(crate) fn subtract(&mut self, item: Digest) {
        let mut borrow = false;
        for (limb, subtrahend) in self.sum.iter_mut().zip(limbs(item)) {
            let (partial, first) = limb.overflowing_sub(subtrahend);
            let (total, second) = partial.overflowing_sub(u64::from(borrow));
            *limb = total;
            borrow = first || second;
        }
        self.items -= 1;
    }

    pub(crate) fn finish(&self) -> Digest {
        let mut form = Canonical::of("fluxplane/placement/state/v1");
        form.number(self.items);
        for limb in self.sum {
            form.number(limb);
        }
        Digest::of(form)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_leads_back() {
        let digest = Digest([0xab; 32]);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("ab".parse::<Digest>().is_err());
    }

    proptest! {
        #[test]
        fn a_sum_forgets_order_and_what_was_taken_away(
            items in prop::collection::vec(any::<[u8; 32]>(), 1..20),
            extra in any::<[u8; 32]>(),
        ) {
            let mut forward = SetDigest::default();
            for item in &items {
                forward.add(Digest(*item));
            }
            let mut backward = SetDigest::default();
            backward.add(Digest(extra));
            for item in items.iter().rev() {
                backward.add(Digest(*item));
            }
            prop_assert_ne!(forward.finish(), backward.finish());
            backward.subtract(Digest(extra));
            prop_assert_eq!(forward.finish(), backward.finish());
        }
    }
}
