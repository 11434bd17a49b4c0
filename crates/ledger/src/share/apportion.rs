//! Dividing an amount by weights without losing a unit.

use fluxplane_core::Sat;

/// Divides `total` in proportion to the weights, by the method of the largest remainder: everybody gets the exact share
/// rounded down, and the units left over go one each to those who lost the largest fraction, the smaller key first
/// among equals. The shares add up to the total, and each differs from the exact one by less than one unit.
///
/// The shares come in the order of the weights, whose keys must differ. `None` when nobody has a weight, or the total
/// is negative: then there is nobody to give to.
pub fn apportion<K: Ord>(total: Sat, weights: &[(K, u64)]) -> Option<Vec<Sat>> {
    let sum: u128 = weights.iter().map(|(_, weight)| u128::from(*weight)).sum();
    let amount = u64::try_from(total.get()).ok()?;
    if sum == 0 {
        return None;
    }
    let mut shares = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = amount;
    for (_, weight) in weights {
        let product = u128::from(amount) * u128::from(*weight);
        let share = u64::try_from(product / sum).expect("a share is at most the total");
        left -= share;
        shares.push(share);
        remainders.push(product % sum);
    }
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_unstable_by(|a, b| {
        let by_remainder = remainders[*b].cmp(&remainders[*a]);
        by_remainder.then_with(|| weights[*a].0.cmp(&weights[*b].0))
    });
    for position in order {
        if left == 0 {
            break;
        }
        shares[position] += 1;
        left -= 1;
    }
    let sat = |share| Sat::new(i64::try_from(share).expect("a share is at most the total"));
    Some(shares.into_iter().map(sat).collect())
}
