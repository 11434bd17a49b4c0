//! What following a token decides, without doing it: how far to ask, what to believe, where chains part.

pub mod batch;
pub mod block;
pub mod contracts;
pub mod follow;
pub mod fork;
pub mod range;
pub mod refusal;
pub mod transfer;

pub use batch::Batch;
pub use block::{BlockRef, Header};
pub use range::{Plan, RangeSize};
pub use transfer::{Change, Log, Transfer};
