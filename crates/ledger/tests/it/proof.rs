//! Proofs under attack: every bit of leaf, path, root and position counts.

use fluxplane_core::id::EpochNumber;
use fluxplane_ledger::settlement::{
    Anchor, Hash32, Proof, Receipt, TreeHead, proof::ProofError, receipt::ReceiptError,
};
use proptest::prelude::*;

use crate::{rfc6962, samples::epoch};

/// The verdict of both verifiers, which must be the same.
fn accepted(leaf: &[u8], proof: &Proof, head: &TreeHead) -> bool {
    let own = proof.verify(leaf, head).is_ok();
    let path: Vec<[u8; 32]> = proof.path.iter().map(|hash| hash.0).collect();
    let [index, size] = [proof.index, proof.size].map(|number| usize::try_from(number).unwrap());
    let second =
        proof.size == head.count && rfc6962::verify(leaf, index, size, &path, &head.root.0);
    assert_eq!(own, second, "the verifiers disagree on {proof:?}");
    own
}

fn flip(bytes: &mut [u8], bit: usize) {
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn flip_number(number: &mut u32, bit: usize) {
    *number ^= 1 << (bit % 32);
}

/// A small generator, so that the 100,000 mutations are the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).unwrap()).unwrap()
    }
}

#[test]
fn a_hundred_thousand_flipped_bits_are_all_rejected_and_the_honest_proofs_accepted() {
    let mut dice = Dice(0x5eed);
    let mut flips = 0;
    for (lines, payouts) in [
        (0, 0),
        (1, 0),
        (2, 1),
        (5, 2),
        (60, 3),
        (61, 3),
        (200, 57),
        (700, 325),
    ] {
        let leaves = epoch(2, lines, payouts);
        let tree = leaves.tree().unwrap();
        let head = tree.head();
        let encoded: Vec<Vec<u8>> = leaves.iter().map(|leaf| leaf.encode()).collect();
        for round in 0..12_500 {
            let index = dice.below(encoded.len());
            let mut leaf = encoded[index].clone();
            let mut proof = tree.prove(u32::try_from(index).unwrap()).unwrap();
            let mut altered = head;
            if round % 50 == 0 {
                assert!(accepted(&leaf, &proof, &head));
            }
            let bits = [leaf.len() * 8, proof.path.len() * 256, 256, 32, 32, 32];
            let mut bit = dice.below(bits.iter().sum());
            let mut part = 0;
            while bit >= bits[part] {
                bit -= bits[part];
                part += 1;
            }
            match part {
                0 => flip(&mut leaf, bit),
                1 => flip(&mut proof.path[bit / 256].0, bit % 256),
                2 => flip(&mut altered.root.0, bit),
                3 => flip_number(&mut proof.index, bit),
                4 => flip_number(&mut proof.size, bit),
                _ => flip_number(&mut altered.count, bit),
            }
            assert!(!accepted(&leaf, &proof, &altered), "part {part}, bit {bit}");
            flips += 1;
        }
    }
    assert_eq!(flips, 100_000);
}

#[test]
fn each_kind_of_failure_has_its_own_error() {
    let leaves = epoch(2, 5, 2);
    let tree = leaves.tree().unwrap();
    let head = tree.head();
    let leaf = leaves.iter().nth(3).unwrap().encode();
    let good = tree.prove(3).unwrap();
    let other_size = Proof {
        size: 9,
        ..good.clone()
    };
    assert_eq!(
        other_size.verify(&leaf, &head),
        Err(ProofError::OtherSize { proof: 9, tree: 8 })
    );
    let outside = Proof {
        index: 8,
        ..good.clone()
    };
    assert_eq!(
        outside.verify(&leaf, &head),
        Err(ProofError::NoSuchLeaf { index: 8, size: 8 })
    );
    for length in [0, 1, 2, 4, 33, 1_000] {
        let path = good
            .path
            .iter()
            .copied()
            .chain(std::iter::repeat(Hash32::ZERO));
        let wrong = Proof {
            path: path.take(length).collect(),
            ..good.clone()
        };
        assert_eq!(
            wrong.verify(&leaf, &head),
            Err(ProofError::PathLength { found: length })
        );
    }
    let elsewhere = Proof {
        index: 4,
        ..good.clone()
    };
    assert_eq!(elsewhere.verify(&leaf, &head), Err(ProofError::OtherRoot));
    let empty = TreeHead { count: 0, ..head };
    assert!(good.verify(&leaf, &empty).is_err());
}

#[test]
fn a_receipt_proves_its_leaf_against_the_anchor_of_its_epoch() {
    let leaves = epoch(2, 5, 2);
    let anchor = leaves.anchor().unwrap();
    let tree = leaves.tree().unwrap();
    for (index, leaf) in (0..).zip(leaves.iter()) {
        let receipt = Receipt {
            leaf: leaf.encode(),
            proof: tree.prove(index).unwrap(),
        };
        let json = serde_json::to_string(&receipt).unwrap();
        let receipt: Receipt = serde_json::from_str(&json).unwrap();
        assert_eq!(receipt.verify(&anchor), Ok(leaf));
        let later = Anchor {
            epoch: EpochNumber(3),
            ..anchor
        };
        let error = receipt.verify(&later).unwrap_err();
        assert_eq!(error, ReceiptError::OtherEpoch { leaf: 2, anchor: 3 });
    }
}

#[test]
fn a_leaf_among_a_million_proves_itself_in_less_than_a_kilobyte() {
    let hashes = (0..1_000_000)
        .step_by(997)
        .map(|index| rfc6962::depth(index, 1_000_000));
    let proof = Proof {
        index: 0,
        size: 1_000_000,
        path: vec![Hash32::ZERO; hashes.max().unwrap()],
    };
    let leaf = epoch(1, 1, 0).iter().nth(1).unwrap().encode();
    assert_eq!(proof.to_bytes().len() + leaf.len(), 648 + 207);
}

proptest! {
    #[test]
    fn the_compact_form_leads_back(index in any::<u32>(), size in any::<u32>(), hashes in 0..32_usize) {
        let proof = Proof { index, size, path: vec![Hash32([7; 32]); hashes] };
        prop_assert_eq!(Proof::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
        let json = serde_json::to_string(&proof).unwrap();
        prop_assert_eq!(serde_json::from_str::<Proof>(&json).unwrap(), proof);
    }

    #[test]
    fn no_bytes_make_the_decoders_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(proof) = Proof::from_bytes(&bytes) {
            prop_assert_eq!(proof.to_bytes(), bytes.clone());
            let head = TreeHead { root: Hash32::ZERO, count: proof.size };
            prop_assert!(proof.verify(&bytes, &head).is_err());
        }
        prop_assert!(Anchor::decode(&bytes).is_err());
        prop_assert!(fluxplane_ledger::settlement::Leaf::decode(&bytes).is_err());
    }
}
