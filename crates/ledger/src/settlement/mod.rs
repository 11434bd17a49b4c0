//! Settlement: every line of every bill and every payout of an epoch becomes a leaf of one tree, whose root is anchored
//! on a chain. Whoever holds a line can check, offline and with nothing but SHA-256, that it is part of what was
//! anchored, and nobody can be shown another book.
//!
//! | module | what |
//! |---|---|
//! | [`hash`] | the 32-byte hashes |
//! | [`commitment`] | names in leaves, readable only for who knows the salt |
//! | [`leaf`] | the leaves, byte by byte |
//! | [`tree`] | the tree of RFC 6962 over the leaves, and its root without keeping the tree |
//! | [`proof`] | proof that a leaf is in a tree, and its check |
//! | [`epoch`] | the leaves of one epoch in their order, and the check of published leaves |
//! | [`anchor`] | the 49 bytes that go on a chain |
//! | [`receipt`] | what a customer keeps: a leaf and its proof |
//!
//! # How epochs hang together
//!
//! Leaf 0 of every tree is the epoch's header: its number, the root of the epoch before, its time span, and the numbers
//! and sums of the lines and payouts that follow. It is a leaf like any other, so the tree is an ordinary RFC 6962 tree
//! and any tool for those can check it; the chain of roots is proven by the proofs of leaf 0. The first epoch has 32
//! zero bytes as the root before it.
//!
//! After the header come the lines in order of (invoice, line), then the payouts in order of id. So a set of lines and
//! payouts has exactly one tree, and whoever has the published leaves can make the root again.

pub mod anchor;
pub mod commitment;
pub mod epoch;
pub mod hash;
pub mod leaf;
pub mod proof;
pub mod receipt;
pub mod tree;

pub use self::{
    anchor::Anchor,
    commitment::{Commitment, Salt},
    epoch::EpochLeaves,
    hash::Hash32,
    leaf::{EpochHeader, InvoiceLine, Leaf, LineKind, Payout},
    proof::Proof,
    receipt::Receipt,
    tree::{Tree, TreeHead},
};
