//! The merkle tree over transaction ids. Bitcoin's, with its flaw: an odd row repeats its last hash, so two different lists
//! can have one root (CVE-2012-2459). [`MerkleRoot::mutated`] tells.

use crate::hash::Hash256;

/// A root, and whether the list below it repeats hashes in a way that another list shares the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MerkleRoot {
    pub root: Hash256,
    pub mutated: bool,
}

/// The root over the ids in order; zero for an empty list.
pub fn merkle_root(txids: &[Hash256]) -> MerkleRoot {
    let mut mutated = false;
    let mut row = txids.to_vec();
    while row.len() > 1 {
        let mut above = Vec::with_capacity(row.len().div_ceil(2));
        let (pairs, odd) = row.as_chunks::<2>();
        above.extend(pairs.iter().map(|[left, right]| join(left, right)));
        match (odd, pairs.last()) {
            ([odd], _) => above.push(join(odd, odd)),
            // fluxd looks for equal hashes at the end of a row only, where repetition leaves the root alone.
            (_, Some([left, right])) => mutated |= left == right,
            (_, None) => {}
        }
        row = above;
    }
    MerkleRoot {
        root: row.first().copied().unwrap_or(Hash256::ZERO),
        mutated,
    }
}

fn join(left: &Hash256, right: &Hash256) -> Hash256 {
    let mut both = [0; 64];
    let (first, second) = both.split_at_mut(32);
    first.copy_from_slice(left.as_wire());
    second.copy_from_slice(right.as_wire());
    Hash256::sha256d(&both)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u8]) -> Vec<Hash256> {
        numbers
            .iter()
            .map(|n| Hash256::from_wire([*n; 32]))
            .collect()
    }

    #[test]
    fn a_single_id_is_its_own_root() {
        assert_eq!(merkle_root(&ids(&[7])).root, Hash256::from_wire([7; 32]));
        assert_eq!(merkle_root(&[]).root, Hash256::ZERO);
    }

    #[test]
    fn a_repeated_tail_shares_the_root_and_is_found_out() {
        let honest = merkle_root(&ids(&[1, 2, 3]));
        let forged = merkle_root(&ids(&[1, 2, 3, 3]));
        assert_eq!(honest.root, forged.root);
        assert!(!honest.mutated);
        assert!(forged.mutated);
    }
}
