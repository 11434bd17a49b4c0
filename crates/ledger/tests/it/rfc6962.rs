//! A second verifier, written from the text of RFC 6962, section 2.1, and sharing no code with the first: it follows
//! the recursive definitions of the tree hash and the audit path, and knows nothing of indexes into arrays.

use sha2::{Digest, Sha256};

type Hash = [u8; 32];

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The largest power of two smaller than `n`, for `n` above 1.
fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// `MTH(D[n])`.
pub(crate) fn tree_hash(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => sha256(&[&[0], leaf]),
        many => {
            let (left, right) = many.split_at(split(many.len()));
            sha256(&[&[1], &tree_hash(left), &tree_hash(right)])
        }
    }
}

/// `PATH(m, D[n])`.
pub(crate) fn path(m: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if m < k {
        (path(m, left), tree_hash(right))
    } else {
        (path(m - k, right), tree_hash(left))
    };
    path.push(sibling);
    path
}

/// How many hashes `PATH(m, D[n])` has.
pub(crate) fn depth(m: usize, n: usize) -> usize {
    if n == 1 {
        return 0;
    }
    let k = split(n);
    1 + if m < k {
        depth(m, k)
    } else {
        depth(m - k, n - k)
    }
}

/// The root that a leaf and its path lead to; `None` when the path is not as long as the leaf's.
fn climb(leaf: &[u8], m: usize, n: usize, path: &[Hash]) -> Option<Hash> {
    if n == 1 {
        return path.is_empty().then(|| sha256(&[&[0], leaf]));
    }
    let (sibling, below) = path.split_last()?;
    let k = split(n);
    if m < k {
        Some(sha256(&[&[1], &climb(leaf, m, k, below)?, sibling]))
    } else {
        Some(sha256(&[&[1], sibling, &climb(leaf, m - k, n - k, below)?]))
    }
}

/// Whether `leaf` is leaf `m` of the tree of `n` leaves with this root.
pub(crate) fn verify(leaf: &[u8], m: usize, n: usize, path: &[Hash], root: &Hash) -> bool {
    m < n && climb(leaf, m, n, path).as_ref() == Some(root)
}
