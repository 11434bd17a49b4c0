//! Writing and reading the fixed fields of a leaf.

use fluxplane_core::{Sat, id::EpochNumber};
use uuid::Uuid;

use super::LeafError;
use crate::{asset::Asset, settlement::hash::Hash32};

pub(super) const MAGIC: [u8; 4] = *b"FXPL";
pub(super) const VERSION: u8 = 1;

pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new(length: usize, kind: u8, epoch: EpochNumber) -> Self {
        let mut writer = Self(Vec::with_capacity(length));
        writer.put(&MAGIC);
        writer.put(&[VERSION, kind]);
        writer.put(&epoch.0.to_be_bytes());
        writer
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Reads a leaf whose length was checked.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += N;
        *rest
            .first_chunk()
            .expect("the length of the leaf was checked")
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    pub(super) fn sat(&mut self) -> Sat {
        Sat::new(i64::from_be_bytes(self.array()))
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        Uuid::from_bytes(self.array())
    }

    pub(super) fn hash(&mut self) -> Hash32 {
        Hash32(self.array())
    }

    pub(super) fn asset(&mut self) -> Result<Asset, LeafError> {
        let bytes = self.array();
        let rule = "must be two to eight capital letters and digits, filled up with zero bytes";
        Asset::from_bytes(bytes).ok_or_else(|| super::wrong("asset", &hex::encode(bytes), rule))
    }
}
