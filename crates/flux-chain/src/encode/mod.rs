//! Bytes in, bytes out. [`Reader`] borrows its input and never allocates on the word of a length field;
//! a [`Sink`] takes a serialisation, be it a vector or a hash.

mod error;
mod reader;
mod sink;

pub use error::{DecodeError, Problem};
pub use reader::{MAX_LENGTH, Reader};
pub use sink::Sink;

#[cfg(test)]
mod tests;
