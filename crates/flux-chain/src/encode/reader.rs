//! A cursor over borrowed bytes. Every read is bounds-checked and names the field it reads.

use crate::{
    encode::{DecodeError, Problem},
    hash::Hash256,
    outpoint::OutPoint,
};

/// The largest length fluxd accepts in a length field (`src/serialize.h`, `MAX_SIZE`).
pub const MAX_LENGTH: u64 = 0x0200_0000;

/// Reads little-endian fields from a slice, front to back.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub const fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// Bytes read so far.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Bytes not read yet.
    pub const fn remaining(&self) -> usize {
        self.data.len() - self.position
    }

    /// The bytes read since `start`, which must be an earlier [`position`](Self::position).
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.data.get(start..self.position).unwrap_or_default()
    }

    /// Builds an error at the current position.
    #[cold]
    pub fn error(&self, field: &str, problem: Problem) -> DecodeError {
        failure(self.position, field, problem)
    }

    /// Takes the next `count` bytes.
    pub fn bytes(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.data.get(self.position..).unwrap_or_default();
        let Some(taken) = rest.get(..count) else {
            return Err(self.truncated(field, count));
        };
        self.position += count;
        Ok(taken)
    }

    /// Takes the next `N` bytes.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let rest = self.data.get(self.position..).unwrap_or_default();
        let Some(taken) = rest.first_chunk::<N>() else {
            return Err(self.truncated(field, N));
        };
        self.position += N;
        Ok(*taken)
    }

    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    pub fn i8(&mut self, field: &'static str) -> Result<i8, DecodeError> {
        self.array(field).map(i8::from_le_bytes)
    }

    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.array(field).map(i32::from_le_bytes)
    }

    pub fn i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.array(field).map(i64::from_le_bytes)
    }

    pub fn hash(&mut self, field: &'static str) -> Result<Hash256, DecodeError> {
        self.array(field).map(Hash256::from_wire)
    }

    pub fn outpoint(&mut self, field: &'static str) -> Result<OutPoint, DecodeError> {
        let txid = self.hash(field)?;
        let n = self.u32(field)?;
        Ok(OutPoint { txid, n })
    }

    /// A CompactSize: the shortest form is demanded and values above [`MAX_LENGTH`] are refused.
    pub fn compact_size(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        let start = self.position;
        let (value, width) = match self.u8(field)? {
            0xfd => (u64::from(u16::from_le_bytes(self.array(field)?)), 3),
            0xfe => (u64::from(u32::from_le_bytes(self.array(field)?)), 5),
            0xff => (u64::from_le_bytes(self.array(field)?), 9),
            small => return Ok(u64::from(small)),
        };
        let least = match width {
            3 => 0xfd,
            5 => 0x1_0000,
            _ => 0x1_0000_0000,
        };
        if value < least {
            let problem = Problem::NonCanonicalLength { value, width };
            return Err(failure(start, field, problem));
        }
        if value > MAX_LENGTH {
            let limit = MAX_LENGTH;
            return Err(failure(start, field, Problem::TooLong { value, limit }));
        }
        Ok(value)
    }

    /// A length and as many bytes.
    pub fn var_bytes(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.compact_size(field)?;
        let count = usize::try_from(length).unwrap_or(usize::MAX);
        self.bytes(field, count)
    }

    /// The number of items of a list. Refused when that many of the smallest possible item cannot follow, so the
    /// caller may reserve room for them.
    pub fn count(&mut self, field: &'static str, least_item: usize) -> Result<usize, DecodeError> {
        let start = self.position;
        let count = self.compact_size(field)?;
        let left = self.remaining();
        match usize::try_from(count) {
            Ok(items) if items <= left / least_item => Ok(items),
            _ => {
                let item = least_item;
                Err(failure(
                    start,
                    field,
                    Problem::TooMany { count, item, left },
                ))
            }
        }
    }

    /// Demands that nothing is left.
    pub fn finish(&self, what: &'static str) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            count => Err(self.error(what, Problem::TrailingBytes { count, what })),
        }
    }

    #[cold]
    fn truncated(&self, field: &str, needed: usize) -> DecodeError {
        let left = self.remaining();
        self.error(field, Problem::Truncated { needed, left })
    }
}

#[cold]
fn failure(offset: usize, field: &str, problem: Problem) -> DecodeError {
    DecodeError {
        offset,
        field: field.to_owned(),
        problem,
    }
}
