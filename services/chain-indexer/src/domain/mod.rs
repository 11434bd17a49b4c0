//! What the indexer decides, without doing it: which way to go, what a block changes, what a payment says.

pub mod agreement;
pub mod block;
pub mod chain;
pub mod effects;
pub mod event;
pub mod follow;
pub mod forecast;
pub mod fork;
pub mod ledger;
pub mod memo;
pub mod mempool;
pub mod nodes;
pub mod note;
pub mod open;
pub mod open_notes;
pub mod payment;
pub mod price;
pub mod rules;
pub mod thresholds;
pub mod tip;
pub mod turnover;
pub mod watch;

pub use block::CheckedBlock;
pub use chain::ChainState;
pub use effects::BlockEffects;
pub use event::ChainEvent;
pub use ledger::IndexMode;
pub use note::NoteRecord;
pub use open::OpenPayments;
pub use open_notes::OpenNotes;
pub use payment::{Payment, PaymentRecord};
pub use rules::Rules;
pub use thresholds::Thresholds;
pub use tip::Tip;
pub use watch::Watch;
