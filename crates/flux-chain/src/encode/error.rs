//! Why bytes could not be read: where, in which field, by which rule.

/// A decoding failure. `offset` counts from the first byte handed to the reader; `field` is a path such as
/// `tx[3].vin[0].scriptSig`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}, {field}: {problem}")]
pub struct DecodeError {
    pub offset: usize,
    pub field: String,
    pub problem: Problem,
}

/// The rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{needed} bytes are needed, {left} are left: the data is cut short")]
    Truncated { needed: usize, left: usize },
    #[error(
        "the length {value} is spelled in {width} bytes: lengths must take their shortest form"
    )]
    NonCanonicalLength { value: u64, width: u8 },
    #[error("the length {value} exceeds the limit of {limit}")]
    TooLong { value: u64, limit: u64 },
    #[error(
        "{count} items of at least {item} bytes do not fit into the {left} bytes that are left"
    )]
    TooMany {
        count: u64,
        item: usize,
        left: usize,
    },
    #[error("{count} bytes follow its end: pass exactly one {what}")]
    TrailingBytes { count: usize, what: &'static str },
    #[error(
        "version {version} with version group {group:08x} is unknown; \
         3 with 03c48270 and 4 with 892f2085 are the overwintered formats"
    )]
    UnknownFormat { version: u32, group: u32 },
}

impl DecodeError {
    /// Puts the field into its place inside a list.
    #[must_use]
    pub fn within(mut self, list: &str, index: usize) -> Self {
        self.field = format!("{list}[{index}].{}", self.field);
        self
    }
}
