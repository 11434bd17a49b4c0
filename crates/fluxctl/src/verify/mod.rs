//! What the plane says about money, checked.
//!
//! Nothing here believes the plane: a leaf is decoded, hashed up its path to a root, and the root is looked for in a
//! transaction that a chain node of the verifier's choice hands out. Every step is reported, also the ones that were not
//! taken; a report with such a step is not a verification. Blocks are checked the same way.

mod anchor;
pub mod block;
mod epoch;
mod evidence;
mod line;
mod report;

pub use anchor::{Anchored, FINAL_CONFIRMATIONS, Sender, check_anchor};
pub use epoch::{EpochCheck, PublishedEpoch, check_leaves};
pub use line::{LineCheck, check_line};
pub use report::{Outcome, Report, Step};
