//! Between column types and ours.

use alloy_primitives::{Address, B256, U256};
use fluxplane_platform::db::Inconsistency;

pub(super) use crate::db::columns::Column;

/// A height as a column; what nodes say is checked before, so that it fits.
pub(super) fn height(value: u64) -> sqlx::Result<i64> {
    i64::try_from(value).map_err(|err| sqlx::Error::Encode(Box::new(err)))
}

/// What only these tables hold.
impl Column {
    pub(super) fn unsigned(
        self,
        row: impl std::fmt::Display,
        value: i64,
    ) -> Result<u64, Inconsistency> {
        u64::try_from(value).map_err(|_| self.wrong(row, value))
    }

    /// A hash of an EVM chain.
    pub(super) fn word(
        self,
        row: impl std::fmt::Display,
        value: &[u8],
    ) -> Result<B256, Inconsistency> {
        B256::try_from(value).map_err(|_| self.wrong(row, value))
    }

    pub(super) fn address(
        self,
        row: impl std::fmt::Display,
        value: &[u8],
    ) -> Result<Address, Inconsistency> {
        Address::try_from(value).map_err(|_| self.wrong(row, value))
    }

    /// A `numeric` read as text.
    pub(super) fn amount(
        self,
        row: impl std::fmt::Display,
        value: &str,
    ) -> Result<U256, Inconsistency> {
        U256::from_str_radix(value, 10).map_err(|_| self.wrong(row, value))
    }
}
