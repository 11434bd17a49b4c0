//! A rate set by hand: a sentence that an authorised person signs with a wallet.
//!
//! The sentence is one line of printable ASCII, because only that is signed alike by all wallets
//! ([`fluxplane_app_spec::message`]). It says all that it does, so that a person who is asked to sign it can read it.

use fluxplane_app_spec::message::{Scheme, SignatureError, check_canonical, verifies};
use serde::{Deserialize, Serialize};

use super::{
    fixing::{Basis, Fixing, Policy},
    flux::FluxUsd,
};

/// What is stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateStatement {
    pub rate: FluxUsd,
    /// The first second in which it holds, since 1970.
    pub valid_from: u64,
    /// The first second in which it does not hold any more.
    pub valid_until: u64,
    /// Why, in 1 to 200 printable ASCII characters.
    pub reason: String,
}

/// A statement and whose it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedStatement {
    pub statement: RateStatement,
    /// A Flux ID or an Ethereum address.
    pub signer: String,
    /// Base64 for a Flux ID, hexadecimal with 0x for an Ethereum address.
    pub signature: String,
}

/// A statement that an authorised person has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedStatement(SignedStatement);

/// Why a statement does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    #[error("`{0}` may not set the rate; add it to override_signers")]
    Signer(String),
    #[error(
        "the statement holds from {from} until {until}, but must end later than it begins; sign another"
    )]
    Window { from: u64, until: u64 },
    #[error(
        "the statement holds for {seconds} seconds, but at most {limit} are allowed; sign a shorter one"
    )]
    TooLong { seconds: u64, limit: u64 },
    #[error(
        "reason must be 1 to 200 printable ASCII characters, because wallets sign other text differently"
    )]
    Reason,
    #[error("the signature cannot be read")]
    Malformed(#[source] SignatureError),
    #[error("the signature is not that of `{0}` under this statement; sign exactly this text")]
    Signature(String),
}

impl RateStatement {
    /// The sentence to be signed. The reason stands last, so nothing in it can pass for another field.
    pub fn text(&self) -> String {
        let Self {
            rate,
            valid_from,
            valid_until,
            reason,
        } = self;
        format!(
            "Fluxplane rate v1: {} micro-USD for {} sat ({rate} USD per FLUX) from {valid_from} until {valid_until} because {reason}",
            rate.micro_usd(),
            rate.sat(),
        )
    }
}

impl SignedStatement {
    /// Checks who signed, what, and for how long.
    ///
    /// # Errors
    /// When the signer has no right to, the statement makes no sense, or the signature does not fit.
    pub fn verify(self, policy: &Policy) -> Result<VerifiedStatement, OverrideError> {
        const LONGEST_REASON: usize = 200;
        let RateStatement {
            valid_from,
            valid_until,
            reason,
            ..
        } = &self.statement;
        if !policy.override_signers.contains(&self.signer) {
            return Err(OverrideError::Signer(self.signer));
        }
        let seconds = valid_until.checked_sub(*valid_from).filter(|own| *own > 0);
        let seconds = seconds.ok_or(OverrideError::Window {
            from: *valid_from,
            until: *valid_until,
        })?;
        if seconds > policy.max_override_s {
            let limit = policy.max_override_s;
            return Err(OverrideError::TooLong { seconds, limit });
        }
        let is_printable = reason.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_printable || !(1..=LONGEST_REASON).contains(&reason.len()) {
            return Err(OverrideError::Reason);
        }
        check_canonical(&self.signer, &self.signature).map_err(OverrideError::Malformed)?;
        let text = self.statement.text();
        if !verifies(&text, &self.signer, &self.signature, Scheme::ByOwner) {
            return Err(OverrideError::Signature(self.signer));
        }
        Ok(VerifiedStatement(self))
    }
}

impl VerifiedStatement {
    pub const fn signed(&self) -> &SignedStatement {
        &self.0
    }

    /// Whether it holds in a second since 1970.
    pub const fn holds_at(&self, now: u64) -> bool {
        let RateStatement {
            valid_from,
            valid_until,
            ..
        } = self.0.statement;
        valid_from <= now && now < valid_until
    }

    pub(super) fn fixing(&self) -> Fixing {
        let SignedStatement {
            statement, signer, ..
        } = &self.0;
        Fixing {
            rate: statement.rate,
            at: statement.valid_from,
            basis: Basis::Statement {
                signer: signer.clone(),
                reason: statement.reason.clone(),
                valid_until: statement.valid_until,
            },
        }
    }
}
