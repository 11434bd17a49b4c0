//! A set of small numbers, one bit each. Empty sets own no memory, so a plan pays only for the filters it uses.

#[derive(Debug, Clone, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

/// Word and mask of a number.
fn locate(number: u32) -> (usize, u64) {
    let word = usize::try_from(number / u64::BITS)
        .expect("a u32 fits a usize on every target we build for");
    (word, 1 << (number % u64::BITS))
}

impl Bits {
    /// Adds a number; false when it was there already.
    pub(crate) fn insert(&mut self, number: u32) -> bool {
        let (word, mask) = locate(number);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let fresh = self.words[word] & mask == 0;
        self.words[word] |= mask;
        fresh
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        let (word, mask) = locate(number);
        self.words.get(word).is_some_and(|bits| bits & mask != 0)
    }

    /// The numbers of the set in rising order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.words).flat_map(|(word, bits)| {
            let mut left = *bits;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                (left != 0).then(|| {
                    left &= left - 1;
                    word * u64::BITS + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_back_in_order() {
        let mut bits = Bits::default();
        for number in [200, 0, 63, 64, 200] {
            bits.insert(number);
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 200]);
        assert!(bits.contains(63) && !bits.contains(62) && !bits.contains(100_000));
    }
}
