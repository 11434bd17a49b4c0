//! What a reader returns: documents, limits, errors.

use crate::json::Value;

/// Bounds on what is read. JavaScript has none; ours keep a hostile text from costing memory or stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest text in bytes.
    pub max_bytes: usize,
    /// Deepest nesting of arrays and objects. A specification needs four.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 4 << 20,
            max_depth: 128,
        }
    }
}

/// A text that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub value: Value,
    /// Keys that occur again in the same object, in the order of the text. JavaScript keeps the last value.
    pub duplicates: Vec<DuplicateKey>,
}

/// A key that was given before in the same object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateKey {
    /// Where: `compose[0].cpu`.
    pub path: String,
    /// Byte offset of the later key.
    pub offset: usize,
}

/// A text that is not JSON, or is over a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON at byte {offset}: {kind}")]
pub struct ParseError {
    pub offset: usize,
    pub kind: ParseErrorKind,
}

/// What is wrong at that offset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    #[error("the text has {size} bytes, the limit is {limit}; shorten it")]
    TooLarge { size: usize, limit: usize },
    #[error("nesting is deeper than {limit} levels; flatten it")]
    TooDeep { limit: usize },
    #[error("the text is not UTF-8; encode it as UTF-8")]
    NotUtf8,
    #[error("the text ends in the middle of a value")]
    UnexpectedEnd,
    #[error("expected {expected}, found `{found}`")]
    Unexpected { expected: &'static str, found: char },
    #[error("`{found}` follows the value; one text holds one value")]
    TrailingText { found: char },
    #[error("`{0}` is not a number; JSON writes numbers as 5, 0.5 or 1e3")]
    BadNumber(String),
    #[error("control character U+{0:04X} in a string; write it as an escape")]
    ControlCharacter(u32),
    #[error("`\\{0}` is not an escape of JSON")]
    BadEscape(char),
}
