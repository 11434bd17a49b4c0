//! Sharing a rounded sum among its lines by largest remainder.

/// Rounds the sum of `numerators / denominator` down and shares it: every line gets its own amount rounded down, and
/// the units left over go one each to the lines that lost most, the earlier line first among equals. `None` when
/// something does not fit.
pub(super) fn round_down(numerators: &[u128], denominator: u128) -> Option<(u64, Vec<u64>)> {
    let sum = numerators
        .iter()
        .try_fold(0_u128, |sum, own| sum.checked_add(*own))?;
    let total = u64::try_from(sum / denominator).ok()?;
    let mut shares = Vec::with_capacity(numerators.len());
    let mut left = total;
    for numerator in numerators {
        let share = u64::try_from(numerator / denominator).ok()?;
        left -= share;
        shares.push(share);
    }
    if left > 0 {
        let mut order: Vec<usize> = (0..numerators.len()).collect();
        // Stable, so the earlier line comes first among equals.
        order.sort_by_key(|&line| std::cmp::Reverse(numerators[line] % denominator));
        let lines = usize::try_from(left).ok()?;
        for line in order.into_iter().take(lines) {
            shares[line] += 1;
        }
    }
    Some((total, shares))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_off_goes_to_those_who_lost_most() {
        assert_eq!(round_down(&[15, 19, 16], 10), Some((5, vec![1, 2, 2])));
        assert_eq!(round_down(&[15, 15], 10), Some((3, vec![2, 1])));
        assert_eq!(round_down(&[], 10), Some((0, vec![])));
        assert_eq!(round_down(&[u128::MAX, 1], 10), None);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_less_than_one_unit_off(
            numerators in proptest::collection::vec(0..10_000_u128, 0..12),
            denominator in 1..500_u128,
        ) {
            let (total, shares) = round_down(&numerators, denominator).unwrap();
            prop_assert_eq!(shares.iter().sum::<u64>(), total);
            for (share, numerator) in shares.iter().zip(&numerators) {
                let exact = u128::from(*share) * denominator;
                prop_assert!(exact < numerator + denominator && exact + denominator > *numerator);
            }
        }
    }
}
