//! When the first word of a new block came, for the latency of the tip.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// The moment of the first announcement that was not followed up. Clones share one.
#[derive(Debug, Clone, Default)]
pub struct Heard(Arc<Mutex<Option<Instant>>>);

impl Heard {
    /// Something new was announced.
    pub fn now(&self) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(Instant::now);
    }

    /// The moment, which is forgotten.
    pub fn take(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
