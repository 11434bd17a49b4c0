//! FluxOS' way of signing in: a phrase for anybody; its signature is then the credential of every request (`idService.js`,
//! `verificationHelperUtils.js` of FluxOS v8.17).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

/// Time to sign a phrase.
pub const PHRASE_LIFE: TimeDelta = TimeDelta::minutes(15);

/// How long a login of FluxOS counts, from the making of its phrase. No configuration can make it longer.
pub const MAX_LOGIN_LIFE: Duration = Duration::from_hours(14 * 24);

/// Characters of a phrase: 13 digits of the time, then random text.
const PHRASE_CHARS: std::ops::RangeInclusive<usize> = 40..=70;

/// Digits of the time at the head of a phrase.
const TIME_DIGITS: usize = 13;

/// Characters of a FluxID, as FluxOS checks them.
const FLUX_ID_CHARS: std::ops::RangeInclusive<usize> = 25..=34;

/// What a client of FluxOS sends with its requests.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// As the client writes it: a FluxID, or a 0x address.
    pub address: String,
    pub phrase: String,
    pub signature: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Why a login is refused. The texts are FluxOS'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginProblem {
    #[error("No Flux ID is specified")]
    NoAddress,
    #[error("Flux ID is not valid")]
    Address,
    #[error("No message is specified")]
    NoPhrase,
    #[error("Signed message is not valid")]
    Phrase,
    #[error("No signature is specified")]
    NoSignature,
    #[error("Signed message is no longer valid. Please request a new one.")]
    Unknown,
    #[error("Invalid signature")]
    Signature,
}

impl Login {
    /// As stored.
    pub const KIND: &'static str = "fluxos";

    /// The checks that FluxOS makes before it looks for the phrase, in its order.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), LoginProblem> {
        let Self {
            address,
            phrase,
            signature,
        } = self;
        match address.chars().next() {
            None => return Err(LoginProblem::NoAddress),
            Some('1') if is_flux_id(address) => {}
            Some('0') if is_ethereum(address) => {}
            Some(_) => return Err(LoginProblem::Address),
        }
        if phrase.is_empty() {
            return Err(LoginProblem::NoPhrase);
        }
        let made = self.made_at().ok_or(LoginProblem::Phrase)?;
        if made < now - PHRASE_LIFE || made > now {
            return Err(LoginProblem::Phrase);
        }
        if signature.is_empty() {
            return Err(LoginProblem::NoSignature);
        }
        Ok(())
    }

    /// The time in the phrase, if it looks like one.
    fn made_at(&self) -> Option<DateTime<Utc>> {
        if !self.phrase.is_ascii() || !PHRASE_CHARS.contains(&self.phrase.len()) {
            return None;
        }
        let digits = self.phrase.get(..TIME_DIGITS)?;
        DateTime::from_timestamp_millis(digits.parse().ok()?)
    }

    /// What is stored of a login: whoever knows all three parts is its owner.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [&self.address, &self.phrase, &self.signature] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

fn is_flux_id(text: &str) -> bool {
    let base58 = |b: u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    FLUX_ID_CHARS.contains(&text.len()) && text.bytes().all(base58)
}

fn is_ethereum(text: &str) -> bool {
    let digits = text.strip_prefix("0x");
    digits.is_some_and(|digits| digits.len() == 40 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_763_798_400_123).unwrap()
    }

    fn login(address: &str, phrase: &str, signature: &str) -> Login {
        Login {
            address: address.to_owned(),
            phrase: phrase.to_owned(),
            signature: signature.to_owned(),
        }
    }

    #[test]
    fn the_checks_of_fluxos_come_in_its_order() {
        let id = "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd";
        let at = |millis: i64| format!("{millis}{}", "a".repeat(32));
        let good = at(1_763_798_400_000);
        for (login, problem) in [
            (login("", "", ""), LoginProblem::NoAddress),
            (login("tmabc", "", ""), LoginProblem::Address),
            (login("1abc", "", ""), LoginProblem::Address),
            (login("0x12", "", ""), LoginProblem::Address),
            (login(id, "", ""), LoginProblem::NoPhrase),
            (login(id, "short", ""), LoginProblem::Phrase),
            (login(id, &"x".repeat(45), ""), LoginProblem::Phrase),
            (login(id, &at(1_763_797_500_000), ""), LoginProblem::Phrase),
            (login(id, &at(1_763_798_400_124), ""), LoginProblem::Phrase),
            (login(id, &good, ""), LoginProblem::NoSignature),
        ] {
            assert_eq!(login.check(now()), Err(problem), "{login:?} {problem}");
        }
        assert_eq!(login(id, &good, "sig").check(now()), Ok(()));
    }

    #[test]
    fn every_part_of_a_login_counts() {
        let one = login("1a", "b", "c");
        assert_ne!(one.digest(), login("1a", "bc", "").digest());
        assert_ne!(one.digest(), login("1", "ab", "c").digest());
        assert_eq!(one.digest(), one.clone().digest());
        assert!(!format!("{one:?}").contains('b'));
    }
}
