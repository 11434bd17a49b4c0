//! Between our numbers and the columns of Postgres, which knows no unsigned ones.
//!
//! What is read was written by us under the constraints of the migrations, so a value out of range is an [`Inconsistency`]
//! and not an input error.

use std::fmt::Display;

use super::Inconsistency;

/// Unsigned values of ours that fit a `bigint` by their meaning; a larger one is a caller's lie.
pub fn bigint(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Counts of ours that fit an `integer` by their meaning.
pub fn integer(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// A column that is never negative.
pub fn unsigned(
    table: &'static str,
    column: &'static str,
    row: impl Display,
    value: i64,
) -> Result<u64, Inconsistency> {
    u64::try_from(value).map_err(|_| Inconsistency::new(table, column, row, value))
}

/// A column that holds a small count: an `integer`, or a `bigint` where 32 unsigned bits need one.
pub fn small(
    table: &'static str,
    column: &'static str,
    row: impl Display,
    value: impl Into<i64>,
) -> Result<u32, Inconsistency> {
    let value = value.into();
    u32::try_from(value).map_err(|_| Inconsistency::new(table, column, row, value))
}

/// A column of 32 bytes.
pub fn bytes_32(
    table: &'static str,
    column: &'static str,
    row: impl Display,
    value: &[u8],
) -> Result<[u8; 32], Inconsistency> {
    value
        .try_into()
        .map_err(|_| Inconsistency::new(table, column, row, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_leads_back() {
        for value in [0, 1, u64::from(u32::MAX), i64::MAX.unsigned_abs()] {
            assert_eq!(unsigned("t", "c", 1, bigint(value)).unwrap(), value);
        }
        for value in [0, 1, i32::MAX.unsigned_abs()] {
            assert_eq!(small("t", "c", 1, integer(value)).unwrap(), value);
        }
        assert_eq!(small("t", "c", 1, i64::from(u32::MAX)).unwrap(), u32::MAX);
        assert_eq!(bytes_32("t", "c", 1, &[7; 32]).unwrap(), [7; 32]);
    }

    #[test]
    fn what_does_not_fit_is_written_as_the_largest() {
        assert_eq!(bigint(u64::MAX), i64::MAX);
        assert_eq!(integer(u32::MAX), i32::MAX);
    }

    #[test]
    fn what_nobody_wrote_is_named_with_its_table_column_row_and_value() {
        let said = unsigned("node", "version", "n1", -1).unwrap_err();
        assert_eq!(
            said.to_string(),
            "node.version of row n1 holds `-1`, which no version of this service writes"
        );
        let said = small("payment", "vout", 5, i64::from(u32::MAX) + 1).unwrap_err();
        assert_eq!(
            (
                said.table,
                said.column,
                said.row.as_str(),
                said.value.as_str()
            ),
            ("payment", "vout", "5", "4294967296")
        );
        assert!(small("app", "number", 5, -1).is_err());
        assert!(bytes_32("epoch", "root", 5, &[0; 31]).is_err());
    }
}
