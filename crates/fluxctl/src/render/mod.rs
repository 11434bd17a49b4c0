//! Everything that people and scripts read: results on stdout, everything else on stderr.
//!
//! | module | what |
//! |---|---|
//! | [`ui`] | where text goes, in which form, and how questions are asked |
//! | [`table`], [`facts`] | lists and single things |
//! | [`paint`] | colours, and taming text that others wrote |
//! | [`time`] | moments and durations |
//! | [`problem`] | errors |
//! | [`progress`] | that something goes on |
//! | [`json`] | JSON texts as they are |
//! | the others | one resource each |

pub mod apps;
pub mod billing;
pub mod chain;
pub mod evm;
pub mod facts;
pub mod json;
pub mod ledger;
pub mod nodes;
pub mod paint;
pub mod problem;
pub mod progress;
pub mod rates;
pub mod report;
pub mod secrets;
pub mod table;
pub mod tiers;
pub mod time;
pub mod timeline;
pub mod ui;

pub use facts::Facts;
pub use paint::Paint;
pub use progress::Progress;
pub use table::Table;
pub use ui::{Format, Ui};
