//! Randomness for pauses.

use ring::rand::{SecureRandom as _, SystemRandom};

/// A number from 0 to 1; 0 when the system has no randomness to give, which only makes a pause longer.
pub fn jitter() -> f64 {
    let mut bytes = [0; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.0,
    }
}
