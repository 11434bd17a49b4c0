//! Between column types and ours.

use fluxplane_flux_chain::{Hash256, OutPoint, PublicKey};
use fluxplane_platform::db::Inconsistency;

/// A height, a position or an output index as a column. Chains end long before 2³¹.
pub(super) fn int(value: u32) -> sqlx::Result<i32> {
    i32::try_from(value).map_err(|err| sqlx::Error::Encode(Box::new(err)))
}

/// A length or a count as a column.
pub(super) fn int_of(value: usize) -> sqlx::Result<i32> {
    i32::try_from(value).map_err(|err| sqlx::Error::Encode(Box::new(err)))
}

/// Names the column that is read, for errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column(pub(crate) &'static str, pub(crate) &'static str);

impl Column {
    pub(crate) fn wrong(
        self,
        row: impl std::fmt::Display,
        value: impl std::fmt::Debug,
    ) -> Inconsistency {
        Inconsistency::new(self.0, self.1, row, value)
    }

    pub(super) fn uint(
        self,
        row: impl std::fmt::Display,
        value: i32,
    ) -> Result<u32, Inconsistency> {
        u32::try_from(value).map_err(|_| self.wrong(row, value))
    }

    pub(super) fn hash(
        self,
        row: impl std::fmt::Display,
        value: &[u8],
    ) -> Result<Hash256, Inconsistency> {
        <[u8; 32]>::try_from(value)
            .map(Hash256::from_wire)
            .map_err(|_| self.wrong(row, value))
    }

    /// A key, or no bytes for no key.
    pub(super) fn key(
        self,
        row: impl std::fmt::Display,
        value: &[u8],
    ) -> Result<PublicKey, Inconsistency> {
        if value.is_empty() {
            return Ok(PublicKey::NONE);
        }
        PublicKey::parse(value).ok_or_else(|| self.wrong(row, value))
    }
}

/// Hashes as an array of bytes.
pub(super) fn wire<'h>(hashes: impl IntoIterator<Item = &'h Hash256>) -> Vec<&'h [u8]> {
    hashes
        .into_iter()
        .map(|hash| hash.as_wire().as_slice())
        .collect()
}

/// Outpoints as two arrays.
pub(super) fn outpoints<'o>(
    outpoints: impl IntoIterator<Item = &'o OutPoint>,
) -> sqlx::Result<(Vec<&'o [u8]>, Vec<i32>)> {
    outpoints
        .into_iter()
        .map(|outpoint| Ok((outpoint.txid.as_wire().as_slice(), int(outpoint.n)?)))
        .collect()
}

/// Reads an outpoint.
pub(super) fn outpoint(
    table: &'static str,
    txid: &[u8],
    vout: i32,
) -> Result<OutPoint, Inconsistency> {
    let txid = Column(table, "txid").hash(hex::encode(txid), txid)?;
    let n = Column(table, "vout").uint(txid, vout)?;
    Ok(OutPoint::new(txid, n))
}
