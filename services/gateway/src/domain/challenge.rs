//! The phrase a wallet signs to prove its key, in the form FluxOS uses: milliseconds since 1970, then random text.
//!
//! Only printable ASCII, because Flux wallets hash other text differently in their Ethereum scheme.

use chrono::{DateTime, Utc};

use super::WalletAddress;

/// A phrase and whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub phrase: String,
    pub address: WalletAddress,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Digits of the time at the head of a phrase; enough until the year 2286.
const TIME_DIGITS: usize = 13;

/// Longest text taken for a phrase; anything longer is not ours.
pub const MAX_PHRASE_CHARS: usize = 64;

/// 32 characters, so that five random bits pick one without bias.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// Makes a phrase out of the time and 160 of the random bits.
pub fn phrase(now: DateTime<Utc>, random: &[u8; 32]) -> String {
    let text: String = random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 0x1f)]))
        .collect();
    format!("{:0TIME_DIGITS$}{text}", now.timestamp_millis().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_thirteen_digits_and_random_text() {
        let now = DateTime::from_timestamp_millis(1_763_798_400_123).unwrap();
        let made = phrase(now, &[0xff; 32]);
        assert_eq!(made, format!("1763798400123{}", "v".repeat(32)));
        assert!(made.len() <= MAX_PHRASE_CHARS);
        assert_ne!(made, phrase(now, &[0xfe; 32]));
    }
}
