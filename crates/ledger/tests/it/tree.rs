//! The tree against known answers, against the recursive definition, and against the tree of `ct-merkle`.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use fluxplane_ledger::settlement::{
    Hash32, Tree,
    tree::{HeadBuilder, TreeHead, leaf_hash},
};
use sha2::Sha256;

use crate::rfc6962;

fn head(leaves: &[Vec<u8>]) -> TreeHead {
    let mut builder = HeadBuilder::default();
    for leaf in leaves {
        builder.push(leaf).unwrap();
    }
    builder.finish()
}

/// Inputs and roots of the tests of the Certificate Transparency reference implementation (google/certificate-transparency,
/// `cpp/merkletree/merkle_tree_test.cc`).
#[test]
fn roots_are_the_ones_of_certificate_transparency() {
    let leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves: Vec<Vec<u8>> = leaves
        .iter()
        .map(|leaf| hex::decode(leaf).unwrap())
        .collect();
    for (count, root) in roots.iter().enumerate() {
        assert_eq!(
            head(&leaves[..count]).root.to_string(),
            *root,
            "{count} leaves"
        );
    }
}

#[test]
fn all_ways_to_a_root_and_a_path_agree_for_every_shape() {
    let leaves: Vec<Vec<u8>> = (0..130_u32)
        .map(|number| number.to_be_bytes().to_vec())
        .collect();
    for size in (0..=66).chain(127..=130) {
        let leaves = &leaves[..size];
        let mut peer = MemoryBackedTree::<Sha256, &Vec<u8>>::new();
        for leaf in leaves {
            peer.push(leaf);
        }
        let head = head(leaves);
        assert_eq!(head.root.0, rfc6962::tree_hash(leaves), "{size}");
        assert_eq!(
            head.root.0.as_slice(),
            peer.root().as_bytes().as_slice(),
            "{size}"
        );
        let tree = Tree::new(leaves.iter().map(|leaf| leaf_hash(leaf))).unwrap();
        assert_eq!(tree.head(), head);
        // Larger trees differ from smaller ones only in depth, so every third leaf will do.
        for index in (0..size).step_by(if size > 66 { 3 } else { 1 }) {
            let proof = tree.prove(u32::try_from(index).unwrap()).unwrap();
            let path: Vec<[u8; 32]> = proof.path.iter().map(|hash| hash.0).collect();
            assert_eq!(path, rfc6962::path(index, leaves), "{index} of {size}");
            assert_eq!(peer.prove_inclusion(index).as_bytes(), path.concat());
            assert_eq!(path.len(), rfc6962::depth(index, size));
            assert_eq!(proof.verify(&leaves[index], &head), Ok(()));
        }
        assert_eq!(tree.prove(u32::try_from(size).unwrap()), None);
    }
}

#[test]
fn a_leaf_is_no_node() {
    let [left, right] = [leaf_hash(b"left"), leaf_hash(b"right")];
    let forged: Vec<u8> = [left.0, right.0].concat();
    let two = head(&[b"left".to_vec(), b"right".to_vec()]);
    let one = head(&[forged]);
    assert_ne!(two.root, one.root);
    assert_ne!(two.root, Hash32::ZERO);
}
