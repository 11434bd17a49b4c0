//! Rows streamed into a table with `COPY`, in Postgres' binary format; a few rows go in one `INSERT`.
//!
//! A `COPY` ends with two writes in a row, and sqlx 0.9.0 does not set `TCP_NODELAY`: the second waits about 40 ms for the first to
//! be acknowledged. That is nothing to a thousand blocks and everything to the one at the tip.
//!
//! Measured against `INSERT ... SELECT FROM unnest(...)` for rows of blocks and transactions: see `docs/BENCHMARKS.md`. The
//! compiler cannot check the columns as it does for queries, so each caller names them beside the fields it writes, and the
//! database refuses a field of the wrong width.

use std::fmt::{self, Write as _};

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use super::columns::int;

/// Signature, flags and length of the extension.
const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// After the last row.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Microseconds from the epoch of Unix to that of Postgres, the first moment of 2000.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// Bytes handed over at once.
const CHUNK: usize = 256 * 1024;

/// So many rows, and so many bytes of them, are no longer few.
const FEW_ROWS: usize = 128;
const FEW_BYTES: usize = 64 * 1024;

/// Rows in the making.
#[derive(Debug)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    /// The same rows as the list of an `INSERT`, while they are few.
    values: String,
    fields: i16,
    count: usize,
}

impl Rows {
    /// Rows of `fields` fields, with room for `bytes` bytes.
    pub(super) fn new(fields: i16, bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(HEADER.len() + bytes + TRAILER.len());
        buffer.extend_from_slice(&HEADER);
        Self {
            bytes: buffer,
            values: String::new(),
            fields,
            count: 0,
        }
    }

    /// Begins a row; its fields follow.
    pub(super) fn row(&mut self) -> &mut Self {
        self.count += 1;
        self.bytes.extend_from_slice(&self.fields.to_be_bytes());
        if self.are_few() {
            self.values.push_str(match self.count {
                1 => "(",
                _ => "),(",
            });
        }
        self
    }

    pub(super) fn bytea(&mut self, value: &[u8]) -> sqlx::Result<&mut Self> {
        let length =
            i32::try_from(value.len()).map_err(|err| sqlx::Error::Encode(Box::new(err)))?;
        self.field(length, value);
        if self.are_few() {
            self.literal(format_args!("'\\x{}'", hex::encode(value)));
        }
        Ok(self)
    }

    pub(super) fn integer(&mut self, value: i32) -> &mut Self {
        self.field(4, &value.to_be_bytes());
        self.literal(format_args!("{value}"))
    }

    /// A height, a position or an index.
    pub(super) fn uint(&mut self, value: u32) -> sqlx::Result<&mut Self> {
        Ok(self.integer(int(value)?))
    }

    pub(super) fn bigint(&mut self, value: i64) -> &mut Self {
        self.field(8, &value.to_be_bytes());
        self.literal(format_args!("{value}"))
    }

    pub(super) fn time(&mut self, value: DateTime<Utc>) -> &mut Self {
        let micros = value.timestamp_micros() - POSTGRES_EPOCH;
        self.field(8, &micros.to_be_bytes());
        let text = value.format("%Y-%m-%dT%H:%M:%S%.6fZ");
        self.literal(format_args!("'{text}'"))
    }

    pub(super) fn null(&mut self) -> &mut Self {
        self.field(-1, &[]);
        self.literal(format_args!("NULL"))
    }

    fn field(&mut self, length: i32, value: &[u8]) {
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
    }

    fn literal(&mut self, value: fmt::Arguments<'_>) -> &mut Self {
        if self.are_few() {
            if !self.values.ends_with('(') {
                self.values.push(',');
            }
            self.values
                .write_fmt(value)
                .expect("a string takes whatever is written");
        }
        self
    }

    fn are_few(&self) -> bool {
        self.count <= FEW_ROWS && self.bytes.len() <= FEW_BYTES
    }

    /// Writes the rows into `target`, a table with its columns in the order of the fields.
    pub(super) async fn write(self, conn: &mut PgConnection, target: &str) -> sqlx::Result<()> {
        let count = self.count;
        let written = match count {
            0 => 0,
            _ if self.are_few() => self.insert(conn, target).await?,
            _ => self.copy(conn, target).await?,
        };
        if usize::try_from(written).is_ok_and(|written| written == count) {
            return Ok(());
        }
        let text = format!("{written} of {count} rows were written into {target}");
        Err(sqlx::Error::Protocol(text))
    }

    async fn insert(self, conn: &mut PgConnection, target: &str) -> sqlx::Result<u64> {
        // Numbers, times and hexadecimal digits; nothing that came from outside as text.
        let statement = format!("INSERT INTO {target} VALUES {})", self.values);
        let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn);
        Ok(done.await?.rows_affected())
    }

    async fn copy(mut self, conn: &mut PgConnection, target: &str) -> sqlx::Result<u64> {
        self.bytes.extend_from_slice(&TRAILER);
        let statement = format!("COPY {target} FROM STDIN (FORMAT binary)");
        let mut copy = conn.copy_in_raw(&statement).await?;
        for chunk in self.bytes.chunks(CHUNK) {
            copy.send(chunk).await?;
        }
        copy.finish().await
    }
}
